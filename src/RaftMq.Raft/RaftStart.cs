namespace RaftMq.Raft;

/// <summary>What the store found at start.</summary>
/// <param name="BaseIndex">The last index that the log no longer holds (the snapshot's), with its term and membership.</param>
/// <param name="TermStarts">First index of each term in the log above the base, ascending.</param>
/// <param name="LastIndex">The last durable index.</param>
/// <param name="Memberships">
/// Membership entries in the log above the base, ascending. In place of committed ones the last of them may stand, at any committed index
/// at or above its own.
/// </param>
/// <param name="Commit">
/// A lower bound of the commit index that the store knows, of this very log: it was written with or behind the entries it covers, in
/// the journal's order, or a replaced entry would be taken for committed. Taken for at most <paramref name="LastIndex"/>.
/// </param>
/// <param name="Damage">Null: everything that was ever durable here is.</param>
public sealed record RaftStart(
    HardState HardState,
    LogIndex BaseIndex,
    Term BaseTerm,
    Membership BaseMembership,
    IReadOnlyList<(LogIndex First, Term Term)> TermStarts,
    LogIndex LastIndex,
    IReadOnlyList<(LogIndex Index, Membership Membership)> Memberships,
    LogIndex Commit,
    ReplicaDamage? Damage = null)
{
    /// <summary>
    /// The term is that of the log's end, and stands in no hard state yet: the base came from another replica, or the hard state is lost. It is written down
    /// before anything is said in it.
    /// </summary>
    public bool IsTermUnwritten { get; init; }

    /// <summary>
    /// In that term at least. The node had another replica of the group before, which may have voted in any term up to the one in which the group had let it
    /// go, and was deleted; a leader of an earlier term may still take this one for it, and would count what it acknowledges: this one refuses it, as the other would
    /// have. Leaders of that term or later ones know that it left (leader completeness, Raft 5.4.3).
    /// </summary>
    public RaftStart BornIn(Term term) => HardState.Term >= term ? this : this with { HardState = new HardState(term, null), IsTermUnwritten = true };

    /// <summary>A replica that never held anything. With an empty membership it waits until a leader tells it more.</summary>
    public static RaftStart Empty(Membership membership) =>
        new(default, LogIndex.Zero, Term.Zero, membership, [], LogIndex.Zero, [], LogIndex.Zero);
}
