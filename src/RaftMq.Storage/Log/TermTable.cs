using RaftMq.Raft;

namespace RaftMq.Storage.Log;

/// <summary>Where a term's entries begin, in both coordinates.</summary>
public readonly record struct TermStart(Term Term, LogIndex First, long FirstOffset);

/// <summary>
/// The terms of a log, ascending: consensus asks which term an index has, Kafka where a leader epoch ends. Terms without an entry do
/// not appear. Survives in checkpoints.
/// </summary>
public sealed class TermTable
{
    private readonly List<TermStart> _starts = [];

    public IReadOnlyList<TermStart> Starts => _starts;

    public Term LastTerm => _starts.Count == 0 ? Term.Zero : _starts[^1].Term;

    /// <summary>The term of an entry, or null below what the table still knows.</summary>
    public Term? TermAt(LogIndex index)
    {
        int at = IndexOf(index);
        return at < 0 ? null : _starts[at].Term;
    }

    /// <summary>
    /// The largest known term at or below <paramref name="term"/> and the offset behind its last record; null when all known terms are
    /// above it (OffsetForLeaderEpoch). <paramref name="nextOffset"/> ends the newest term.
    /// </summary>
    public (Term Term, long EndOffset)? EndOf(Term term, long nextOffset)
    {
        for (int i = _starts.Count - 1; i >= 0; i--)
        {
            if (_starts[i].Term <= term)
            {
                return (_starts[i].Term, i + 1 < _starts.Count ? _starts[i + 1].FirstOffset : nextOffset);
            }
        }

        return null;
    }

    internal void Add(Term term, LogIndex index, long offset)
    {
        Invariant.Holds(term >= LastTerm);
        if (_starts.Count == 0 || term > LastTerm)
        {
            _starts.Add(new TermStart(term, index, offset));
        }
    }

    internal void TruncateFrom(LogIndex index)
    {
        while (_starts.Count > 0 && _starts[^1].First >= index)
        {
            _starts.RemoveAt(_starts.Count - 1);
        }
    }

    /// <summary>Forgets terms that end before <paramref name="first"/>; the one that holds the entry before it stays.</summary>
    internal void CutBefore(LogIndex first)
    {
        int keep = Math.Max(0, IndexOf(first.Previous));
        _starts.RemoveRange(0, keep);
    }

    internal void Reset(IReadOnlyList<TermStart> starts)
    {
        _starts.Clear();
        _starts.AddRange(starts);
    }

    internal List<TermStart> UpTo(LogIndex index) => _starts[..(IndexOf(index) + 1)];

    private int IndexOf(LogIndex index)
    {
        int low = 0;
        int high = _starts.Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_starts[middle].First <= index)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low - 1;
    }
}
