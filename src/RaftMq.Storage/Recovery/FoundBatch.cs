using RaftMq.Raft;
using RaftMq.Storage.Journal;

namespace RaftMq.Storage.Recovery;

/// <summary>A batch whose header could be read, from either copy.</summary>
/// <param name="Bytes">The whole header, table included.</param>
internal sealed record FoundBatch(BatchHeader Header, ReadOnlyMemory<byte> Bytes, ulong Hash, bool FromCopy)
{
    public List<BatchRow> Rows()
    {
        List<BatchRow> rows = new(Math.Min(Header.RowCount, 4096));
        ReadOnlySpan<byte> at = Bytes.Span[BatchLayout.TableOffset(Header.BodyBlocks)..];
        for (int i = 0; i < Header.RowCount; i++)
        {
            // The header's CRC holds, so a row that can't be read was written so.
            Invariant.Holds(BatchRow.TryRead(ref at, out BatchRow row));
            rows.Add(row);
        }

        return rows;
    }
}
