namespace RaftMq.Server.Telemetry;

/// <summary>
/// Counts observations in fixed buckets. Values are whole numbers in the unit of the caller (nanoseconds, bytes);
/// <see cref="Scale"/> turns them into the unit that is printed. May be observed from any thread; a reader may see a sum that is
/// one observation ahead of the count.
/// </summary>
internal sealed class Histogram
{
    /// <summary>10 us to 10 s in steps of about 2, in nanoseconds: from one fast fsync to a disk that hangs.</summary>
    public static readonly long[] DurationBoundsNs =
    [
        10_000, 25_000, 50_000, 100_000, 200_000, 400_000, 800_000, 1_500_000, 3_000_000, 6_000_000, 12_000_000, 25_000_000,
        50_000_000, 100_000_000, 250_000_000, 500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000,
    ];

    /// <summary>4 KiB (one block) to 16 MiB (four journal batches) in steps of 2.</summary>
    public static readonly long[] SizeBoundsBytes =
    [
        4 << 10, 8 << 10, 16 << 10, 32 << 10, 64 << 10, 128 << 10, 256 << 10, 512 << 10, 1 << 20, 2 << 20, 4 << 20, 8 << 20, 16 << 20,
    ];

    private readonly long[] _bounds;
    private readonly long[] _counts;
    private long _sum;

    public Histogram(long[] bounds, double scale)
    {
        _bounds = bounds;
        _counts = new long[bounds.Length + 1];
        Scale = scale;
    }

    public double Scale { get; }

    public ReadOnlySpan<long> Bounds => _bounds;

    public long Sum => Interlocked.Read(ref _sum);

    public long Count
    {
        get
        {
            long total = 0;
            for (int i = 0; i < _counts.Length; i++)
            {
                total += Interlocked.Read(ref _counts[i]);
            }

            return total;
        }
    }

    public static Histogram OfDurations() => new(DurationBoundsNs, 1e-9);

    public static Histogram OfSizes() => new(SizeBoundsBytes, 1);

    public void Observe(long value)
    {
        int bucket = 0;
        while (bucket < _bounds.Length && value > _bounds[bucket])
        {
            bucket++;
        }

        Interlocked.Increment(ref _counts[bucket]);
        Interlocked.Add(ref _sum, value);
    }

    /// <summary>Observations in this bucket alone; the one past the last bound holds the rest.</summary>
    public long CountIn(int bucket) => Interlocked.Read(ref _counts[bucket]);
}
