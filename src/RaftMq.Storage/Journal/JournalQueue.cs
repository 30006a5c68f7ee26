using System.Runtime.InteropServices;
using RaftMq.Raft;

namespace RaftMq.Storage.Journal;

/// <summary>Records that wait for a batch, in the order in which they came.</summary>
internal sealed class JournalQueue
{
    private readonly List<(JournalRecord Record, BatchRow Row)> _records = [];
    private int _taken;

    /// <summary>How many of the rows that wait have a hard state.</summary>
    private int _hardStates;

    public int Count => _records.Count - _taken;

    public long EntryBytes { get; private set; }

    public void Add(JournalRecord record, in BatchRow row)
    {
        _records.Add((record, row));
        EntryBytes += row.EntryBytes;
        _hardStates += row.Has(RowParts.HardState) ? 1 : 0;
    }

    /// <summary>
    /// How many of the first records make one batch: at least one, then up to the limits. The hard states of all others go along
    /// (<see cref="TakeHardStates"/>), and count in <paramref name="tableBytes"/>.
    /// </summary>
    public void Select(JournalOptions options, out int count, out int tableBytes, out int bodyBytes)
    {
        count = 0;
        tableBytes = 0;
        bodyBytes = 0;
        int hardStates = _hardStates;
        foreach (ref readonly (JournalRecord Record, BatchRow Row) waiting in CollectionsMarshal.AsSpan(_records)[_taken..])
        {
            bool fits = (long)bodyBytes + waiting.Row.EntryBytes <= options.BatchBytesMax && count < options.BatchRecordsMax;
            if (count > 0 && !fits)
            {
                break;
            }

            count++;
            hardStates -= waiting.Row.Has(RowParts.HardState) ? 1 : 0;
            tableBytes += waiting.Row.IsEmpty ? 0 : waiting.Row.Bytes;
            bodyBytes += waiting.Row.EntryBytes;
        }

        tableBytes += hardStates * BatchRow.HardStateRowBytes;
    }

    /// <summary>Moves the first records to a batch, behind the rows it has.</summary>
    public void Take(int count, JournalBatch into)
    {
        foreach (ref readonly (JournalRecord Record, BatchRow Row) waiting in
            CollectionsMarshal.AsSpan(_records).Slice(_taken, count))
        {
            Move(waiting.Record, waiting.Row, into);
        }

        _taken += count;
        if (_taken == _records.Count)
        {
            _records.Clear();
            _taken = 0;
        }
        else if (_taken > 4096 && _taken > _records.Count / 2)
        {
            _records.RemoveRange(0, _taken);
            _taken = 0;
        }
    }

    /// <summary>
    /// The group's end is durable: what it still has here says nothing any more, and must not be written, since a later start may not
    /// see the end (its file is recycled) and would take it for a group that lives. The waiters are told all the same.
    /// </summary>
    public void Silence(GroupId group)
    {
        foreach (ref (JournalRecord Record, BatchRow Row) waiting in CollectionsMarshal.AsSpan(_records)[_taken..])
        {
            if (waiting.Row.Group == group)
            {
                EntryBytes -= waiting.Row.EntryBytes;
                _hardStates -= waiting.Row.Has(RowParts.HardState) ? 1 : 0;
                waiting.Row = new BatchRow { Group = group };
            }
        }
    }

    /// <summary>
    /// Adds the hard states of all records that wait, in their order, as rows of their own: term and vote never wait behind entries. The
    /// records stay and lose them, so that no older one is written after a newer one. A hard state may become durable before entries that
    /// were handed over earlier: those are not acknowledged yet, and a later term or a vote promises nothing about them. Never the other
    /// way round: an entry is of no later term than the hard state that is durable with it or before it.
    /// </summary>
    public void TakeHardStates(JournalBatch into)
    {
        if (_hardStates == 0)
        {
            return;
        }

        foreach (ref (JournalRecord Record, BatchRow Row) waiting in CollectionsMarshal.AsSpan(_records)[_taken..])
        {
            if (waiting.Row.Has(RowParts.HardState))
            {
                into.Rows.Add(waiting.Row.OnlyHardState());
                into.HardStates.Add(waiting.Record);
                waiting.Row = waiting.Row.WithoutHardState();
            }
        }

        _hardStates = 0;
    }

