using RaftMq.Raft;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Log;

namespace RaftMq.Storage.Recovery;

/// <summary>
/// Carries batches into the ledger and to the groups, in the order of the journal, with what is lost between them. What that means for a group
/// is known once all is read: much of it was released or replaced since.
/// </summary>
internal sealed class ReplaySink(JournalLedger ledger, IJournalReplay replay)
{
    private const string Earlier = "an earlier start found durable bytes of the journal damaged, and that is not made up for yet";

    private readonly List<Entry> _entries = [];

    /// <summary>What was said of each group's losses; the first that counts stands for all.</summary>
    private readonly SortedDictionary<GroupId, string> _reports = [];

    /// <summary>Tables are lost, and no file was opened since, which would have told the state of all groups.</summary>
    private string? _hole;

    /// <summary>A batch whose table was read. <paramref name="body"/> is null where its entries can't be.</summary>
    public void Batch(FoundBatch found, ReadOnlyMemory<byte>? body, JournalFile file)
    {
        List<BatchRow> rows = found.Rows();
        if (found.Header.OpensFile)
        {
            Opened(rows, file);
        }

        int at = 0;
        foreach (BatchRow row in rows)
        {
            GroupLedger group = GroupOf(row);
            if (group.Deleted)
            {
                // Said already.
            }
            else if (row.Has(RowParts.State))
            {
                State(group, row, file);
            }
            else
            {
                Change(group, row, body?.Slice(at, row.EntryBytes), file, found.Header);
            }

            at += row.EntryBytes;
        }
    }

    /// <summary>Bytes are damaged together with their tables: whatever they said, of whatever group.</summary>
    public void Hole(string report)
    {
        _hole ??= report;
        foreach (GroupLedger group in ledger.Groups)
        {
            if (!group.Deleted)
            {
                group.Suspect();
                Report(group, report);
                replay.Suspect(group.Group, group.SuspectFrom!.Value);
            }
        }
    }

    /// <summary>The journal was read to its end.</summary>
    /// <param name="keptBelowFile">The number of the file that this start opens: those below are all that is left of what is lost.</param>
    public void End(long keptBelowFile)
    {
        if (_hole is { } hole)
        {
            foreach (GroupId group in replay.Groups)
            {
                if (ledger.Find(group) is null)
                {
                    Unknown(ledger.GetOrAdd(group), hole);
                }
            }
        }

        foreach (GroupLedger group in ledger.Groups)
        {
            if (group.Deleted)
            {
                continue;
            }

            bool isNew = group.Damage is null or { KeptBelowFile: 0 };
            group.Conclude(keptBelowFile, out LogIndex? cutFrom);
            if (group.Damage is { } damage)
            {
                replay.Damaged(group.Group, cutFrom, damage, isNew ? ReportOf(group.Group, cutFrom) : Earlier);
            }
        }
    }

    private string ReportOf(GroupId group, LogIndex? cutFrom) =>
        _reports.GetValueOrDefault(group) ?? $"no journal file and no segment holds entry {cutFrom}";

    /// <summary>A group that the journal names for the first time behind a hole: how its log begins went with that.</summary>
    private GroupLedger GroupOf(in BatchRow row)
    {
        if (ledger.Find(row.Group) is { } known)
        {
            return known;
        }

        GroupLedger group = ledger.GetOrAdd(row.Group);
        if (_hole is { } hole && !row.Has(RowParts.State))
        {
            Unknown(group, hole);
        }

        return group;
    }

    private void Unknown(GroupLedger group, string hole)
    {
        Report(group, hole);
        if (replay.HasNoFiles(group.Group))
        {
            group.SuspectFromFirst();
            replay.Suspect(group.Group, group.SuspectFrom!.Value);
        }
        else
        {
            group.SuspectAll();
        }
    }

    /// <summary>A file's first batch tells the state of all groups. One that is not among them any more was deleted in the hole before.</summary>
    private void Opened(List<BatchRow> rows, JournalFile file)
    {
        if (_hole is not null)
        {
            SortedSet<GroupId> named = [.. rows.Where(row => row.Has(RowParts.State)).Select(row => row.Group)];
            foreach (GroupLedger group in ledger.Groups)
            {
                if (!group.Deleted && !named.Contains(group.Group))
                {
                    BatchRow deleted = new() { Group = group.Group, Parts = RowParts.Deleted };
                    group.Apply(deleted, file);
                    Tell(group.Group, deleted);
                }
            }

            _hole = null;
        }

        ledger.NamedBy(file);
    }

