namespace RaftMq.Raft.Tests.Support;

/// <summary>What would survive a power cut: hard state, base, entries.</summary>
internal sealed class MemoryDisk(Membership initial)
{
    private readonly List<Entry> _entries = [];
    private readonly HashSet<(LogIndex Index, Term Term)> _lost = [];

    public HardState HardState { get; private set; }

    public LogIndex BaseIndex { get; private set; }

    public Term BaseTerm { get; private set; }

    public Membership BaseMembership { get; private set; } = initial;

    /// <summary>A lower bound of commit, written now and then.</summary>
    public LogIndex CommitHint { get; set; }

    /// <summary>Not null from a damage until its end is written.</summary>
    public ReplicaDamage? Damage { get; private set; }

    public LogIndex LastIndex => BaseIndex + _entries.Count;

    public Entry At(LogIndex index) => _entries[(int)(index - BaseIndex) - 1];

    /// <summary>Or did once, before it was damaged: what it acknowledged then counts.</summary>
    public bool Holds(LogIndex index, Term term) => _lost.Contains((index, term)) || HoldsNow(index, term);

    /// <summary>The disk loses what stands behind an index, and perhaps how much that was, and perhaps the hard state.</summary>
    public void Lose(LogIndex behind, bool heldIsKnown, bool hardStateToo)
    {
        LogPosition held = new(LastIndex > BaseIndex ? At(LastIndex).Term : BaseTerm, LastIndex);
        for (LogIndex i = behind.Next; i <= LastIndex; i = i.Next)
        {
            _lost.Add((i, At(i).Term));
        }

        _entries.RemoveRange((int)(behind - BaseIndex), (int)(LastIndex - behind));
        CommitHint = LogIndex.Min(CommitHint, behind);
        if (hardStateToo)
        {
            HardState = new HardState(LastIndex > BaseIndex ? At(LastIndex).Term : BaseTerm, null);
        }

        Damage = new ReplicaDamage(heldIsKnown && !hardStateToo ? held : null, hardStateToo);
    }

    public void EndDamage() => Damage = null;

    /// <summary>The base came from another replica, and with it a term.</summary>
    public bool IsTermUnwritten { get; set; }

    private bool HoldsNow(LogIndex index, Term term) =>
        index < BaseIndex || (index == BaseIndex ? term == BaseTerm : index <= LastIndex && At(index).Term == term);

    public void Write(HardState? hardState, IReadOnlyList<Entry> entries)
    {
        if (hardState is { } state)
        {
            Assert.True(state.Term >= HardState.Term, "a hard state went back");
            Assert.True(
                state.Term > HardState.Term || HardState.Vote is null || HardState.Vote == state.Vote,
                "a vote was changed within its term");
            HardState = state;
        }

        foreach (Entry entry in entries)
        {
            int at = (int)(entry.Index - BaseIndex) - 1;
            Assert.InRange(at, 0, _entries.Count);
            _entries.RemoveRange(at, _entries.Count - at);
            _entries.Add(MemoryTail.Copy(entry));
        }
    }

    public void Reset(LogIndex index, Term term, Membership membership)
    {
        _entries.Clear();
        (BaseIndex, BaseTerm, BaseMembership) = (index, term, membership);
    }

    public void CutTo(LogIndex index)
    {
        (Term term, Membership membership) = (At(index).Term, MembershipAt(index));
        _entries.RemoveRange(0, (int)(index - BaseIndex));
        (BaseIndex, BaseTerm, BaseMembership) = (index, term, membership);
    }

    public Membership MembershipAt(LogIndex index)
    {
        for (LogIndex i = index; i > BaseIndex; i = i.Previous)
        {
            if (At(i).Membership is { } membership)
            {
                return membership;
            }
        }

        return BaseMembership;
    }

    public RaftStart ToStart()
    {
        List<(LogIndex, Term)> terms = [];
        List<(LogIndex, Membership)> memberships = [];
        Term? last = null;
        foreach (Entry entry in _entries)
        {
            if (entry.Term != last)
            {
                terms.Add((entry.Index, entry.Term));
                last = entry.Term;
            }

            if (entry.Membership is { } membership)
            {
                memberships.Add((entry.Index, membership));
            }
        }

        return new RaftStart(HardState, BaseIndex, BaseTerm, BaseMembership, terms, LastIndex, memberships, CommitHint, Damage)
        {
            IsTermUnwritten = IsTermUnwritten,
        };
    }

    public MemoryTail ToTail()
    {
        MemoryTail tail = new(BaseIndex);
        foreach (Entry entry in _entries)
        {
            tail.Append(entry);
        }

        return tail;
    }
}
