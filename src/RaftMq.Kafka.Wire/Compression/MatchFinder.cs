using System.Buffers.Binary;

namespace RaftMq.Kafka.Wire.Compression;

/// <summary>
/// Finds repeated bytes for LZ4 and Snappy, whose blocks are both runs of "so many new bytes, then so many as they were so far back". Greedy,
/// one probe per position, and faster over bytes that do not repeat.
/// </summary>
internal sealed class MatchFinder
{
    public const int MatchBytesMin = 4;

    private const int hashBits = 13;
    private const int distanceMax = 65_535;

    private readonly int[] lastSeen = new int[1 << hashBits];

    /// <summary>Forgets what was seen, for bytes that have nothing to do with those before.</summary>
    public void Reset() => Array.Fill(lastSeen, -1);

    /// <summary>Looks from <paramref name="at"/> on for the next match that ends before <paramref name="end"/>.</summary>
    /// <returns>False if there is none.</returns>
    public bool TryNext(ReadOnlySpan<byte> bytes, int at, int end, out int matchAt, out int distance, out int matchBytes)
    {
        int misses = 0;
        for (matchAt = at; matchAt + MatchBytesMin <= end; matchAt += 1 + (misses++ >> 6))
        {
            uint four = BinaryPrimitives.ReadUInt32LittleEndian(bytes[matchAt..]);
            int slot = (int)((four * 2_654_435_761u) >> (32 - hashBits));
            int candidate = lastSeen[slot];
            lastSeen[slot] = matchAt;
            if (candidate < 0
                || matchAt - candidate > distanceMax
                || BinaryPrimitives.ReadUInt32LittleEndian(bytes[candidate..]) != four)
            {
                continue;
            }

            distance = matchAt - candidate;
            matchBytes = MatchBytesMin
                + bytes[(matchAt + MatchBytesMin)..end].CommonPrefixLength(bytes[(candidate + MatchBytesMin)..]);
            return true;
        }

        distance = 0;
        matchBytes = 0;
        return false;
    }
}
