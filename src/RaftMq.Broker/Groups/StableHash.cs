namespace RaftMq.Broker.Groups;

/// <summary>FNV-1a of 64 bits, then the finalizer of SplitMix64, because the low bits of FNV alone follow the last byte too closely.</summary>
internal static class StableHash
{
    public static ulong Compute(ReadOnlySpan<byte> bytes)
    {
        ulong hash = 0xCBF29CE484222325UL;
        foreach (byte value in bytes)
        {
            hash = (hash ^ value) * 0x100000001B3UL;
        }

        hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9UL;
        hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EBUL;
        return hash ^ (hash >> 31);
    }
}
