using System.Numerics;

namespace RaftMq.Cli.Bench;

/// <summary>
/// Counts times in buckets that are as wide as 1/128 of their value (less than 0.8 % off), from 1 ns to years, in one array. One writer
/// at a time.
/// </summary>
internal sealed class LatencyHistogram
{
    /// <summary>Values below are exact; above, each power of two is divided in half as many buckets.</summary>
    private const int ExactValues = 256;
    private const int HalfBits = 7;
    private const int Half = 1 << HalfBits;

    private readonly long[] counts = new long[ExactValues + ((63 - HalfBits) * Half)];

    public long Count { get; private set; }

    public long MaxNs { get; private set; }

    public void Record(long ns, long times = 1)
    {
        ns = Math.Max(ns, 0);
        counts[IndexOf(ns)] += times;
        Count += times;
        MaxNs = Math.Max(MaxNs, ns);
    }

    public void Add(LatencyHistogram other)
    {
        for (int i = 0; i < counts.Length; i++)
        {
            counts[i] += other.counts[i];
        }

        Count += other.Count;
        MaxNs = Math.Max(MaxNs, other.MaxNs);
    }

    /// <summary>The value that the given part of all values does not exceed; 0 without values.</summary>
    /// <param name="percentile">Above 0, up to 100.</param>
    public long PercentileNs(double percentile)
    {
        long wanted = Math.Max(1, (long)Math.Ceiling(Count * percentile / 100));
        long seen = 0;
        for (int i = 0; i < counts.Length; i++)
        {
            seen += counts[i];
            if (seen >= wanted && counts[i] > 0)
            {
                return Math.Min(HighestOf(i), MaxNs);
            }
        }

        return 0;
    }

    internal static int IndexOf(long value)
    {
        if (value < ExactValues)
        {
            return (int)value;
        }

        int shift = BitOperations.Log2((ulong)value) - HalfBits;
        return ExactValues + ((shift - 1) * Half) + (int)(value >> shift) - Half;
    }

    /// <summary>The largest value of a bucket.</summary>
    internal static long HighestOf(int index)
    {
        if (index < ExactValues)
        {
            return index;
        }

        int shift = ((index - ExactValues) / Half) + 1;
        long top = ((index - ExactValues) % Half) + Half;
        return ((top + 1) << shift) - 1;
    }
}
