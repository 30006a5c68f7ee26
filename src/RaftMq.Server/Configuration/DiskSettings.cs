namespace RaftMq.Server.Configuration;

/// <summary>How the process drives its disk.</summary>
internal sealed record DiskSettings
{
    [Setting("disk.journal.spin", "How long a journal thread looks for more work before it sleeps.", Min = 0, Max = 1)]
    public TimeSpan JournalSpin { get; init; } = TimeSpan.FromMicroseconds(30);

    [Setting("disk.read.threads", "Threads that read segments for consumers and followers.", Min = 1, Max = 64)]
    public int ReadThreads { get; init; } = 2;

    [Setting("disk.reads.waiting.max", "Reads that may wait for a thread; above, the shard reads itself and slows down.", Min = 1, Max = 1_000_000)]
    public int ReadsWaitingMax { get; init; } = 4096;

    [Setting("disk.free.bytes.low", "With less free on the data folder's disk the operator is warned. 0: never.", Unit = SettingUnit.Bytes, Min = 0)]
    public long FreeBytesLow { get; init; } = 1L << 30;

    [Setting(
        "disk.free.bytes.min", "With less free on the data folder's disk this node takes no records and no new replicas; all else goes on. 0: until nothing is free.",
        Unit = SettingUnit.Bytes, Min = 0)]
    public long FreeBytesMin { get; init; } = 256L << 20;

    [Setting(
        "disk.reserve.bytes", "Held in a file while there is room and given back when there is none, so that what makes room can go on. 0: no such file.",
        Unit = SettingUnit.Bytes, Min = 0, DefaultText = "twice journal.file.bytes")]
    public long? ReserveBytes { get; init; }
}
