namespace RaftMq.Server.Admin;

/// <summary>What the admin API says and takes, as JSON with camel case names. Programs depend on it: fields are added, never renamed.</summary>
/// <param name="Balancing">Placement is being made even.</param>
internal sealed record ClusterAnswer(
    string ClusterId, int? ControllerLeader, int FeatureLevel, IReadOnlyList<NodeAnswer> Nodes, IReadOnlyList<TopicAnswer> Topics, bool Balancing);

/// <param name="State">serving, draining, drained or leaving.</param>
/// <param name="Controller">leader, voter or follower in the controller group.</param>
/// <param name="Replicas">Partitions that are placed there.</param>
internal sealed record NodeAnswer(
    int Id, string? Rack, bool Alive, int FeatureMin, int FeatureMax, string StoreId, IReadOnlyList<ListenerAnswer> Listeners,
    string State, string Controller, int Replicas);

/// <param name="Expected">Nodes that may join.</param>
/// <param name="Removed">Nodes that left, with the folders that never come back.</param>
/// <param name="Obstacles">What keeps replicas on nodes that are drained, and what mends it.</param>
internal sealed record NodesAnswer(
    IReadOnlyList<NodeAnswer> Nodes, IReadOnlyList<ExpectedAnswer> Expected, IReadOnlyList<RemovedAnswer> Removed,
    IReadOnlyList<string> Obstacles);

internal sealed record ExpectedAnswer(int Id, DateTimeOffset Until);

internal sealed record RemovedAnswer(int Id, string StoreId);

/// <param name="Obstacles">What a balance waits for, and is not begun before.</param>
/// <param name="Moves">What would make placement even, or is left of that.</param>
internal sealed record BalanceAnswer(bool UnderWay, IReadOnlyList<string> Obstacles, IReadOnlyList<BalanceMoveAnswer> Moves);

/// <param name="From">The replicas now, the first to lead.</param>
/// <param name="Copies">Nodes that would get a replica.</param>
internal sealed record BalanceMoveAnswer(string Topic, int Partition, IReadOnlyList<int> From, IReadOnlyList<int> To, IReadOnlyList<int> Copies);

internal sealed record ListenerAnswer(string Name, string Host, int Port);

internal sealed record TopicAnswer(
    string Name, string Id, bool Internal, IReadOnlyDictionary<string, string> Configs, IReadOnlyList<PartitionAnswer> Partitions);

/// <param name="Leader">Null while there is none.</param>
/// <param name="Replicas">The wanted ones: while the partition moves, where it goes.</param>
/// <param name="Adding">Wanted and new in a movement under way.</param>
/// <param name="Leaving">Those that go once it is done.</param>
internal sealed record PartitionAnswer(
    int Partition, string Group, int? Leader, int? LeaderEpoch, IReadOnlyList<int> Replicas, IReadOnlyList<int> InSync,
    IReadOnlyList<int> Adding, IReadOnlyList<int> Leaving, bool Moving);

/// <param name="RecordsPerSecond">Records that became visible in the last second, in partitions led here.</param>
/// <param name="NotReadyBecause">Null when the node is ready, or when it does not know.</param>
/// <param name="JournalFull">Neither produces nor appends are taken now.</param>
/// <param name="ReplicasWithoutRoom">Those for which the disk had no room when they last tried.</param>
/// <param name="DiskFreeBytes">On the disk of the data folder.</param>
/// <param name="DiskRoom">enough, low or short: then the node takes no records.</param>
/// <param name="DiskNote">What is to be said of it; null while there is enough.</param>
/// <param name="DiskReserveBytes">What the reserve file holds.</param>
internal sealed record StatusAnswer(
    int Node, bool Ready, double RecordsPerSecond, int Leading, int Following, IReadOnlyList<ReplicaAnswer> Replicas,
    IReadOnlyList<DamageAnswer> Damaged, string? NotReadyBecause, bool JournalFull, int ReplicasWithoutRoom, long DiskFreeBytes,
    IReadOnlyList<MovementAnswer> Movements, string DiskRoom, string? DiskNote, long DiskReserveBytes, ScrubAnswer Scrub);

/// <param name="Passes">Since the node's start.</param>
/// <param name="LastPassAgoSeconds">Since the last one ended; -1 before that.</param>
/// <param name="Done">Replicas that the pass under way has read, of <paramref name="Of"/>; 0 of 0 while none is.</param>
/// <param name="Found">Files that were found damaged, since the node's start.</param>
/// <param name="LastPassFound">Of those, the ones that the last pass that ended has found.</param>
internal sealed record ScrubAnswer(long Bytes, long Passes, long LastPassAgoSeconds, int Done, int Of, long Found, long LastPassFound);

/// <param name="Phase">waiting, catchingUp, changing or ending.</param>
internal sealed record MovementAnswer(string Topic, int Partition, IReadOnlyList<int> To, string Phase, IReadOnlyList<LearnerAnswer> Learners);

/// <param name="EntriesLeft">What the new replica lacks of the leader's log.</param>
internal sealed record LearnerAnswer(int Node, long EntriesLeft, long BytesLeft);

internal sealed record ReplicaAnswer(
    string Name, string? Topic, int Partition, string Role, int Term, int? Leader, long LogStart, long HighWatermark, long LogEnd,
    int InSync, int Voters, long SizeBytes);

/// <param name="Running">False: the replica did not start. True: it serves what is whole, and leads only while nobody else can.</param>
internal sealed record DamageAnswer(string Name, string Report, bool Running, string? Repair);

internal sealed record CreateTopicRequest(
    string? Name, int? Partitions, int? ReplicationFactor, Dictionary<string, string>? Configs, bool? ValidateOnly);

internal sealed record AddPartitionsRequest(int? Count, bool? ValidateOnly);

/// <param name="Outcome">Name of the outcome, for programs.</param>
/// <param name="Message">For people.</param>
internal sealed record AdminAnswer(string Outcome, string? Message, TopicAnswer? Topic = null);
