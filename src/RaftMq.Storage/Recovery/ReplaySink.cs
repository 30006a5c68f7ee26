using RaftMq.Raft;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Log;

namespace RaftMq.Storage.Recovery;

/// <summary>Carries batches into the ledger and to the groups, in the order of the journal, and keeps back what is not theirs to see.</summary>
internal sealed class ReplaySink(JournalLedger ledger, IJournalReplay replay)
{
    private readonly List<Entry> _entries = [];

    /// <summary>A batch that was read whole. <paramref name="body"/> is null where the entries were lost to damage.</summary>
    public void Batch(FoundBatch found, ReadOnlyMemory<byte>? body, JournalFile file)
    {
        if ((found.Header.Flags & BatchFlags.DamageUnknown) != 0 && !ledger.DamageUnknown)
        {
            DamageUnknown("an earlier start found a damaged journal batch whose table is lost; it was not healed since");
        }

        if (found.Header.OpensFile)
        {
            ledger.NamedBy(file);
        }

        int at = 0;
        foreach (BatchRow row in found.Rows())
        {
            GroupLedger group = ledger.GetOrAdd(row.Group);
            if (group.Deleted)
            {
                at += row.EntryBytes;
                continue;
            }

            if (row.Has(RowParts.State))
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

    /// <summary>The end of the journal: entries that never found what goes before them are damage.</summary>
    public void End()
    {
        foreach (GroupLedger group in ledger.Groups)
        {
            if (group.HasGap && !group.Deleted && !group.Damaged)
            {
                Damaged(group, $"the journal holds entries from {group.Runs[0].First} on, segments up to "
                    + $"{group.SegmentsDurable}, and nothing between");
            }
        }
    }

    public void DamageUnknown(string report)
    {
        ledger.DamageUnknown = true;
        replay.DamagedUnknown(report);
    }

    private void State(GroupLedger group, in BatchRow row, JournalFile file)
    {
        // What the journal told already is not told again: in an undamaged journal that is everything but the first file's states.
        bool isNew = group.NewestFile is null;
        BatchRow news = row with
        {
            Parts = row.Parts
                & ~(isNew ? 0 : RowParts.Reset)
                & ~(group.HardState == row.HardState ? RowParts.HardState : 0)
                & ~(group.SegmentsDurable >= row.SegmentsDurable && !isNew ? RowParts.SegmentsDurable : 0)
                & ~(group.LogBase >= row.LogBase ? RowParts.LogBase : 0)
                & ~(group.Commit >= row.Commit ? RowParts.Commit : 0),
        };
        bool wasDamaged = group.Damaged;
        group.Apply(news, file);
        Tell(group.Group, news);
        TellDamage(group, wasDamaged);
    }

    private void TellDamage(GroupLedger group, bool wasDamaged)
    {
        if (group.Damaged && !wasDamaged)
        {
            replay.Damaged(group.Group, "an earlier start found durable bytes in the journal damaged; not healed since");
        }
    }

    private void Change(GroupLedger group, in BatchRow row, ReadOnlyMemory<byte>? bytes, JournalFile file, in BatchHeader header)
    {
        if (!row.Has(RowParts.Entries))
        {
            bool wasDamaged = group.Damaged;
            group.Apply(row, file);
            Tell(group.Group, row);
            TellDamage(group, wasDamaged);
            return;
        }

        BatchRow rest = row with { Parts = row.Parts & ~RowParts.Entries, EntryCount = 0, EntryBytes = 0 };
        BatchRow before = rest with { Parts = rest.Parts & (RowParts.HardState | RowParts.Vote | RowParts.Reset) };
        BatchRow after = rest with { Parts = rest.Parts & ~(RowParts.HardState | RowParts.Vote | RowParts.Reset) };
        BatchRow entries = row with { Parts = RowParts.Entries };
        group.Apply(before, file);
        Tell(group.Group, before);
        if (bytes is null)
        {
            Damaged(group, $"entries {row.FirstIndex} to {row.LastIndex} (term {row.LastTerm}) are damaged: "
                + $"{file.Path}, batch at {header.FileOffset}");
        }
        else if (group.Damaged)
        {
            group.Apply(entries, file); // Kept for its healing, told to nobody.
        }
        else if (!group.CanHold(row.FirstIndex))
        {
            Damaged(group, $"the journal holds entries {group.LastIndex} and {row.FirstIndex} but none between: "
                + $"{file.Path}, batch at {header.FileOffset}");
        }
        else
        {
            group.Apply(entries, file);
            TellEntries(group, row, bytes.Value, file, header);
        }

        group.Apply(after, file);
        Tell(group.Group, after);
    }

    private void Tell(GroupId group, in BatchRow row)
    {
        if (row.Has(RowParts.HardState))
        {
            replay.HardState(group, row.HardState);
        }

        if (row.Has(RowParts.Reset))
        {
            replay.Reset(group, row.ResetIndex, row.ResetTerm);
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

    private void TellEntries(GroupLedger group, in BatchRow row, ReadOnlyMemory<byte> bytes, JournalFile file, in BatchHeader header)
    {
        _entries.Clear();
        LogIndex next = row.FirstIndex;
        while (!bytes.IsEmpty)
        {
            // The blocks' CRCs hold; an entry that does not is one that was already broken when it was handed to the journal.
            if (!EntryLayout.TryRead(bytes.Span, out EntryHeader entry) || entry.Index != next || entry.Group != group.Group)
            {
                Damaged(group, $"entry {next} is not what its table says: {file.Path}, batch at {header.FileOffset}");
                return;
            }

            _entries.Add(StoredEntry.ToEntry(bytes[..entry.LengthBytes]));
            bytes = bytes[entry.LengthBytes..];
            next = next.Next;
        }

        Invariant.Holds(next == row.LastIndex.Next);
        replay.Entries(group.Group, _entries);
    }

    private void Damaged(GroupLedger group, string report)
    {
        group.MarkDamaged();
        replay.Damaged(group.Group, report);
    }
}
