using System.Numerics;
using System.Runtime.InteropServices;

namespace RaftMq.Records;

/// <summary>
/// CRC-32C (Castagnoli) as the record batch uses it: initial value and final xor of all ones. Three lanes run side by side because the
/// processor's instruction takes three cycles and can start every cycle; the lanes are joined by shift tables.
/// </summary>
public static class Crc32C
{
    // Three lanes of 1 KiB, then three of 128 bytes, then one lane for what is left: a join costs eight table look-ups. Measured with
    // Crc32CBenchmark, one lane against three: 256 B 18 and 18 ns, 1 KiB 97 and 64 ns, 16 KiB 1.9 and 0.8 us, 1 MiB 157 and 59 us.
    private const int longLaneBytes = 1024;
    private const int shortLaneBytes = 128;

    private static readonly uint[] longShift = ShiftTable(longLaneBytes);
    private static readonly uint[] shortShift = ShiftTable(shortLaneBytes);

    public static uint Compute(ReadOnlySpan<byte> bytes) => ~Append(~0u, bytes);

    /// <summary>Carries a running value (before the final xor) over more bytes.</summary>
    public static uint Append(uint running, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= 3 * longLaneBytes)
        {
            running = ThreeLanes(running, bytes, longLaneBytes, longShift);
            bytes = bytes[(3 * longLaneBytes)..];
        }

        while (bytes.Length >= 3 * shortLaneBytes)
        {
            running = ThreeLanes(running, bytes, shortLaneBytes, shortShift);
            bytes = bytes[(3 * shortLaneBytes)..];
        }

        return OneLane(running, bytes);
    }

    internal static uint OneLane(uint running, ReadOnlySpan<byte> bytes)
    {
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

    private static uint ThreeLanes(uint running, ReadOnlySpan<byte> bytes, int laneBytes, uint[] shift)
    {
        ReadOnlySpan<ulong> first = MemoryMarshal.Cast<byte, ulong>(bytes[..laneBytes]);
        ReadOnlySpan<ulong> second = MemoryMarshal.Cast<byte, ulong>(bytes.Slice(laneBytes, laneBytes))[..first.Length];
        ReadOnlySpan<ulong> third = MemoryMarshal.Cast<byte, ulong>(bytes.Slice(2 * laneBytes, laneBytes))[..first.Length];
        uint a = running;
        uint b = 0;
        uint c = 0;
        for (int i = 0; i < first.Length; i++)
        {
            a = BitOperations.Crc32C(a, first[i]);
            b = BitOperations.Crc32C(b, second[i]);
            c = BitOperations.Crc32C(c, third[i]);
        }

        b ^= Shift(shift, a);
        return c ^ Shift(shift, b);
    }

    /// <summary>The value after as many zero bytes as the table was made for. CRC without its xors is linear: byte by byte, then xor.</summary>
    private static uint Shift(uint[] table, uint value) =>
        table[value & 0xFF]
        ^ table[256 + ((value >> 8) & 0xFF)]
        ^ table[512 + ((value >> 16) & 0xFF)]
        ^ table[768 + (value >> 24)];

    private static uint[] ShiftTable(int zeroBytes)
    {
        byte[] zeros = new byte[zeroBytes];
        uint[] table = new uint[4 * 256];
        for (int bit = 0; bit < 32; bit++)
        {
            table[(bit / 8 * 256) + (1 << (bit % 8))] = OneLane(1u << bit, zeros);
        }

        for (int i = 0; i < table.Length; i++)
        {
            int low = i & 0xFF;
            int highest = low == 0 ? 0 : 1 << BitOperations.Log2((uint)low);
            if (low != highest)
            {
                table[i] = table[i - low + highest] ^ table[i - highest];
            }
        }

        return table;
    }
}
