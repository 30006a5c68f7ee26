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
}
