using RaftMq.Raft;
using RaftMq.Storage.Journal;

namespace RaftMq.Storage.Tests.Log;

/// <summary>
/// A journal in memory: records become durable one by one when the harness says so, a crash keeps the durable ones and any number of
/// the next, and the oldest go when no group needs them, as the real one's files do. Entry bytes are read as late as possible.
/// </summary>
internal sealed class FakeJournal : IJournal
{
    private readonly List<(JournalRecord Record, List<byte[]>? Entries)> _records = [];
    private int _durable;

    /// <summary>What the head of the oldest file says of the group.</summary>
    private HardState _hardState;
    private LogIndex _commit;
    private LogIndex _mark;
    private LogIndex _base;
    private (LogIndex Index, Term Term)? _reset;
    private bool _deleted;

    /// <summary>What the durable records say the log is, from index 1 on: recovery must come to the same.</summary>
    public List<byte[]> Shadow { get; } = [];

    /// <summary>The entries that a snapshot stands for.</summary>
    public Func<LogIndex, IEnumerable<byte[]>> Before { get; set; } = _ => [];

    public bool HasNoRoom => false;

    public bool IsAtHardLimit => false;

    public bool IsFull => false;

    public int Count => _records.Count;

    /// <summary>Durable or on their way.</summary>
    public IReadOnlyList<JournalRecord> Records => [.. _records.Select(static record => record.Record)];

    public int DurableCount => _durable;

    public void Append(JournalRecord record) => _records.Add((record, null));

    public void Flush()
    {
    }

    /// <summary>The next record is written: its bytes are taken now.</summary>
    public bool Step()
    {
        if (_durable == _records.Count)
        {
            return false;
        }

        JournalRecord record = Take(_durable);
        _durable++;
        record.Waiter?.Written(record);
        return true;
    }

    public override string ToString() =>
        $"head(mark {_mark} commit {_commit} reset {_reset}) " + string.Join(' ', _records.Select(r =>
            $"[{(r.Record.Entries.Count > 0 ? $"{r.Record.Entries[0].Index}..{r.Record.Entries[^1].Index}" : "")} c{r.Record.Commit} d{r.Record.SegmentsDurable} r{r.Record.Reset}]"));

    /// <summary>The process or the machine died.</summary>
    public void Crash(RandomSource random)
    {
        int kept = _durable + random.Next(_records.Count - _durable + 1);
        for (int i = _durable; i < kept; i++)
        {
            _ = Take(i);
        }

        _records.RemoveRange(kept, _records.Count - kept);
        _durable = kept;
    }

    private JournalRecord Take(int at)
    {
        JournalRecord record = _records[at].Record;
        List<byte[]> bytes = [.. record.Entries.Select(entry => entry.Bytes.ToArray())];
        _records[at] = (record, bytes);
        if (record.Reset is { } reset)
        {
            Shadow.Clear();
            Shadow.AddRange(Before(reset.Index));
        }

        if (bytes.Count > 0)
        {
            int first = (int)record.Entries[0].Index.Value - 1;
            Shadow.RemoveRange(first, Shadow.Count - first);
            Shadow.AddRange(bytes);
        }

        return record;
    }

    /// <summary>The last entry that the first <paramref name="count"/> records hold and that is still needed of them.</summary>
    public LogIndex NeededOf(int count)
    {
        LogIndex needed = LogIndex.Zero;
        LogIndex mark = _mark;
        LogIndex replacedFrom = new(long.MaxValue);
        for (int i = _durable - 1; i >= 0; i--)
        {
            JournalRecord record = _records[i].Record;
            mark = LogIndex.Max(mark, record.SegmentsDurable ?? LogIndex.Zero);
            if (i < count && record.Entries.Count > 0)
            {
                LogIndex last = LogIndex.Min(record.Entries[^1].Index, replacedFrom.Previous);
                needed = last >= record.Entries[0].Index ? LogIndex.Max(needed, last) : needed;
            }

            if (record.Entries.Count > 0)
            {
                replacedFrom = LogIndex.Min(replacedFrom, record.Entries[0].Index);
            }

            if (record.Reset is not null || record.Deleted)
            {
                break;
            }
        }

        return needed > mark ? needed : LogIndex.Zero;
    }

    /// <summary>The oldest records' file is recycled.</summary>
    public void Recycle(int count)
    {
        for (int i = 0; i < count; i++)
        {
            JournalRecord record = _records[i].Record;
            _hardState = record.HardState ?? _hardState;
            _commit = LogIndex.Max(_commit, record.Commit);
            _mark = LogIndex.Max(_mark, record.SegmentsDurable ?? LogIndex.Zero);
            _base = LogIndex.Max(_base, record.LogBase ?? LogIndex.Zero);
            _reset = record.Reset ?? _reset;
            _mark = LogIndex.Max(_mark, record.Reset?.Index ?? LogIndex.Zero);
            _deleted |= record.Deleted;
        }

        _records.RemoveRange(0, count);
        _durable -= count;
    }

    public void Replay(GroupId group, IJournalReplay replay)
    {
        if (_hardState != default || _commit > LogIndex.Zero || _mark > LogIndex.Zero || _reset is not null || _deleted)
        {
            Tell(group, replay, _hardState, _reset, _mark, _base, _commit, _deleted);
        }

        foreach ((JournalRecord record, List<byte[]>? bytes) in _records)
        {
            Tell(group, replay, record.HardState, record.Reset, LogIndex.Zero, LogIndex.Zero, LogIndex.Zero, deleted: false);
            if (bytes!.Count > 0)
            {
                replay.Entries(group, [.. record.Entries.Select((entry, i) => entry with { Bytes = bytes[i], Membership = null })]);
            }

            Tell(group, replay, null, null, record.SegmentsDurable ?? LogIndex.Zero, record.LogBase ?? LogIndex.Zero, record.Commit, record.Deleted);
        }
    }

    private static void Tell(
        GroupId group, IJournalReplay replay, HardState? hardState, (LogIndex Index, Term Term)? reset, LogIndex mark, LogIndex logBase, LogIndex commit, bool deleted)
    {
        if (hardState is { } state)
        {
            replay.HardState(group, state);
        }

        if (reset is { } known)
        {
            replay.Reset(group, known.Index, known.Term, keepsEntries: false);
        }

        if (mark > LogIndex.Zero)
        {
            replay.SegmentsDurable(group, mark);
        }

        if (logBase > LogIndex.Zero)
        {
            replay.LogBase(group, logBase);
        }

        if (commit > LogIndex.Zero)
        {
            replay.Commit(group, commit);
        }

        if (deleted)
        {
            replay.Deleted(group);
        }
    }
}
