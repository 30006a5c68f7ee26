using RaftMq.Raft;

namespace RaftMq.Simulation.Checkers;

/// <summary>What the journal on a node's medium says of one replica: its term, its vote, and the terms of its log.</summary>
internal sealed class DurableReplica
{
    /// <summary>Where runs of entries of one term begin, ascending.</summary>
    private readonly List<(LogIndex First, Term Term)> _runs = [];

    /// <summary>Nothing is known of the entries up to here.</summary>
    private LogIndex _base;

    private readonly List<LogIndex> _memberships = [];

    /// <summary>Its log before something of it was lost that is not made up for yet.</summary>
    private DurableReplica? _before;

    public Term Term { get; private set; }

    public ReplicaId? Vote { get; private set; }

    public LogIndex Last { get; private set; }

    /// <summary>The newest entry that brought a membership, as far as the log is known; zero without one.</summary>
    public LogIndex Membership => _memberships.Count > 0 ? _memberships[^1] : LogIndex.Zero;

    /// <summary>Its segments are, by the journal.</summary>
    public LogIndex Segments { get; private set; }

    public void HardState(Term term, ReplicaId? vote)
    {
        Term = term;
        Vote = vote;
    }

    public void Entries(LogIndex first, IReadOnlyList<Term> terms, LogIndex? membership)
    {
        if (first > Last.Next)
        {
            // A log that begins here, as far as its journal tells.
            Reset(first.Previous, Term.Zero);
        }

        while (_runs.Count > 0 && _runs[^1].First >= first)
        {
            _runs.RemoveAt(_runs.Count - 1);
        }

        _memberships.RemoveAll(index => index >= first);
        if (membership is { } brought)
        {
            _memberships.Add(brought);
        }

        for (int i = 0; i < terms.Count; i++)
        {
            if (_runs.Count == 0 || _runs[^1].Term != terms[i])
            {
                _runs.Add((first + i, terms[i]));
            }
        }

        Last = first + (terms.Count - 1);
        _base = LogIndex.Min(_base, first.Previous);
    }

    /// <summary>What stood from here on is lost.</summary>
    public void CutAt(LogIndex from)
    {
        if (from <= Last && (_before is null || _before.Last <= Last))
        {
            _before = new DurableReplica { _base = _base, Last = Last };
            _before._runs.AddRange(_runs);
        }

        while (_runs.Count > 0 && _runs[^1].First >= from)
        {
            _runs.RemoveAt(_runs.Count - 1);
        }

        _memberships.RemoveAll(index => index >= from);
        Last = LogIndex.Min(Last, from.Previous);

        // What is told of them from there on is not known there any more.
        Segments = LogIndex.Min(Segments, from.Previous);
        _base = LogIndex.Min(_base, Last);
    }

    /// <summary>What was lost is made up for.</summary>
    public void Healed() => _before = null;

    public void Reset(LogIndex index, Term term)
    {
        _runs.Clear();
        _memberships.Clear();
        _memberships.Add(index);
        _base = index;
        Last = index;
        Segments = LogIndex.Min(Segments, index);
        if (term > Term.Zero)
        {
            _runs.Add((index, term));
            _base = index.Previous;
        }
    }

    public void SegmentsUpTo(LogIndex index)
    {
        Segments = LogIndex.Max(Segments, index);
        if (index > Last)
        {
            // What was lost here is behind the log's start everywhere else: the log goes on behind a base that came from another replica.
            Reset(index, Term.Zero);
        }
    }

    /// <summary>Null where it is not known.</summary>
    public Term? TermAt(LogIndex index)
    {
        if (index <= _base || index > Last)
        {
            return null;
        }

        for (int i = _runs.Count - 1; i >= 0; i--)
        {
            if (_runs[i].First <= index)
            {
                return _runs[i].Term;
            }
        }

        return null;
    }

    /// <summary>
    /// Or held it before it lost it. An acknowledgement of that may still be on its way to a leader, and counts: the replica votes by what it held.
    /// </summary>
    public bool HoldsOrHeld(LogIndex index, Term? term) => Holds(index, term) || _before?.Holds(index, term) == true;

    /// <summary>Or may hold it, for all that is known.</summary>
    public bool Holds(LogIndex index, Term? term) => index <= Last && (term is null || TermAt(index) is not { } there || there == term);
}
