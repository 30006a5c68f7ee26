using RaftMq.Raft;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Log;

namespace RaftMq.Simulation.Checkers;

/// <summary>Reads the batches in journal bytes that a sync has made durable, and tells the history what they say.</summary>
internal static class JournalReading
{
    public static void Tell(ReadOnlySpan<byte> bytes, NodeId node, History history)
    {
        for (int at = 0; at + BatchLayout.BlockBytes <= bytes.Length;)
        {
            ReadOnlySpan<byte> rest = bytes[at..];
            if (BatchHeader.TryReadLength(rest[..BatchLayout.BlockBytes], out int headerBytes) && headerBytes <= rest.Length
                && BatchHeader.TryRead(rest[..headerBytes], out BatchHeader header) && header.BatchBytes <= rest.Length)
            {
                Tell(header, rest, new ReplicaId(node, header.Store), history);
                at += (int)header.BatchBytes;
            }
            else
            {
                at += BatchLayout.BlockBytes;
            }
        }
    }

    private static void Tell(in BatchHeader header, ReadOnlySpan<byte> batch, ReplicaId by, History history)
    {
        ReadOnlySpan<byte> table = batch[BatchLayout.TableOffset(header.BodyBlocks)..header.HeaderBytes];
        ReadOnlySpan<byte> body = batch.Slice(header.HeaderBlocks * BatchLayout.BlockBytes, header.BodyBytes);
        for (int i = 0; i < header.RowCount && BatchRow.TryRead(ref table, out BatchRow row); i++)
        {
            if (row.Has(RowParts.Reset))
            {
                history.Add(new HistoryEvent.ResetDurable(by, row.Group, row.ResetIndex, row.ResetTerm, row.Has(RowParts.State)));
            }

            if (row.Has(RowParts.HardState))
            {
                history.Add(new HistoryEvent.HardStateDurable(by, row.Group, row.HardState.Term, row.HardState.Vote));
            }

            if (row.Has(RowParts.SegmentsDurable))
            {
                history.Add(new HistoryEvent.SegmentsDurable(by, row.Group, row.SegmentsDurable));
            }

            if (row.Has(RowParts.Cut | RowParts.Damaged))
            {
                // A start whose first batch no sync confirmed is followed by one that tells only where the log ends since.
                LogIndex? from = row.Has(RowParts.Cut) ? row.CutFrom : row.Has(RowParts.State) ? row.EndIndex.Next : null;
                history.Add(new HistoryEvent.LossDurable(by, row.Group, from, row.Has(RowParts.Damaged), row is { Damage.HardStateLost: true }));
            }

            if (row.Has(RowParts.Healed))
            {
                history.Add(new HistoryEvent.HealedDurable(by, row.Group));
            }

            if (row.Has(RowParts.Entries) && !row.Has(RowParts.State))
            {
                TellEntries(row, body[..row.EntryBytes], by, history);
                body = body[row.EntryBytes..];
            }
        }
    }

    private static void TellEntries(in BatchRow row, ReadOnlySpan<byte> bytes, ReplicaId by, History history)
    {
        Term[] terms = new Term[row.EntryCount];
        LogIndex? membership = null;
        for (int i = 0; i < terms.Length; i++)
        {
            if (!EntryLayout.TryRead(bytes, out EntryHeader entry) || entry.Index != row.FirstIndex + i)
            {
                history.Add(new HistoryEvent.BrokenEntryDurable(by, row.Group, row.FirstIndex + (i - 1)));
                return;
            }

            terms[i] = entry.Term;
            membership = entry.Kind == EntryKind.Membership ? entry.Index : membership;
            bytes = bytes[entry.LengthBytes..];
        }

        history.Add(new HistoryEvent.EntriesDurable(by, row.Group, row.FirstIndex, terms, membership));
    }
}
