using System.Buffers.Binary;
using RaftMq.Raft;

namespace RaftMq.Storage.Journal;

/// <summary>
/// Which of the journal's files there must be, beside the journal: of the newest one nothing behind it tells.
/// </summary>
/// <param name="OpenedFile">The first batch of a file with this number is durable, or of a newer one.</param>
/// <param name="NewestFile">
/// The file with this number exists, durably. It may have batches that were acknowledged: none was in a file that no mark has named. It loses
/// its name only once a newer mark is durable.
/// </param>
internal readonly record struct JournalMark(long OpenedFile, long NewestFile)
{
    public const int Bytes = 48;

    /// <summary>"RMJM" read as a little-endian number.</summary>
    private const uint Magic = 0x4D4A4D52;

    public byte[] Encode(StoreId store, long sequence)
    {
        byte[] bytes = new byte[Bytes];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, Magic);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(8), sequence);
        BinaryPrimitives.WriteUInt128LittleEndian(bytes.AsSpan(16), store.Value);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(32), OpenedFile);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(40), NewestFile);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), Crc32C.Compute(bytes.AsSpan(8)));
        return bytes;
    }

    public static bool TryDecode(ReadOnlySpan<byte> bytes, StoreId store, out JournalMark mark, out long sequence)
    {
        mark = default;
        sequence = 0;
        if (bytes.Length < Bytes
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Magic
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]) != Crc32C.Compute(bytes[8..Bytes])
            || BinaryPrimitives.ReadUInt128LittleEndian(bytes[16..]) != store.Value)
        {
            return false;
        }

        sequence = BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]);
        mark = new JournalMark(
            BinaryPrimitives.ReadInt64LittleEndian(bytes[32..]), BinaryPrimitives.ReadInt64LittleEndian(bytes[40..]));
        return sequence is >= 0 and < long.MaxValue && mark.OpenedFile >= 0 && mark.NewestFile >= mark.OpenedFile;
    }
}