    /// <summary>Bytes of the rows that <see cref="TakeHardStates"/> would add.</summary>
    public int HardStateBytes => _hardStates * BatchRow.HardStateRowBytes;

    /// <summary>A log that begins anew waits; its old entries hold files until then.</summary>
    public bool HasReset
    {
        get
        {
            foreach ((_, BatchRow row) in CollectionsMarshal.AsSpan(_records)[_taken..])
            {
                if (row.Has(RowParts.Reset))
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>Bytes of the rows that <see cref="TakeReleasing"/> would move, not more than <paramref name="countMax"/>.</summary>
    public int ReleasingBytes(int countMax)
    {
        int bytes = 0;
        foreach (int at in Releasing(countMax))
        {
            bytes += _records[at].Row.Bytes;
        }

        return bytes;
    }

    /// <summary>
    /// Moves records that do nothing but release: a durable mark of segments, a log's base, giving up, or the end of a group. What a base
    /// releases is segments: a full disk may have no other room to give. A mark or base does not pass a reset of its group, which would set it
    /// back; and entries that it passes and makes superfluous are not written any more: behind it they would say that the log ends with them.
    /// </summary>
    public void TakeReleasing(JournalBatch into, int countMax)
    {
        List<int> moved = Releasing(countMax);
        if (moved.Count == 0)
        {
            return;
        }

        DropReleased(moved);
        int next = 0;
        int kept = _taken;
        for (int i = _taken; i < _records.Count; i++)
        {
            if (next < moved.Count && moved[next] == i)
            {
                next++;
                Move(_records[i].Record, _records[i].Row, into);
            }
            else
            {
                _records[kept++] = _records[i];
            }
        }

        _records.RemoveRange(kept, _records.Count - kept);
    }

    /// <param name="moved">Go before all that wait.</param>
    private void DropReleased(List<int> moved)
    {
        Span<(JournalRecord Record, BatchRow Row)> records = CollectionsMarshal.AsSpan(_records);
        SortedDictionary<GroupId, LogIndex> released = [];
        int last = moved.Count - 1;
        for (int i = moved[last]; i >= _taken; i--)
        {
            ref BatchRow row = ref records[i].Row;
            LogIndex upTo = released.GetValueOrDefault(row.Group);
            if (last >= 0 && moved[last] == i)
            {
                last--;
                released[row.Group] = LogIndex.Max(upTo, LogIndex.Max(row.SegmentsDurable, row.LogBase));
            }
            else if (row.Has(RowParts.Entries) && row.LastIndex <= upTo)
            {
                Probe.Reached(RareBranch.ReleasedWhileWaiting);
                EntryBytes -= row.EntryBytes;
                row = row.WithoutEntries();
            }
        }
    }

    private List<int> Releasing(int countMax)
    {
        List<int> found = [];
        List<GroupId> reset = [];
        for (int i = _taken; i < _records.Count && found.Count < countMax; i++)
        {
            BatchRow row = _records[i].Row;
            if (row.Has(RowParts.Reset))
            {
                reset.Add(row.Group);
            }

            const RowParts releasing = RowParts.SegmentsDurable | RowParts.LogBase | RowParts.Cut | RowParts.Damaged | RowParts.Deleted;
            bool only = (row.Parts & ~(releasing | RowParts.Commit)) == 0 && (row.Parts & releasing) != 0;
            if (only && !reset.Contains(row.Group))
            {
                found.Add(i);
            }
        }

        return found;
    }

    private void Move(JournalRecord record, in BatchRow row, JournalBatch into)
    {
        into.Records.Add(record);
        if (row.IsEmpty)
        {
            return;
        }

        into.Rows.Add(row);
        for (int i = 0; i < row.EntryCount; i++)
        {
            into.Pieces.Add(record.Entries[i].Bytes);
        }

        EntryBytes -= row.EntryBytes;
        _hardStates -= row.Has(RowParts.HardState) ? 1 : 0;
    }
}
