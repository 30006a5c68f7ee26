namespace RaftMq.Storage.Journal;

/// <summary>Watches the journal for metrics. Called inside the journal's section; durations are measured by the shell around its disk.</summary>
public interface IJournalObserver
{
    /// <summary>A batch is durable: one write and one fdatasync.</summary>
    void BatchWritten(in JournalBatchFacts batch);
}

/// <param name="Records">0 for a seal.</param>
/// <param name="EntryBytes">Bytes of entries, without headers and padding.</param>
/// <param name="BatchBytes">Bytes written.</param>
public readonly record struct JournalBatchFacts(int Records, int Entries, int EntryBytes, long BatchBytes, bool OpenedFile);
