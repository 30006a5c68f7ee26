namespace RaftMq.Server.Disk;

/// <summary>How the process drives its disk.</summary>
internal sealed record DiskOptions
{
    /// <summary>How long a journal thread looks for the next batch before it parks. Waking a parked thread costs about 40 us on an idle core.</summary>
    public TimeSpan JournalSpin { get; init; } = TimeSpan.FromMicroseconds(30);

    public int ReadThreads { get; init; } = 2;

    /// <summary>Reads that may wait for a thread; above, the shard reads itself, which slows it down (back-pressure) and grows nothing.</summary>
    public int ReadsWaitingMax { get; init; } = 4096;
}
