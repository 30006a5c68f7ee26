namespace RaftMq.Raft;

/// <summary>
/// The log as consensus sees it: the tail in memory, the terms and memberships of all of it, and how far it is durable and committed.
/// base ≤ commit ≤ last, base ≤ durable ≤ last; commit may be above durable (others hold it), and never goes back.
/// </summary>
internal sealed class RaftLog
{
    private readonly TermRuns _terms;
    private readonly MembershipHistory _memberships;

    public RaftLog(RaftStart start, ILogTail tail)
    {
        Tail = tail;
        _terms = new TermRuns(start.BaseIndex, start.BaseTerm, start.TermStarts, start.LastIndex);
        _memberships = new MembershipHistory(start.BaseIndex, start.BaseMembership, start.Memberships);
        Persists = new PersistTracker(start.LastIndex);
        Commit = LogIndex.Max(start.BaseIndex, LogIndex.Min(start.Commit, start.LastIndex));
        Invariant.Holds(start.HardState.Term >= _terms.LastTerm);
        CheckInvariants();
    }

    public ILogTail Tail { get; }

    public PersistTracker Persists { get; }

    public LogIndex Commit { get; private set; }

    public LogIndex BaseIndex => _terms.BaseIndex;

    public LogIndex LastIndex => _terms.LastIndex;

    public Term LastTerm => _terms.LastTerm;

    public LogIndex Durable => Persists.Durable;

    public Membership Membership => _memberships.Newest;

    /// <summary>The newest membership that is known to be committed.</summary>
    public Membership CommittedMembership => _memberships.At(Commit);

    public LogIndex MembershipIndex => _memberships.NewestIndex;

    public Term? TermAt(LogIndex index) => _terms.TermAt(index);

    public LogIndex LastWithTermAtMost(LogIndex from, Term term) => _terms.LastWithTermAtMost(from, term);

    /// <summary>The entry lies at the end of the tail already.</summary>
    public void Appended(in Entry entry)
    {
        _terms.Append(entry.Index, entry.Term);
        if (entry.Membership is { } membership)
        {
            _memberships.Append(entry.Index, membership);
        }
    }

    /// <summary>Takes an entry from a leader's message; returns it as it lies in the tail.</summary>
    public Entry Append(in Entry entry)
    {
        Entry stored = Tail.Append(entry);
        Invariant.Holds(stored.Index == entry.Index);
        Appended(stored);
        return stored;
    }

    /// <summary>Never at or below commit: what was committed stays (Raft 5.4, R-01).</summary>
    public void TruncateFrom(LogIndex index)
    {
        Invariant.Holds(PlantedBug.TruncateBelowCommit || index > Commit);
        Commit = PlantedBug.TruncateBelowCommit ? LogIndex.Min(Commit, index.Previous) : Commit;
        Tail.TruncateFrom(index);
        _terms.TruncateFrom(index);
        _memberships.TruncateFrom(index);
        Persists.TruncateFrom(index);
    }

    public bool CommitTo(LogIndex index)
    {
        if (PlantedBug.CommitIndexGoesBack ? index == Commit || index < BaseIndex : index <= Commit)
        {
            return false;
        }

        Invariant.Holds(index <= LastIndex);
        Commit = index;
        return true;
    }

    public void CutTo(LogIndex index)
    {
        if (index <= BaseIndex)
        {
            return;
        }

        Invariant.Holds(index <= Commit);
        Invariant.Holds(index <= Durable);
        _terms.CutTo(index);
        _memberships.CutTo(index);
    }

    public void ResetTo(LogIndex index, Term term, Membership membership)
    {
        Invariant.Holds(index > Commit);
        _terms.ResetTo(index, term);
        _memberships.ResetTo(index, membership);
        Persists.ResetTo(index);
        Commit = index;
    }

    public void CheckInvariants()
    {
        Invariant.Holds(BaseIndex <= Commit);
        Invariant.Holds(Commit <= LastIndex);
        Invariant.Holds(BaseIndex <= Durable);
        Invariant.Holds(Durable <= LastIndex);
        Invariant.Holds(MembershipIndex <= LastIndex);
        Invariant.Holds(Tail.LastIndex == LastIndex);
    }
}
