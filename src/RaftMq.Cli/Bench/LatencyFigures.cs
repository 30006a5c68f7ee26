namespace RaftMq.Cli.Bench;

/// <summary>In milliseconds.</summary>
internal sealed record LatencyFigures(double P50, double P90, double P99, double P999, double Max)
{
    public static LatencyFigures Of(LatencyHistogram histogram) => new(
        Ms(histogram.PercentileNs(50)), Ms(histogram.PercentileNs(90)), Ms(histogram.PercentileNs(99)), Ms(histogram.PercentileNs(99.9)),
        Ms(histogram.MaxNs));

    private static double Ms(long nanoseconds) => Math.Round(nanoseconds / 1e6, 3);
}
