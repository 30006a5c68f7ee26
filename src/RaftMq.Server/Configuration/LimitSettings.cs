namespace RaftMq.Server.Configuration;

/// <summary>Named limits. At each of them something is refused, held back or closed; nothing grows.</summary>
internal sealed record LimitSettings
{
    [Setting("limits.request.frame.bytes", "Largest request of a client; larger ones close the connection.", Unit = SettingUnit.Bytes, Min = 1024, Max = 1 << 30)]
    public int RequestFrameBytes { get; init; } = 100 << 20;

    [Setting("limits.record.batch.bytes", "Largest record batch where a topic does not say `max.message.bytes`; the setting of the node that leads counts.", Unit = SettingUnit.Bytes, Min = 1024, Max = 100 << 20)]
    public int RecordBatchBytes { get; init; } = (1 << 20) + 12;

    [Setting("limits.connections", "Connections of clients, over all listeners; one more is closed at once.", Min = 1, Max = 1_000_000)]
    public int Connections { get; init; } = 10_000;

    [Setting("limits.http.connections", "Connections to http.listen; one more is closed at once. An idle one is closed after two minutes.", Min = 1, Max = 100_000)]
    public int HttpConnections { get; init; } = 1000;

    [Setting("limits.connection.requests.in.flight", "Unanswered requests of a connection; at the limit it is not read.", Min = 1, Max = 100_000)]
    public int RequestsInFlight { get; init; } = 64;

    [Setting("limits.connection.response.bytes", "Memory of answers that a client has not taken; from here on its connection is not read, so that one answer more may wait (records of at most 16 MiB, or 256 KiB of the tail for each partition in it).", Unit = SettingUnit.Bytes, Min = 1024)]
    public long ResponseBytes { get; init; } = 16 << 20;

    [Setting("limits.connection.idle", "A connection on which nothing moved for so long is closed.", Min = 1000)]
    public TimeSpan ConnectionIdle { get; init; } = TimeSpan.FromMinutes(10);

    [Setting("limits.request.memory.bytes", "Memory of requests that are being received, over all connections; above, connections wait.", Unit = SettingUnit.Bytes, Min = 1 << 20)]
    public long RequestMemoryBytes { get; init; } = 512L << 20;

    [Setting("limits.uncommitted.bytes.per.group", "Bytes of a partition that are on their way to a majority; above, producers wait.", Unit = SettingUnit.Bytes, Min = 1 << 20)]
    public long UncommittedBytesPerGroup { get; init; } = 32 << 20;

    [Setting("limits.uncommitted.bytes.per.node", "The same over all partitions that this node leads; at most half of journal.total.bytes counts.", Unit = SettingUnit.Bytes, Min = 1 << 20)]
    public long UncommittedBytesPerNode { get; init; } = 512L << 20;

    [Setting("limits.journal.queue.bytes", "Bytes of all partitions that wait for the journal's disk; above, producers wait and a follower takes nothing more. At most a quarter of journal.total.bytes counts.", Unit = SettingUnit.Bytes, Min = 1 << 20)]
    public long JournalQueueBytes { get; init; } = 128L << 20;

    [Setting("limits.replication.window.entries", "Entries of a partition that are under way to one follower.", Min = 1, Max = 100_000)]
    public int ReplicationWindowEntries { get; init; } = 256;

    [Setting("limits.replication.window.bytes", "Bytes of a partition that are under way to one follower.", Unit = SettingUnit.Bytes, Min = 1 << 20)]
    public long ReplicationWindowBytes { get; init; } = 8 << 20;

    [Setting("limits.tail.bytes", "Newest entries of all partitions in memory; consumers at the end of the log read from here. Best at most a third of journal.total.bytes: more that waits for a majority would be written to the journal again and again.", Unit = SettingUnit.Bytes, Min = 64 << 20)]
    public long TailBytes { get; init; } = 256L << 20;

    [Setting("limits.waiting.produces.per.partition", "Produces that wait for room; more are held back on their connections.", Min = 1, Max = 1_000_000)]
    public int WaitingProducesPerPartition { get; init; } = 1024;

    [Setting("limits.peer.queue.bytes", "Bytes that wait to be sent to one node; above, frames are dropped and sent again later.", Unit = SettingUnit.Bytes, Min = 1 << 20)]
    public long PeerQueueBytes { get; init; } = 64 << 20;

    [Setting("limits.recovery.bytes.per.second", "Bytes a second that this node reads from its disk to fill returning and moving replicas; the newest entries, which are in memory, are not counted.", Unit = SettingUnit.Bytes, Min = 1 << 20)]
    public long RecoveryBytesPerSecond { get; init; } = 100L << 20;

    [Setting("limits.scrub.bytes.per.second", "Bytes a second that this node reads of its own segments and checkpoints to find damage before it is needed; 0: none.", Unit = SettingUnit.Bytes, Min = 0)]
    public long ScrubBytesPerSecond { get; init; } = 10L << 20;

    [Setting("limits.movements", "Partitions led by this node to which replicas are added at a time; further movements wait.", Min = 1, Max = 10_000)]
    public int Movements { get; init; } = 4;
}
