namespace RaftMq.Raft;

/// <summary>What an entry is to the layers. Values are stored and sent: never renumber.</summary>
public enum EntryKind : byte
{
    /// <summary>The first entry of a term (Raft 8): commits what earlier terms left.</summary>
    Noop = 1,

    /// <summary>A membership (joint or simple), in force from the moment it is appended (Raft 6).</summary>
    Membership = 2,

    /// <summary>The first value that belongs to the state machine; consensus carries these without looking inside.</summary>
    FirstOfStateMachine = 16,
}

/// <summary>
/// One log entry as consensus sees it. <see cref="Bytes"/> is the whole stored form (header and payload) and lies in memory that the
/// log tail owns, or, on a follower, in the receive buffer until the entry is appended to the tail; it is valid while the entry is in
/// the tail or, in a message, until the next <c>TakeReady</c>.
/// </summary>
/// <param name="Membership">Not null exactly when <paramref name="Kind"/> is <see cref="EntryKind.Membership"/>.</param>
public readonly record struct Entry(
    LogIndex Index, Term Term, EntryKind Kind, ReadOnlyMemory<byte> Bytes, Membership? Membership = null)
{
    public int SizeBytes => Bytes.Length;
}
