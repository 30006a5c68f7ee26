using System.Buffers.Binary;
using RaftMq.Raft;

namespace RaftMq.Storage.Log;

/// <summary>
/// The header of a stored entry; docs/on-disk.md shows it byte by byte. Little-endian.
/// <code>
///  0  u32 length of the whole entry, header included
///  4  u32 CRC-32C of bytes 8..63 and of the guarded part of the payload
///  8  u8  version (1)
///  9  u8  kind
/// 10  u16 flags
/// 12  i32 term
/// 16  i64 index
/// 24  i64 base offset: the offset of its first record; without records, of the next one
/// 32  i32 record count: offsets that the entry takes
/// 36  u32 guarded bytes: how many of the payload's first bytes the CRC covers
/// 40  i64 timestamp, ms since 1970: the greatest of its records, or the leader's clock
/// 48  u128 group incarnation
/// 64  payload
/// </code>
/// A data entry's payload is one Kafka record batch: only its first <see cref="BatchGuardedBytes"/> bytes are guarded here (they hold
/// what the broker patches and the batch's own CRC, which guards the rest), so that bodies are not passed over twice. All other
/// payloads are guarded whole.
/// </summary>
public static class EntryLayout
{
    public const int HeaderBytes = 64;
    public const byte Version = 1;

    /// <summary>baseOffset 8, batchLength 4, partitionLeaderEpoch 4, magic 1, crc 4: Kafka record batch v2 up to its CRC field's end.</summary>
    public const int BatchGuardedBytes = 21;

    /// <summary>Request frames are at most 100 MiB (design 8); no entry is longer.</summary>
    public const int EntryBytesMax = 100 << 20;

    public static void WriteHeader(Span<byte> entry, in EntryHeader header)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(entry, (uint)header.LengthBytes);
        entry[8] = Version;
        entry[9] = (byte)header.Kind;
        BinaryPrimitives.WriteUInt16LittleEndian(entry[10..], (ushort)header.Flags);
        BinaryPrimitives.WriteInt32LittleEndian(entry[12..], header.Term.Value);
        BinaryPrimitives.WriteInt64LittleEndian(entry[16..], header.Index.Value);
        BinaryPrimitives.WriteInt64LittleEndian(entry[24..], header.BaseOffset);
        BinaryPrimitives.WriteInt32LittleEndian(entry[32..], header.RecordCount);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[36..], (uint)header.GuardedBytes);
        BinaryPrimitives.WriteInt64LittleEndian(entry[40..], header.TimestampMs);
        BinaryPrimitives.WriteUInt128LittleEndian(entry[48..], header.Group.Value);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[4..], Checksum(entry, header.GuardedBytes));
    }

    /// <summary>
    /// Reads and checks the header at the start of <paramref name="bytes"/> and that the whole entry is there. Any bytes may come in;
    /// false means "not a whole, undamaged entry". A data payload's own CRC is not checked here.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out EntryHeader header)
    {
        header = default;
        if (bytes.Length < HeaderBytes || bytes[8] != Version)
        {
            return false;
        }

        uint length = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        uint guarded = BinaryPrimitives.ReadUInt32LittleEndian(bytes[36..]);
        if (length < HeaderBytes || length > EntryBytesMax || length > (uint)bytes.Length || guarded > length - HeaderBytes)
        {
            return false;
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]) != Checksum(bytes, (int)guarded))
        {
            return false;
        }

        header = ReadUnchecked(bytes);
        return header.Index > LogIndex.Zero && header.Term >= Term.Zero && header.RecordCount >= 0 && header.BaseOffset >= 0;
    }

    /// <summary>Reads the header of an entry that was checked when it came in.</summary>
    public static EntryHeader ReadUnchecked(ReadOnlySpan<byte> bytes) => new(
        (int)BinaryPrimitives.ReadUInt32LittleEndian(bytes),
        (EntryKind)bytes[9],
        (EntryFlags)BinaryPrimitives.ReadUInt16LittleEndian(bytes[10..]),
        new Term(BinaryPrimitives.ReadInt32LittleEndian(bytes[12..])),
        new LogIndex(BinaryPrimitives.ReadInt64LittleEndian(bytes[16..])),
        BinaryPrimitives.ReadInt64LittleEndian(bytes[24..]),
        BinaryPrimitives.ReadInt32LittleEndian(bytes[32..]),
        (int)BinaryPrimitives.ReadUInt32LittleEndian(bytes[36..]),
        BinaryPrimitives.ReadInt64LittleEndian(bytes[40..]),
        new GroupId(BinaryPrimitives.ReadUInt128LittleEndian(bytes[48..])));

    private static uint Checksum(ReadOnlySpan<byte> entry, int guardedBytes) =>
        Crc32C.Compute(entry.Slice(8, HeaderBytes - 8 + guardedBytes));
}

[Flags]
public enum EntryFlags : ushort
{
    None = 0,

    /// <summary>This entry is the first of a new segment. The leader decides, so that segments are equal on all replicas.</summary>
    StartsSegment = 1,
}

/// <inheritdoc cref="EntryLayout"/>
public readonly record struct EntryHeader(
    int LengthBytes,
    EntryKind Kind,
    EntryFlags Flags,
    Term Term,
    LogIndex Index,
    long BaseOffset,
    int RecordCount,
    int GuardedBytes,
    long TimestampMs,
    GroupId Group)
{
    /// <summary>The offset behind the entry's last record.</summary>
    public long NextOffset => BaseOffset + RecordCount;
}
