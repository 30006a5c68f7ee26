namespace RaftMq.Raft;

/// <summary>The last entry of a log: what elections compare (Raft 5.4.1).</summary>
public readonly record struct LogPosition(Term Term, LogIndex Index)
{
    /// <summary>A log that ends here holds at least what one that ends at <paramref name="other"/> holds.</summary>
    public bool IsAtLeast(LogPosition other) => Term > other.Term || (Term == other.Term && Index >= other.Index);
}

/// <summary>
/// What a replica's disk has lost of what was durable there (design, "Damage and healing"). The log handed over with it ends before the
/// first entry that was lost. Recorded durably before the replica says anything, and until <see cref="Ready.Healed"/> is durable.
/// </summary>
/// <param name="Held">The end of the log as it was known to be durable before; null where nobody knows.</param>
/// <param name="HardStateLost">Term and vote may be older than what this replica promised.</param>
public sealed record ReplicaDamage(LogPosition? Held, bool HardStateLost);
