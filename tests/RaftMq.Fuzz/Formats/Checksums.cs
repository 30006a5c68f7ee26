using System.Buffers.Binary;
using RaftMq.Storage;
using RaftMq.Storage.Log;

namespace RaftMq.Fuzz.Formats;

/// <summary>Makes checksums right in bytes that may be anything.</summary>
internal static class Checksums
{
    /// <summary>A CRC-32C at the end of everything.</summary>
    public static void MendTrailer(Span<byte> bytes)
    {
        if (bytes.Length >= sizeof(uint))
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes[^sizeof(uint)..], Crc32C.Compute(bytes[..^sizeof(uint)]));
        }
    }

    /// <summary>The store's files have two bytes behind their version that are zero; readers do not look.</summary>
    public static byte[] WithReservedZero(byte[] file, Action<byte[]> mend)
    {
        byte[] zeroed = [.. file];
        (zeroed[6], zeroed[7]) = (0, 0);
        mend(zeroed);
        return zeroed;
    }

    /// <summary>Entries behind each other, as far as their lengths go: their own CRCs and those of record batches.</summary>
    public static void MendEntries(Span<byte> bytes)
    {
        while (bytes.Length >= EntryLayout.HeaderBytes)
        {
            uint length = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
            if (length < EntryLayout.HeaderBytes || length > (uint)bytes.Length)
            {
                return;
            }

            MendEntry(bytes[..(int)length]);
            bytes = bytes[(int)length..];
        }
    }

    private static void MendEntry(Span<byte> entry)
    {
        const int batchCrcAt = 17;
        const int batchCrcFrom = EntryLayout.BatchGuardedBytes;
        Span<byte> payload = entry[EntryLayout.HeaderBytes..];
        if ((RaftMq.Raft.EntryKind)entry[9] == EntryKinds.Data && payload.Length >= batchCrcFrom)
        {
            BinaryPrimitives.WriteUInt32BigEndian(payload[batchCrcAt..], Crc32C.Compute(payload[batchCrcFrom..]));
        }

        uint guarded = BinaryPrimitives.ReadUInt32LittleEndian(entry[36..]);
        if (guarded <= (uint)payload.Length)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(entry[4..], Crc32C.Compute(entry.Slice(8, EntryLayout.HeaderBytes - 8 + (int)guarded)));
        }
    }
}
