using RaftMq.Broker.Groups;
using RaftMq.Broker.Space;

namespace RaftMq.Broker;

/// <summary>What the operator decides about a node's broker. Every limit has its default from the design, section 8.</summary>
public sealed record BrokerOptions
{
    /// <summary>Topics are created on first use (Kafka's auto.create.topics.enable).</summary>
    public bool AutoCreateTopics { get; init; } = true;

    public int DefaultPartitions { get; init; } = 4;

    /// <summary>At most as many as there are nodes.</summary>
    public int DefaultReplicationFactor { get; init; } = 3;

    /// <summary>Partitions of the internal topic that holds consumer groups.</summary>
    public int OffsetsPartitions { get; init; } = 16;

    /// <summary>A voter that has not had everything for this long is not in sync.</summary>
    public TimeSpan ReplicaLagMax { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a group may be led by another than its preferred replica once that one is caught up.</summary>
    public TimeSpan LeaderBalanceDelay { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a follower waits for its leader at least before it campaigns; at most twice as long.</summary>
    public TimeSpan ElectionTimeoutMin { get; init; } = TimeSpan.FromMilliseconds(600);

    /// <summary>All files are read again at least this long after the last time began, as far as <see cref="BrokerLimits.ScrubBytesPerSecond"/> allows.</summary>
    public TimeSpan ScrubInterval { get; init; } = TimeSpan.FromDays(1);

    public GroupsConfig Groups { get; init; } = new();

    public BrokerLimits Limits { get; init; } = new();

    public SpaceLimits Space { get; init; } = new();
}

/// <summary>Named limits; behaviour at each is tested.</summary>
public sealed record BrokerLimits
{
    /// <summary>
    /// Largest record batch where a topic does not say max.message.bytes; the leader's counts. The default is Kafka's: 1 MiB and the
    /// 12 bytes of a batch's base offset and length.
    /// </summary>
    public int RecordBatchBytesMax { get; init; } = (1 << 20) + 12;

    public long UncommittedBytesPerGroup { get; init; } = 32 << 20;

    /// <summary>
    /// At most half of the journal counts: what is not committed can't leave the journal for segments, so it must not be what fills it.
    /// </summary>
    public long UncommittedBytesPerNode { get; init; } = 512L << 20;

    /// <summary>
    /// Entries of all groups, led here or followed, that wait for the journal's disk. Above, produces wait and followers take no appends.
    /// At most a quarter of the journal counts, so that all that waits when the journal gets full still has room in it.
    /// </summary>
    public long JournalQueueBytes { get; init; } = 128L << 20;

    public int ReplicationWindowEntries { get; init; } = 256;

    public long ReplicationWindowBytes { get; init; } = 8 << 20;

    /// <summary>One message to a follower carries at most this much; a single larger entry travels alone.</summary>
    public int AppendBytes { get; init; } = 1 << 20;

    /// <summary>Newest entries of all groups in memory: consumers at the end of the log read from here.</summary>
    public long TailBytes { get; init; } = 256L << 20;

    public long PeerQueueBytesMax { get; init; } = 64 << 20;

    /// <summary>Produce commands that wait for room or for the leader's no-op, per partition.</summary>
    public int WaitingProducesPerPartition { get; init; } = 1024;

    /// <summary>
    /// Producers whose sequences a partition remembers; beyond it the ones unused for longest go (Kafka: producer.id.expiration.ms). Part of
    /// replicated state, so the same on all nodes: no setting, and another value only with a new feature level.
    /// </summary>
    public int ProducersPerPartition { get; init; } = 100_000;

    /// <summary>
    /// After every so many entries of a group its replicas compare what they made of them (<see cref="Digests.DigestPoints"/>). The same on all nodes: no
    /// setting.
    /// </summary>
    public int DigestEntries { get; init; } = 4096;

    /// <summary>
    /// Partitions led by this node to which replicas are added at a time; more wait. They share <see cref="RecoveryBytesPerSecond"/>, and
    /// few at a time are done sooner, and may be served from fewer disks, than all at once.
    /// </summary>
    public int Movements { get; init; } = 4;

    /// <summary>
    /// What this node reads from segments and checkpoints to fill returning and moving replicas. The default refills an hour's 10 MiB/s
    /// in six minutes and takes a small part of what disk and network do; memory's newest entries are not counted.
    /// </summary>
    public long RecoveryBytesPerSecond { get; init; } = 100L << 20;

    /// <summary>
    /// What this node reads of its own segments and checkpoints to find damage before it is needed; 0: nothing. The default goes through 800 GiB
    /// a day and is a small part of what a disk does.
    /// </summary>
    public long ScrubBytesPerSecond { get; init; } = 10L << 20;
}
