namespace RaftMq.Storage.Journal;

/// <summary>The journal's limits (design 8). All sizes are whole blocks of 4 KiB.</summary>
public sealed record JournalOptions
{
    /// <summary>Size of a journal file. A batch that does not fit a fresh file gets a larger one.</summary>
    public long FileBytes { get; init; } = 64L << 20;

    /// <summary>
    /// All journal files of the node together. The oldest file is due from half of it on; two files below it the journal says
    /// <see cref="NodeJournal.IsFull"/>, and callers that heed it keep the files below this limit: what is still queued then, and what
    /// groups carry again to release the oldest file, is bounded by the node's uncommitted bytes. It must be written even over the
    /// limit, or nothing would ever be released again.
    /// </summary>
    public long TotalBytesMax { get; init; } = 1L << 30;

    /// <summary>Entry bytes of one batch; a single larger record travels alone in a larger one.</summary>
    public int BatchBytesMax { get; init; } = 4 << 20;

    /// <summary>Records of one batch, so that its table stays small beside the entries.</summary>
    public int BatchRecordsMax { get; init; } = 16_384;

    /// <summary>
    /// How long the journal stays idle before it writes a seal. Design 4 wants it within 5 ms of the last batch; a tick may come 2 ms
    /// late.
    /// </summary>
    public int SealAfterMs { get; init; } = 2;

    /// <summary>
    /// From here on the oldest file is due: half of the total leaves groups the other half's time to write segments. With few files it is
    /// one file below <see cref="FullBytes"/>: a journal that is full must have asked for a file, or it would be full for ever.
    /// </summary>
    public long DueBytes => Math.Min(TotalBytesMax / 2, FullBytes - FileBytes);

    /// <summary>From here on producers and leaders' appends should wait.</summary>
    public long FullBytes => TotalBytesMax - (2 * FileBytes);

    /// <summary>
    /// Where even a journal whose callers do not heed <see cref="NodeJournal.IsFull"/> stops taking new files, but for one at a time that
    /// the records which release files, or hard states, need themselves, and one a second while nothing else is written.
    /// </summary>
    public long HardBytesMax => 2 * TotalBytesMax;

    /// <summary>
    /// The end of the last file, kept for hard states and for the small records that release older files. A release takes two batches, of
    /// two blocks each: one that says it, and one whose header says that the oldest file is no longer needed.
    /// </summary>
    internal long ReserveBytes
    {
        get
        {
            long blocks = FileBytes / BatchLayout.BlockBytes;
            return Math.Max(blocks / 8, Math.Min(blocks / 2, 8)) * BatchLayout.BlockBytes;
        }
    }

    /// <summary>The last half of <see cref="ReserveBytes"/>, kept for the releases alone.</summary>
    internal long ReleaseReserveBytes => ReserveBytes / 2;

    /// <summary>
    /// What the first file of a run has behind its first batch at least, where the disk has no room for a whole one: the end that is kept, and as much
    /// again for what a full node still writes.
    /// </summary>
    internal long LeastBytesBehindOpening => 2 * ReserveBytes;

    /// <summary>What is wrong with these values; empty when nothing is.</summary>
    public IReadOnlyList<string> Faults()
    {
        List<string> faults = [];
        if (FileBytes < 8 * BatchLayout.BlockBytes || FileBytes % BatchLayout.BlockBytes != 0)
        {
            faults.Add($"journal file size {FileBytes} must be a multiple of {BatchLayout.BlockBytes} and at least 8 of it");
        }

        if (TotalBytesMax < 4 * FileBytes)
        {
            faults.Add($"journal total size {TotalBytesMax} must be at least 4 files of {FileBytes}");
        }

        if (BatchBytesMax < BatchLayout.BlockBytes || BatchRecordsMax < 1 || SealAfterMs < 0)
        {
            faults.Add("journal batch limits must be positive");
        }

        return faults;
    }
}
