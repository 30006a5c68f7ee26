namespace RaftMq.Server.Telemetry;

internal enum MetricKind
{
    Counter,
    Gauge,
    Histogram,
}

/// <summary>One name with its meaning; the samples differ in their labels only.</summary>
/// <param name="Name">Starts with <c>raftmq_</c> and ends in its unit (<c>_seconds</c>, <c>_bytes</c>), counters in <c>_total</c>.</param>
/// <param name="Labels">The names of the labels, in the order in which they are printed.</param>
internal sealed record MetricFamily(string Name, MetricKind Kind, string Help, params string[] Labels);
