using System.Buffers.Binary;
using System.Numerics;

namespace RaftMq.Kafka.Wire.Compression;

/// <summary>xxHash in 32 bits with seed 0: the checksum of LZ4 frames.</summary>
internal static class XxHash32
{
    private const uint prime1 = 2_654_435_761;
    private const uint prime2 = 2_246_822_519;
    private const uint prime3 = 3_266_489_917;
    private const uint prime4 = 668_265_263;
    private const uint prime5 = 374_761_393;

    public static uint Compute(ReadOnlySpan<byte> bytes)
    {
        int total = bytes.Length;
        uint hash = prime5;
        if (total >= 16)
        {
            uint a = unchecked(prime1 + prime2);
            uint b = prime2;
            uint c = 0;
            uint d = unchecked(0 - prime1);
            for (; bytes.Length >= 16; bytes = bytes[16..])
            {
                a = Round(a, bytes);
                b = Round(b, bytes[4..]);
                c = Round(c, bytes[8..]);
                d = Round(d, bytes[12..]);
            }

            hash = BitOperations.RotateLeft(a, 1) + BitOperations.RotateLeft(b, 7)
                + BitOperations.RotateLeft(c, 12) + BitOperations.RotateLeft(d, 18);
        }

        hash += (uint)total;
        for (; bytes.Length >= 4; bytes = bytes[4..])
        {
            hash = BitOperations.RotateLeft(hash + (BinaryPrimitives.ReadUInt32LittleEndian(bytes) * prime3), 17) * prime4;
        }

        foreach (byte rest in bytes)
        {
            hash = BitOperations.RotateLeft(hash + (rest * prime5), 11) * prime1;
        }

        hash = (hash ^ (hash >> 15)) * prime2;
        hash = (hash ^ (hash >> 13)) * prime3;
        return hash ^ (hash >> 16);
    }

    private static uint Round(uint lane, ReadOnlySpan<byte> bytes) =>
        BitOperations.RotateLeft(lane + (BinaryPrimitives.ReadUInt32LittleEndian(bytes) * prime2), 13) * prime1;
}
