using RaftMq.Storage.Journal;

namespace RaftMq.Broker.Tests.Support;

/// <summary>A journal that says its files are full, as it does when segments are slow, and writes all the same.</summary>
internal sealed class FullJournal(IJournal journal) : IJournal
{
    public bool HasNoRoom { get; set; }

    public bool IsFull => true;

    public bool IsAtHardLimit { get; set; }

    public void Append(JournalRecord record) => journal.Append(record);

    public void Flush() => journal.Flush();
}
