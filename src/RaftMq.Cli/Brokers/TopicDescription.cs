namespace RaftMq.Cli.Brokers;

/// <param name="Settings">Null where nobody asked.</param>
internal sealed record TopicDescription(
    string Name, bool Internal, IReadOnlyList<PartitionDescription> Partitions, IReadOnlyList<TopicSetting>? Settings = null);

/// <param name="IsDefault">Nobody set it for this topic.</param>
internal sealed record TopicSetting(string Name, string? Value, bool IsDefault);

/// <param name="Leader">Null while there is none.</param>
/// <param name="FirstOffset">Null where no leader answered, or nobody asked.</param>
/// <param name="EndOffset">Where the next record goes, as consumers see it.</param>
internal sealed record PartitionDescription(
    int Partition, int? Leader, IReadOnlyList<int> Replicas, IReadOnlyList<int> InSync, long? FirstOffset = null, long? EndOffset = null);
