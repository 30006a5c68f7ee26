namespace RaftMq.Storage.Journal;

/// <summary>Counts since this journal was opened.</summary>
public readonly record struct JournalStatistics(
    long Batches, long Seals, long Records, long EntryBytes, long BytesWritten, long FilesOpened, long FilesRecycled)
{
    /// <summary>One fdatasync per batch.</summary>
    public long Syncs => Batches;
}