    private void State(GroupLedger group, in BatchRow row, JournalFile file)
    {
        // What the journal told already is not told again: in an undamaged journal that is everything but the first file's states.
        bool isNew = group.NewestFile is null;
        bool isSuspect = group.SuspectFrom is not null || group.IsUnknown;
        bool resetIsNews = isNew || (isSuspect && row.Has(RowParts.Reset) && group.Reset != (row.ResetIndex, row.ResetTerm));
        BatchRow news = row with
        {
            Parts = row.Parts
                & ~(resetIsNews ? 0 : RowParts.Reset)
                & ~(group.HardState == row.HardState ? RowParts.HardState : 0)
                & ~(group.SegmentsDurable >= row.SegmentsDurable && !isNew ? RowParts.SegmentsDurable : 0)
                & ~(group.LogBase >= row.LogBase ? RowParts.LogBase : 0)
                & ~(group.Commit >= row.Commit ? RowParts.Commit : 0),
        };
        bool resetIsLate = !resetIsNews && row.Has(RowParts.Reset) && group.Reset != (row.ResetIndex, row.ResetTerm);
        group.ApplyState(news, row, file);
        Tell(group.Group, news);
        if (resetIsLate)
        {
            group.ResetBefore(row.ResetIndex, row.ResetTerm);
            replay.Reset(group.Group, row.ResetIndex, row.ResetTerm, keepsEntries: true);
        }

        if (!TellLost(group) && isSuspect && group.SuspectFrom is null)
        {
            replay.Settled(group.Group);
        }
    }

    private void Change(GroupLedger group, in BatchRow row, ReadOnlyMemory<byte>? bytes, JournalFile file, in BatchHeader header)
    {
        if (!row.Has(RowParts.Entries))
        {
            Apply(group, row, file);
            return;
        }

        const RowParts first = RowParts.HardState | RowParts.Vote | RowParts.Reset;
        BatchRow rest = row.WithoutEntries();
        Apply(group, rest with { Parts = rest.Parts & first }, file);
        string? fault = bytes is { } body ? FaultOf(group.Group, row, body) : $"entries {row.FirstIndex} to {row.LastIndex} are damaged";
        if (fault is null)
        {
            if (group.LastIndex.Next < row.FirstIndex)
            {
                Report(group, $"the journal holds entries {group.LastIndex} and {row.FirstIndex} but none between: "
                    + $"{file.Path}, batch at {header.FileOffset}");
            }

            group.Apply(row with { Parts = RowParts.Entries }, file);
            TellLost(group);
            replay.Entries(group.Group, _entries);
        }
        else
        {
            Report(group, $"{fault}: {file.Path}, batch at {header.FileOffset}");
            group.LoseEntries(row);
            TellLost(group);
        }

        Apply(group, rest with { Parts = rest.Parts & ~first }, file);
    }

    private void Apply(GroupLedger group, in BatchRow row, JournalFile file)
    {
        group.Apply(row, file);
        Tell(group.Group, row);
        TellLost(group);
    }

    private bool TellLost(GroupLedger group)
    {
        bool any = false;
        foreach ((LogIndex first, LogIndex last) in group.TakeLost())
        {
            replay.Lost(group.Group, first, last);
            any = true;
        }

        return any;
    }

    private void Tell(GroupId group, in BatchRow row)
    {
        if (row.Has(RowParts.HardState))
        {
            replay.HardState(group, row.HardState);
        }

        if (row.Has(RowParts.Reset))
        {
            replay.Reset(group, row.ResetIndex, row.ResetTerm, keepsEntries: false);
        }

        if (row.Has(RowParts.SegmentsDurable))
        {
            replay.SegmentsDurable(group, row.SegmentsDurable);
        }

        if (row.Has(RowParts.LogBase))
        {
            replay.LogBase(group, row.LogBase);
        }

        if (row.Has(RowParts.Commit))
        {
            replay.Commit(group, row.Commit);
        }

        if (row.Has(RowParts.Deleted))
        {
            replay.Deleted(group);
        }
    }

    /// <summary>Reads the entries of a row. Null when all are what the table says.</summary>
    private string? FaultOf(GroupId group, in BatchRow row, ReadOnlyMemory<byte> bytes)
    {
        _entries.Clear();
        LogIndex next = row.FirstIndex;
        while (!bytes.IsEmpty)
        {
            // The blocks' CRCs hold; an entry that does not is one that was already broken when it was handed to the journal.
            if (!EntryLayout.TryRead(bytes.Span, out EntryHeader header) || header.Index != next || !header.Group.IsLifeOf(group)
                || !StoredEntry.TryToEntry(bytes[..header.LengthBytes], out Entry entry))
            {
                return $"entry {next} is not what its table says";
            }

            _entries.Add(entry);
            bytes = bytes[header.LengthBytes..];
            next = next.Next;
        }

        return next == row.LastIndex.Next ? null : $"entries end before {next} and not behind {row.LastIndex}";
    }

    private void Report(GroupLedger group, string report) => _reports.TryAdd(group.Group, report);
}
