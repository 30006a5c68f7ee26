namespace RaftMq.Cli.Admin;

/// <summary>What a node's admin API says; fields that this version does not know are ignored.</summary>
internal sealed record ClusterAnswer(
    string ClusterId, int? ControllerLeader, int FeatureLevel, IReadOnlyList<NodeAnswer> Nodes, IReadOnlyList<TopicAnswer> Topics);

internal sealed record NodeAnswer(int Id, string? Rack, bool Alive, int FeatureMin, int FeatureMax, IReadOnlyList<ListenerAnswer> Listeners);

internal sealed record ListenerAnswer(string Name, string Host, int Port);

internal sealed record TopicAnswer(string Name, string Id, bool Internal, IReadOnlyList<PartitionAnswer> Partitions);

/// <param name="Leader">Null while there is none.</param>
internal sealed record PartitionAnswer(
    int Partition, int? Leader, int? LeaderEpoch, IReadOnlyList<int> Replicas, IReadOnlyList<int> InSync);

internal sealed record StatusAnswer(
    int Node, bool Ready, double RecordsPerSecond, int Leading, int Following, IReadOnlyList<DamageAnswer> Damaged);

internal sealed record DamageAnswer(string Name, string Report);

/// <param name="Outcome">Name of the outcome, for programs.</param>
/// <param name="Message">For people.</param>
internal sealed record AdminAnswer(string? Outcome, string? Message);
