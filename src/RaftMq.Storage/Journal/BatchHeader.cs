using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using RaftMq.Raft;

namespace RaftMq.Storage.Journal;

[Flags]
internal enum BatchFlags : ushort
{
    None = 0,

    /// <summary>The first batch of a file: its table begins with the state of all groups.</summary>
    OpensFile = 1,

    /// <summary>The first batch of a generation: <see cref="BatchHeader.Cut"/> is set.</summary>
    OpensGeneration = 2,
}

/// <summary>
/// What the first batch of a generation says about the one before (design 4, Restart): everything from <see cref="From"/> on was found
/// again up to <see cref="End"/> and is written anew in this batch; nothing of the older generation counts from there on.
/// </summary>
/// <param name="HashAtFrom">Of the last header before <see cref="From"/>, so that the chain can be followed to there for ever.</param>
/// <param name="HashAtEnd">Of the last header before <see cref="End"/>.</param>
internal readonly record struct GenerationCut(long Generation, long From, long End, ulong HashAtFrom, ulong HashAtEnd);

/// <summary>The fixed part of a batch's header. Positions count the bytes of all journal files since the first; they never repeat.</summary>
/// <param name="FileBytes">The length of the file when it was opened; it never shrinks, so a shorter one was truncated.</param>
/// <param name="FileOffset">Where in its file the batch begins.</param>
/// <param name="DurableUpTo">The position known fsynced when this batch was written.</param>
/// <param name="FirstNeededFile">Files with a smaller number hold nothing that is still needed.</param>
internal readonly record struct BatchHeader(
    BatchFlags Flags,
    StoreId Store,
    long Generation,
    long FileNumber,
    long FileBytes,
    long FileOffset,
    long Position,
    long Sequence,
    ulong PreviousHash,
    long DurableUpTo,
    long FirstNeededFile,
    int HeaderBytes,
    int BodyBytes,
    int RowCount,
    uint ParityChecksum,
    GenerationCut Cut)
{
    public int HeaderBlocks => BatchLayout.Blocks(HeaderBytes);

    public int BodyBlocks => BatchLayout.Blocks(BodyBytes);

    public long BatchBytes => BatchLayout.BatchBytes(HeaderBytes, BodyBlocks);

    public long End => Position + BatchBytes;

    public long FileEnd => FileOffset + BatchBytes;

    /// <summary>Where in the file the second copy of the header lies.</summary>
    public long CopyOffset => FileEnd - ((long)HeaderBlocks * BatchLayout.BlockBytes);

    public bool OpensFile => (Flags & BatchFlags.OpensFile) != 0;

    public bool OpensGeneration => (Flags & BatchFlags.OpensGeneration) != 0;

    /// <summary>Writes the fixed part; block CRCs and table must stand behind it already. Returns the header's hash.</summary>
    public ulong Write(Span<byte> header)
    {
        Invariant.Holds(header.Length == HeaderBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(header, BatchLayout.Magic);
        BinaryPrimitives.WriteUInt16LittleEndian(header[8..], BatchLayout.Version);
        BinaryPrimitives.WriteUInt16LittleEndian(header[10..], (ushort)Flags);
        BinaryPrimitives.WriteInt32LittleEndian(header[12..], HeaderBytes);
        BinaryPrimitives.WriteUInt128LittleEndian(header[16..], Store.Value);
        BinaryPrimitives.WriteInt64LittleEndian(header[32..], Generation);
        BinaryPrimitives.WriteInt64LittleEndian(header[40..], FileNumber);
        BinaryPrimitives.WriteInt64LittleEndian(header[48..], FileOffset);
        BinaryPrimitives.WriteInt64LittleEndian(header[56..], Position);
        BinaryPrimitives.WriteInt64LittleEndian(header[64..], Sequence);
        BinaryPrimitives.WriteUInt64LittleEndian(header[72..], PreviousHash);
        BinaryPrimitives.WriteInt64LittleEndian(header[80..], DurableUpTo);
        BinaryPrimitives.WriteInt64LittleEndian(header[88..], FirstNeededFile);
        BinaryPrimitives.WriteInt32LittleEndian(header[96..], BodyBytes);
        BinaryPrimitives.WriteInt32LittleEndian(header[100..], RowCount);
        BinaryPrimitives.WriteUInt32LittleEndian(header[104..], ParityChecksum);
        BinaryPrimitives.WriteUInt32LittleEndian(header[108..], 0);
        BinaryPrimitives.WriteInt64LittleEndian(header[112..], Cut.Generation);
        BinaryPrimitives.WriteInt64LittleEndian(header[120..], Cut.From);
        BinaryPrimitives.WriteInt64LittleEndian(header[128..], Cut.End);
        BinaryPrimitives.WriteUInt64LittleEndian(header[136..], Cut.HashAtFrom);
        BinaryPrimitives.WriteUInt64LittleEndian(header[144..], Cut.HashAtEnd);
        BinaryPrimitives.WriteInt64LittleEndian(header[152..], FileBytes);
        header[160..BatchLayout.FixedHeaderBytes].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(header[4..], Crc32C.Compute(header[8..]));
        return Hash(header);
    }

    /// <summary>
    /// Length of the whole header that begins with this block, when the block looks like the start of one. The caller then reads the
    /// rest and asks <see cref="TryRead"/>.
    /// </summary>
    public static bool TryReadLength(ReadOnlySpan<byte> block, out int headerBytes)
    {
        headerBytes = 0;
        if (block.Length < BatchLayout.FixedHeaderBytes || BinaryPrimitives.ReadUInt32LittleEndian(block) != BatchLayout.Magic)
        {
            return false;
        }

        headerBytes = BinaryPrimitives.ReadInt32LittleEndian(block[12..]);
        return headerBytes is >= BatchLayout.FixedHeaderBytes and <= BatchLayout.HeaderBytesMax;
    }

    /// <summary>Reads a whole header from any bytes; false when it is not one, or not undamaged.</summary>
    public static bool TryRead(ReadOnlySpan<byte> header, out BatchHeader result)
    {
        result = default;
        if (!TryReadLength(header, out int headerBytes) || header.Length != headerBytes
            || BinaryPrimitives.ReadUInt32LittleEndian(header[4..]) != Crc32C.Compute(header[8..])
            || BinaryPrimitives.ReadUInt16LittleEndian(header[8..]) != BatchLayout.Version)
        {
            return false;
        }

        result = ReadFixed(header, headerBytes);
        return result.BodyBytes >= 0
            && result.RowCount >= 0
            && BatchLayout.TableOffset(result.BodyBlocks) <= headerBytes
            && result.FileOffset >= 0
            && result.FileOffset % BatchLayout.BlockBytes == 0
            && result.Position >= result.FileOffset
            && result.DurableUpTo <= result.Position;
    }

    /// <summary>What the fixed part of a header says, which nothing vouches for.</summary>
    public static BatchHeader ReadFixed(ReadOnlySpan<byte> header, int headerBytes) => new(
        (BatchFlags)BinaryPrimitives.ReadUInt16LittleEndian(header[10..]),
        new StoreId(BinaryPrimitives.ReadUInt128LittleEndian(header[16..])),
        BinaryPrimitives.ReadInt64LittleEndian(header[32..]),
        BinaryPrimitives.ReadInt64LittleEndian(header[40..]),
        BinaryPrimitives.ReadInt64LittleEndian(header[152..]),
        BinaryPrimitives.ReadInt64LittleEndian(header[48..]),
        BinaryPrimitives.ReadInt64LittleEndian(header[56..]),
        BinaryPrimitives.ReadInt64LittleEndian(header[64..]),
        BinaryPrimitives.ReadUInt64LittleEndian(header[72..]),
        BinaryPrimitives.ReadInt64LittleEndian(header[80..]),
        BinaryPrimitives.ReadInt64LittleEndian(header[88..]),
        headerBytes,
        BinaryPrimitives.ReadInt32LittleEndian(header[96..]),
        BinaryPrimitives.ReadInt32LittleEndian(header[100..]),
        BinaryPrimitives.ReadUInt32LittleEndian(header[104..]),
        new GenerationCut(
            BinaryPrimitives.ReadInt64LittleEndian(header[112..]),
            BinaryPrimitives.ReadInt64LittleEndian(header[120..]),
            BinaryPrimitives.ReadInt64LittleEndian(header[128..]),
            BinaryPrimitives.ReadUInt64LittleEndian(header[136..]),
            BinaryPrimitives.ReadUInt64LittleEndian(header[144..])));

    /// <summary>
    /// The link of the chain: 64 bits over the whole header, its CRC included. Not against an adversary; against bytes of another
    /// batch, of another time, or decayed ones.
    /// </summary>
    public static ulong Hash(ReadOnlySpan<byte> header)
    {
        const ulong multiplier = 0x9E3779B97F4A7C15UL;
        ulong hash = (ulong)header.Length * multiplier;
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(header);
        foreach (ulong word in words)
        {
            hash = BitOperations.RotateLeft((hash ^ word) * multiplier, 29);
        }

        foreach (byte rest in header[(words.Length * sizeof(ulong))..])
        {
            hash = BitOperations.RotateLeft((hash ^ rest) * multiplier, 29);
        }

        hash ^= hash >> 32;
        hash *= multiplier;
        return hash ^ (hash >> 29);
    }
}
