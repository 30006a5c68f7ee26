namespace RaftMq.Cli.Admin;

/// <summary>What a node's admin API says; fields that this version does not know are ignored.</summary>
/// <param name="Balancing">Placement is being made even.</param>
internal sealed record ClusterAnswer(
    string ClusterId, int? ControllerLeader, int FeatureLevel, IReadOnlyList<NodeAnswer> Nodes, IReadOnlyList<TopicAnswer> Topics,
    bool Balancing = false);

/// <param name="State">serving, draining, drained or leaving; null where the node does not say, as an older one.</param>
/// <param name="Controller">leader, voter or follower in the controller group.</param>
/// <param name="Replicas">Partitions that are placed there.</param>
internal sealed record NodeAnswer(
    int Id, string? Rack, bool Alive, int FeatureMin, int FeatureMax, IReadOnlyList<ListenerAnswer> Listeners,
    string? State = null, string? Controller = null, int Replicas = 0, string? StoreId = null)
{
    public bool IsGoing => State is "draining" or "drained" or "leaving";
}

internal sealed record NodesAnswer(
    IReadOnlyList<NodeAnswer> Nodes, IReadOnlyList<ExpectedAnswer> Expected, IReadOnlyList<RemovedAnswer> Removed,
    IReadOnlyList<string>? Obstacles = null);

internal sealed record ExpectedAnswer(int Id, DateTimeOffset Until);

internal sealed record RemovedAnswer(int Id, string StoreId);

/// <param name="Obstacles">What a balance waits for, and is not begun before.</param>
/// <param name="Moves">What would make placement even, or is left of that.</param>
internal sealed record BalanceAnswer(bool UnderWay, IReadOnlyList<string> Obstacles, IReadOnlyList<BalanceMoveAnswer> Moves);

/// <param name="From">The replicas now, the first to lead.</param>
/// <param name="Copies">Nodes that would get a replica.</param>
internal sealed record BalanceMoveAnswer(string Topic, int Partition, IReadOnlyList<int> From, IReadOnlyList<int> To, IReadOnlyList<int> Copies);

internal sealed record ListenerAnswer(string Name, string Host, int Port)
{
    /// <summary>The names under which nodes tell where they listen for each other and for HTTP; the rest are for clients.</summary>
    public const string Peers = "peers";
    public const string Http = "http";

    /// <summary>Null for what does not speak HTTP.</summary>
    public Uri? Url => Name == Http ? new UriBuilder("http", Host, Port).Uri : null;
}

internal sealed record TopicAnswer(string Name, string Id, bool Internal, IReadOnlyList<PartitionAnswer> Partitions);

/// <param name="Leader">Null while there is none.</param>
internal sealed record PartitionAnswer(
    int Partition, int? Leader, int? LeaderEpoch, IReadOnlyList<int> Replicas, IReadOnlyList<int> InSync);

/// <param name="NotReadyBecause">Null when the node is ready, or does not know.</param>
/// <param name="ReplicasWithoutRoom">For which the disk had no room when they last tried.</param>
/// <param name="DiskFreeBytes">Null where the node does not say, as an older one.</param>
/// <param name="DiskRoom">enough, low or short.</param>
/// <param name="DiskNote">A sentence without its full stop; null while there is enough.</param>
internal sealed record StatusAnswer(
    int Node, bool Ready, double RecordsPerSecond, int Leading, int Following, IReadOnlyList<DamageAnswer> Damaged,
    string? NotReadyBecause = null, bool JournalFull = false, int ReplicasWithoutRoom = 0, long? DiskFreeBytes = null,
    IReadOnlyList<MovementAnswer>? Movements = null, string? DiskRoom = null, string? DiskNote = null,
    IReadOnlyList<ReplicaAnswer>? Replicas = null, ScrubAnswer? Scrub = null);

/// <param name="SizeBytes">In segments; what is only in the journal is not counted.</param>
internal sealed record ReplicaAnswer(string? Topic, int Partition, long SizeBytes);

/// <param name="LastPassAgoSeconds">-1: none since the start.</param>
/// <param name="Done">Replicas read of the pass under way, of <paramref name="Of"/>; 0 of 0 while none is.</param>
/// <param name="LastPassFound">Files that the last pass found damaged.</param>
internal sealed record ScrubAnswer(long Passes, long LastPassAgoSeconds, int Done, int Of, long LastPassFound = 0);

/// <param name="Phase">waiting, catchingUp, changing or ending.</param>
internal sealed record MovementAnswer(string Topic, int Partition, IReadOnlyList<int> To, string Phase, IReadOnlyList<LearnerAnswer> Learners);

internal sealed record LearnerAnswer(int Node, long EntriesLeft, long BytesLeft);

/// <summary>What the nodes say of themselves, and for each that said nothing, why.</summary>
/// <param name="Missing">By node: the end of a sentence that begins with the node.</param>
internal sealed record ClusterReport(IReadOnlyList<StatusAnswer> Statuses, IReadOnlyDictionary<int, string> Missing);

internal sealed record DamageAnswer(string Name, string Report, bool Running, string? Repair = null);

/// <param name="Outcome">Name of the outcome, for programs.</param>
/// <param name="Message">For people.</param>
internal sealed record AdminAnswer(string? Outcome, string? Message);
