namespace RaftMq.Raft;

/// <summary>
/// The chance that the deterministic projects use: SplitMix64, seeded by the caller, the same sequence for the same seed in every
/// process and version. Not for secrets.
/// </summary>
public sealed class RandomSource(ulong seed)
{
    private ulong _state = seed;

    public ulong NextUInt64()
    {
        ulong z = _state += 0x9E3779B97F4A7C15UL;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }

    public UInt128 NextUInt128() => new(NextUInt64(), NextUInt64());

    /// <summary>Uniform in [0, <paramref name="exclusiveMax"/>), by multiply-shift; the bias is below 2^-32 for the ranges used here.</summary>
    public int Next(int exclusiveMax)
    {
        Invariant.Holds(exclusiveMax > 0);
        return (int)((UInt128)NextUInt64() * (ulong)exclusiveMax >> 64);
    }

    public int Next(int inclusiveMin, int exclusiveMax) => inclusiveMin + Next(exclusiveMax - inclusiveMin);

    public long NextInt64(long exclusiveMax)
    {
        Invariant.Holds(exclusiveMax > 0);
        return (long)((UInt128)NextUInt64() * (ulong)exclusiveMax >> 64);
    }

    public bool OneIn(int n) => Next(n) == 0;

    /// <summary>A generator of its own for one part, so that what one part draws does not shift what another draws.</summary>
    public RandomSource Split() => new(NextUInt64());
}
