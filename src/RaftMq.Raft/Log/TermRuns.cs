namespace RaftMq.Raft;

/// <summary>
/// The term of every entry above the base, run-length encoded: terms only grow along a log (Raft 5.3), so the first index of each is
/// all there is to know. Look-ups need no I/O, however long the log.
/// </summary>
internal sealed class TermRuns
{
    // Ascending in both; the first run may begin above the base + 1 only when the log is empty (then there is none).
    private readonly List<(LogIndex First, Term Term)> _runs;

    public TermRuns(LogIndex baseIndex, Term baseTerm, IReadOnlyList<(LogIndex First, Term Term)> runs, LogIndex last)
    {
        BaseIndex = baseIndex;
        BaseTerm = baseTerm;
        LastIndex = last;
        _runs = [.. runs];
        Invariant.Holds(last >= baseIndex);
        Invariant.Holds(_runs.Count > 0 == last > baseIndex);
        for (int i = 0; i < _runs.Count; i++)
        {
            Invariant.Holds(_runs[i].First <= last);
            Invariant.Holds(i == 0 ? _runs[i].First == baseIndex.Next : _runs[i].First > _runs[i - 1].First);
            Invariant.Holds(i == 0 ? _runs[i].Term >= baseTerm : _runs[i].Term > _runs[i - 1].Term);
        }
    }

    public LogIndex BaseIndex { get; private set; }

    public Term BaseTerm { get; private set; }

    public LogIndex LastIndex { get; private set; }

    public Term LastTerm => _runs.Count > 0 ? _runs[^1].Term : BaseTerm;

    public void Append(LogIndex index, Term term)
    {
        Invariant.Holds(index == LastIndex.Next);
        Invariant.Holds(term >= LastTerm);
        if (_runs.Count == 0 || term > LastTerm)
        {
            _runs.Add((index, term));
        }

        LastIndex = index;
    }

    public void TruncateFrom(LogIndex index)
    {
        Invariant.Holds(index > BaseIndex);
        Invariant.Holds(index <= LastIndex);
        while (_runs.Count > 0 && _runs[^1].First >= index)
        {
            _runs.RemoveAt(_runs.Count - 1);
        }

        LastIndex = index.Previous;
    }

    /// <summary>Entries up to <paramref name="index"/> leave the log; it stays known what term that one had.</summary>
    public void CutTo(LogIndex index)
    {
        Invariant.Holds(index >= BaseIndex);
        Invariant.Holds(index <= LastIndex);
        Term term = TermAt(index)!.Value;
        int gone = 0;
        while (gone < _runs.Count && LastOf(gone) <= index)
        {
            gone++;
        }

        _runs.RemoveRange(0, gone);
        if (_runs.Count > 0 && _runs[0].First <= index)
        {
            _runs[0] = (index.Next, _runs[0].Term);
        }

        (BaseIndex, BaseTerm) = (index, term);
    }

    /// <summary>A snapshot takes the place of the whole log.</summary>
    public void ResetTo(LogIndex index, Term term)
    {
        _runs.Clear();
        (BaseIndex, BaseTerm, LastIndex) = (index, term, index);
    }

    /// <summary>Null below the base and above the end.</summary>
    public Term? TermAt(LogIndex index)
    {
        if (index == BaseIndex)
        {
            return BaseTerm;
        }

        if (index < BaseIndex || index > LastIndex)
        {
            return null;
        }

        return _runs[RunOf(index)].Term;
    }

    /// <summary>
    /// The largest index, at most <paramref name="from"/> and the end, whose term is at most <paramref name="term"/>; the base's when
    /// there is none. Where two logs differ they can agree at the earliest there (Raft 5.3, the optimisation).
    /// </summary>
    public LogIndex LastWithTermAtMost(LogIndex from, Term term)
    {
        LogIndex index = LogIndex.Min(from, LastIndex);
        for (int run = index > BaseIndex ? RunOf(index) : -1; run >= 0 && _runs[run].Term > term; run--)
        {
            index = _runs[run].First.Previous;
        }

        return index;
    }

    // From the end: what is asked for is nearly always new.
    private int RunOf(LogIndex index)
    {
        int run = _runs.Count - 1;
        if (_runs[run].First <= index)
        {
            return run;
        }

        int low = 0;
        while (low < run)
        {
            int middle = (low + run + 1) / 2;
            if (_runs[middle].First <= index)
            {
                low = middle;
            }
            else
            {
                run = middle - 1;
            }
        }

        return low;
    }

    private LogIndex LastOf(int run) => run + 1 < _runs.Count ? _runs[run + 1].First.Previous : LastIndex;
}
