using System.Runtime.InteropServices;
using RaftMq.Raft;

namespace RaftMq.Storage.Journal;

/// <summary>Records that wait for a batch, in the order in which they came.</summary>
internal sealed class JournalQueue
{
    private readonly List<(JournalRecord Record, BatchRow Row)> _records = [];
    private int _taken;

    public int Count => _records.Count - _taken;

    public long EntryBytes { get; private set; }

    public void Add(JournalRecord record, in BatchRow row)
    {
        _records.Add((record, row));
        EntryBytes += row.EntryBytes;
    }

    /// <summary>How many of the first records make one batch: at least one, then up to the limits.</summary>
    public void Select(JournalOptions options, out int count, out int tableBytes, out int bodyBytes)
    {
        count = 0;
        tableBytes = 0;
        bodyBytes = 0;
        foreach (ref readonly (JournalRecord Record, BatchRow Row) waiting in CollectionsMarshal.AsSpan(_records)[_taken..])
        {
            bool fits = (long)bodyBytes + waiting.Row.EntryBytes <= options.BatchBytesMax && count < options.BatchRecordsMax;
            if (count > 0 && !fits)
            {
                return;
            }

            count++;
            tableBytes += waiting.Row.IsEmpty ? 0 : waiting.Row.Bytes;
            bodyBytes += waiting.Row.EntryBytes;
        }
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
                waiting.Row = new BatchRow { Group = group };
            }
        }
    }

    /// <summary>
    /// Moves records that do nothing but release: a durable mark of segments or the end of a group. A mark does not pass a reset of
    /// its group, which would set it back.
    /// </summary>
    public void TakeReleasing(JournalBatch into, int countMax)
    {
        List<GroupId> reset = [];
        int kept = _taken;
        for (int i = _taken; i < _records.Count; i++)
        {
            (JournalRecord record, BatchRow row) = _records[i];
            if (row.Has(RowParts.Reset))
            {
                reset.Add(row.Group);
            }

            const RowParts releasing = RowParts.SegmentsDurable | RowParts.Deleted;
            bool only = (row.Parts & ~(releasing | RowParts.Commit)) == 0 && (row.Parts & releasing) != 0;
            if (only && into.Rows.Count < countMax && !reset.Contains(row.Group))
            {
                Move(record, row, into);
            }
            else
            {
                _records[kept++] = _records[i];
            }
        }

        _records.RemoveRange(kept, _records.Count - kept);
    }

    /// <summary>Undoes <see cref="TakeReleasing"/>.</summary>
    public void PutBack(JournalBatch batch)
    {
        for (int i = 0; i < batch.Records.Count; i++)
        {
            _records.Insert(_taken + i, (batch.Records[i], batch.Rows[i]));
        }

        batch.Clear();
    }

    private void Move(JournalRecord record, in BatchRow row, JournalBatch into)
    {
        into.Records.Add(record);
        if (row.IsEmpty)
        {
            return;
        }

        into.Rows.Add(row);
        for (int i = 0; i < record.Entries.Count; i++)
        {
            into.Pieces.Add(record.Entries[i].Bytes);
        }

        EntryBytes -= row.EntryBytes;
    }
}
