namespace RaftMq.Fuzz.Mutation;

/// <summary>Numbers from a seed (SplitMix64): the same run again gives the same inputs.</summary>
internal sealed class FuzzRandom(ulong seed)
{
    private ulong _state = seed;

    public ulong Next()
    {
        ulong value = _state += 0x9E3779B97F4A7C15UL;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9UL;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EBUL;
        return value ^ (value >> 31);
    }

    /// <summary>From 0 to one below the limit; 0 for a limit of 0.</summary>
    public int Below(int limit) => limit <= 1 ? 0 : (int)((UInt128)Next() * (uint)limit >> 64);

    /// <summary>True once in so many times.</summary>
    public bool OneIn(int times) => Below(times) == 0;

    public void Fill(Span<byte> bytes)
    {
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)Next();
        }
    }
}
