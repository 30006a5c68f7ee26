namespace RaftMq.Server.Admin;

/// <summary>What the admin API says and takes, as JSON with camel case names. Programs depend on it: fields are added, never renamed.</summary>
internal sealed record ClusterAnswer(
    string ClusterId, int? ControllerLeader, int FeatureLevel, IReadOnlyList<NodeAnswer> Nodes, IReadOnlyList<TopicAnswer> Topics);

internal sealed record NodeAnswer(
    int Id, string? Rack, bool Alive, int FeatureMin, int FeatureMax, string StoreId, IReadOnlyList<ListenerAnswer> Listeners);

internal sealed record ListenerAnswer(string Name, string Host, int Port);

internal sealed record TopicAnswer(
    string Name, string Id, bool Internal, IReadOnlyDictionary<string, string> Configs, IReadOnlyList<PartitionAnswer> Partitions);

/// <param name="Leader">Null while there is none.</param>
internal sealed record PartitionAnswer(
    int Partition, string Group, int? Leader, int? LeaderEpoch, IReadOnlyList<int> Replicas, IReadOnlyList<int> InSync);

/// <param name="RecordsPerSecond">Records that became visible in the last second, in partitions led here.</param>
/// <param name="NotReadyBecause">Null when the node is ready, or when it does not know.</param>
/// <param name="JournalFull">Neither produces nor appends are taken now.</param>
/// <param name="ReplicasWithoutRoom">Those for which the disk had no room when they last tried.</param>
/// <param name="DiskFreeBytes">On the disk of the data folder.</param>
internal sealed record StatusAnswer(
    int Node, bool Ready, double RecordsPerSecond, int Leading, int Following, IReadOnlyList<ReplicaAnswer> Replicas,
    IReadOnlyList<DamageAnswer> Damaged, string? NotReadyBecause, bool JournalFull, int ReplicasWithoutRoom, long DiskFreeBytes);

internal sealed record ReplicaAnswer(
    string Name, string? Topic, int Partition, string Role, int Term, int? Leader, long LogStart, long HighWatermark, long LogEnd,
    int InSync, int Voters, long SizeBytes);

/// <param name="Running">False: the replica did not start. True: it serves what is whole, and leads only while nobody else can.</param>
internal sealed record DamageAnswer(string Name, string Report, bool Running);

internal sealed record CreateTopicRequest(
    string? Name, int? Partitions, int? ReplicationFactor, Dictionary<string, string>? Configs, bool? ValidateOnly);

internal sealed record AddPartitionsRequest(int? Count, bool? ValidateOnly);

/// <param name="Outcome">Name of the outcome, for programs.</param>
/// <param name="Message">For people.</param>
internal sealed record AdminAnswer(string Outcome, string? Message, TopicAnswer? Topic = null);
