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
                throw WrittenSo();
            }

            rows.Add(row);
        }

        return rows;
    }

    /// <summary>The header's CRC holds, so what can't be read was written so. It is no damage, which would be cut off where it is the last batch.</summary>
    private JournalRefusedException WrittenSo() => new(
        $"{JournalFile.PathOf(Header.FileNumber)}, batch at {Header.FileOffset}: its table is whole and this version of RaftMq can't read it. Start the "
        + "version that wrote it; if this is that version, keep the folder and report a bug. Nothing was changed.");
}
