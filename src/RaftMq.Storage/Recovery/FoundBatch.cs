using RaftMq.Storage.Journal;

namespace RaftMq.Storage.Recovery;

/// <summary>A batch whose header could be read, from either copy.</summary>
/// <param name="Bytes">The whole header, table included.</param>
internal sealed record FoundBatch(BatchHeader Header, ReadOnlyMemory<byte> Bytes, ulong Hash, bool FromCopy)
{
    /// <exception cref="JournalRefusedException">The table is not one of this version.</exception>
    public List<BatchRow> Rows()
    {
        List<BatchRow> rows = new(Math.Min(Header.RowCount, 4096));
        ReadOnlySpan<byte> at = Bytes.Span[BatchLayout.TableOffset(Header.BodyBlocks)..];
        long entryBytes = 0;
        for (int i = 0; i < Header.RowCount; i++)
        {
            if (!BatchRow.TryRead(ref at, out BatchRow row) || (entryBytes += row.EntryBytes) > Header.BodyBytes)
            {
                throw JournalRefusedException.WrittenSo(Header, "its table is whole and this version of RaftMq can't read it");
            }

            rows.Add(row);
        }

        return rows;
    }
}
