namespace RaftMq.Raft;

/// <summary>
/// The newest part of a group's log, in memory. Implemented by the store; answers at once and does no I/O. What consensus puts here
/// is not durable until the shell says so through <see cref="RaftGroup.Persisted"/>.
/// </summary>
public interface ILogTail
{
    /// <summary>The first entry still in memory; older ones are read from disk through <see cref="Ready.LogReads"/>.</summary>
    LogIndex FirstInMemory { get; }

    LogIndex LastIndex { get; }

    /// <summary>Encodes an entry that consensus itself makes (no-op, membership) at the end of the tail.</summary>
    Entry AppendOwn(LogIndex index, Term term, EntryKind kind, Membership? membership);

    /// <summary>Copies an entry received from a leader to the end of the tail and returns it as it lies there.</summary>
    Entry Append(in Entry entry);

    /// <summary>
    /// Forgets all entries from <paramref name="index"/> on. Never called at or below commit. Their memory may be used again only when no
    /// write that was handed out with them (<see cref="Ready.Entries"/>) is in flight any more.
    /// </summary>
    void TruncateFrom(LogIndex index);

    /// <summary>
    /// Adds entries <paramref name="from"/>..<paramref name="to"/> to <paramref name="into"/>, at least one, then up to the limits.
    /// Returns false, adding nothing, when <paramref name="from"/> is no longer in memory.
    /// </summary>
    bool TryRead(LogIndex from, LogIndex to, int maxEntries, long maxBytes, List<Entry> into);
}
