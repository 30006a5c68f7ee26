using System.Buffers.Binary;
using RaftMq.Raft;
using RaftMq.Storage.Files;
using RaftMq.Storage.Journal;

namespace RaftMq.Storage.Recovery;

/// <summary>
/// Reads one journal file as it may lie on the disk after anything. A header counts only where it says that it lies, in the file that
/// it names, of this store: bytes of an earlier use of the file do not (D-11).
/// </summary>
internal sealed class JournalFileReader(IDiskFile handle, long number, StoreId store, byte[] scratch) : IDisposable
{
    /// <summary>Larger pieces read no faster.</summary>
    public const int ScratchBytes = 1 << 20;

    /// <summary>No header lies at or behind this place.</summary>
    private long _nothingFrom = long.MaxValue;

    public long Number => number;

    public long Length { get; } = handle.Length;

    public void Dispose() => handle.Dispose();

    /// <summary>
    /// The batch that begins at <paramref name="offset"/>, from either copy of its header; else the first one behind it that has a
    /// header; null when there is none up to the end of the file.
    /// </summary>
    public FoundBatch? FindFrom(long offset)
    {
        if (offset >= _nothingFrom)
        {
            return null;
        }

        FoundBatch? found = ReadHeader(offset, offset) ?? ScanFrom(offset);
        if (found is null)
        {
            _nothingFrom = offset;
        }

        return found;
    }

    /// <summary>
    /// Reads a batch's body, mends one bad block where there is one, and says whether it is whole. The bytes are valid until the
    /// buffer is used again.
    /// </summary>
    public bool TryReadBody(FoundBatch found, ref byte[] buffer, out bool mended)
    {
        BatchHeader header = found.Header;
        mended = found.FromCopy;
        if (header.BodyBlocks == 0)
        {
            return true;
        }

        int bodyBytes = header.BodyBlocks * BatchLayout.BlockBytes;
        if (buffer.Length < bodyBytes + BatchLayout.BlockBytes)
        {
            buffer = GC.AllocateUninitializedArray<byte>(bodyBytes + BatchLayout.BlockBytes);
        }

        Span<byte> bytes = buffer.AsSpan(0, bodyBytes + BatchLayout.BlockBytes);
        long bodyOffset = header.FileOffset + ((long)header.HeaderBlocks * BatchLayout.BlockBytes);
        if (handle.Read(bodyOffset, bytes) != bytes.Length)
        {
            return false;
        }

        int bad = -1;
        ReadOnlySpan<byte> checksums = found.Bytes.Span[BatchLayout.FixedHeaderBytes..];
        for (int block = 0; block < header.BodyBlocks; block++)
        {
            if (Checksum(bytes, block) == BinaryPrimitives.ReadUInt32LittleEndian(checksums[(block * sizeof(uint))..]))
            {
                continue;
            }

            if (bad >= 0)
            {
                return false;
            }

            bad = block;
        }

        if (bad < 0)
        {
            return true;
        }

        mended = true;
        return TryMend(bytes, bad, header, BinaryPrimitives.ReadUInt32LittleEndian(checksums[(bad * sizeof(uint))..]));
    }

    private static uint Checksum(ReadOnlySpan<byte> bytes, int block) =>
        Crc32C.Compute(bytes.Slice(block * BatchLayout.BlockBytes, BatchLayout.BlockBytes));

    private static bool TryMend(Span<byte> bytes, int bad, in BatchHeader header, uint checksum)
    {
        Span<byte> parity = bytes[^BatchLayout.BlockBytes..];
        if (Crc32C.Compute(parity) != header.ParityChecksum)
        {
            return false;
        }

        for (int block = 0; block < header.BodyBlocks; block++)
        {
            if (block != bad)
            {
                BlockGuard.Fold(bytes.Slice(block * BatchLayout.BlockBytes, BatchLayout.BlockBytes), parity);
            }
        }

        parity.CopyTo(bytes[(bad * BatchLayout.BlockBytes)..]);
        return Checksum(bytes, bad) == checksum;
    }

    private FoundBatch? ScanFrom(long offset)
    {
        for (long at = offset; at < Length; at += scratch.Length)
        {
            int count = handle.Read(at, scratch);
            for (int inside = 0; inside + BatchLayout.BlockBytes <= count; inside += BatchLayout.BlockBytes)
            {
                if (BinaryPrimitives.ReadUInt32LittleEndian(scratch.AsSpan(inside)) != BatchLayout.Magic)
                {
                    continue;
                }

                // The scratch is used up to here only, so the header may be read on its own.
                FoundBatch? found = ReadHeader(at + inside, offset);
                if (found is not null)
                {
                    return found;
                }
            }
        }

        return null;
    }

    /// <summary>The header whose first or second copy lies at <paramref name="at"/>, of a batch that begins at or after a place.</summary>
    private FoundBatch? ReadHeader(long at, long startsFrom)
    {
        if (at + BatchLayout.BlockBytes > Length)
        {
            return null;
        }

        byte[] bytes = new byte[BatchLayout.BlockBytes];
        if (handle.Read(at, bytes) != bytes.Length || !BatchHeader.TryReadLength(bytes, out int headerBytes)
            || at + headerBytes > Length)
        {
            return null;
        }

        if (headerBytes > bytes.Length)
        {
            if (at > 0 && !IsClaimedHere(BatchHeader.ReadFixed(bytes, headerBytes), at))
            {
                return null;
            }

            bytes = new byte[headerBytes];
            if (handle.Read(at, bytes) != bytes.Length)
            {
                return null;
            }
        }

        if (!BatchHeader.TryRead(bytes.AsSpan(0, headerBytes), out BatchHeader header))
        {
            return null;
        }

        if (header.Store != store)
        {
            RefuseForeignStore(header, at);
            return null;
        }

        if (!IsClaimedHere(header, at) || header.FileOffset < startsFrom || header.FileEnd > Length)
        {
            return null;
        }

        ReadOnlyMemory<byte> whole = bytes.AsMemory(0, headerBytes);
        return new FoundBatch(header, whole, BatchHeader.Hash(whole.Span), at != header.FileOffset);
    }

    /// <summary>
    /// Asked of the first block already, before a long header is read whole: whoever sends records may fill them with blocks that look like heads of
    /// the longest headers, and a scan over a file of those would read all of it again for each.
    /// </summary>
    private bool IsClaimedHere(in BatchHeader header, long at) =>
        header.Store == store
        && (header.FileNumber == number || PlantedBug.RecycledBytesAccepted)
        && (at == header.FileOffset || at == header.CopyOffset);

    /// <summary>Only a header that opens this very file speaks for the folder; inside, foreign bytes are a message's body or refuse.</summary>
    private void RefuseForeignStore(in BatchHeader header, long at)
    {
        if (at == 0 && header.FileOffset == 0 && header.FileNumber == number)
        {
            throw new JournalRefusedException(
                $"{JournalFile.PathOf(number)} belongs to store {header.Store}, this data folder is store {store}. "
                + "Somebody mixed two data folders: put back the journal folder that belongs here; do not delete either.");
        }
    }
}
