using System.Numerics;
using System.Runtime.InteropServices;

namespace RaftMq.Storage;

/// <summary>CRC-32C (Castagnoli), as Kafka and iSCSI use it: initial value and final xor of all ones.</summary>
public static class Crc32C
{
    public static uint Compute(ReadOnlySpan<byte> bytes) => ~Append(~0u, bytes);

    /// <summary>Carries a running value (without the final xor) over more bytes.</summary>
    public static uint Append(uint running, ReadOnlySpan<byte> bytes)
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
}
