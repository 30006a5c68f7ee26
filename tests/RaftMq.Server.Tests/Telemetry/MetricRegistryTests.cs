using RaftMq.Raft;
using RaftMq.Server.Telemetry;

namespace RaftMq.Server.Tests.Telemetry;

public sealed class MetricRegistryTests
{
    [Fact]
    public void Text_is_what_Prometheus_reads()
    {
        var registry = new MetricRegistry();
        registry.Counter("raftmq_b_total", "Counted\nthings \\ more.").Add(3);
        registry.Gauge("raftmq_a_bytes", "Held.").Set(-5);
        registry.Gauge("raftmq_ratio", "A fraction.", () => 0.25);
        registry.Register(
            new MetricFamily("raftmq_c", MetricKind.Gauge, "Labels.", "topic", "partition"), writer => writer.Sample(1, "a\"b\\c\nd", "0"));
        Histogram[] histograms = registry.Histograms(
            "raftmq_d_seconds", "Times.", () => new Histogram([1_000_000, 2_500_000], 1e-9), "lane", "x");
        histograms[0].Observe(1_000_000);
        histograms[0].Observe(1_000_001);
        histograms[0].Observe(9_000_000);

        Assert.Equal(
            """
            # HELP raftmq_a_bytes Held.
            # TYPE raftmq_a_bytes gauge
            raftmq_a_bytes -5
            # HELP raftmq_b_total Counted\nthings \\ more.
            # TYPE raftmq_b_total counter
            raftmq_b_total 3
            # HELP raftmq_c Labels.
            # TYPE raftmq_c gauge
            raftmq_c{topic="a\"b\\c\nd",partition="0"} 1
            # HELP raftmq_d_seconds Times.
            # TYPE raftmq_d_seconds histogram
            raftmq_d_seconds_bucket{lane="x",le="0.001"} 1
            raftmq_d_seconds_bucket{lane="x",le="0.0025"} 2
            raftmq_d_seconds_bucket{lane="x",le="+Inf"} 3
            raftmq_d_seconds_sum{lane="x"} 0.011000001
            raftmq_d_seconds_count{lane="x"} 3
            # HELP raftmq_ratio A fraction.
            # TYPE raftmq_ratio gauge
            raftmq_ratio 0.25

            """,
            registry.WriteText());
    }

    [Fact]
    public void Name_can_be_taken_once_only()
    {
        var registry = new MetricRegistry();
        registry.Counter("raftmq_x_total", "First.");

        Assert.Throws<InvariantViolationException>(() => registry.Counter("raftmq_x_total", "Second."));
        Assert.Throws<InvariantViolationException>(() => registry.Counter("other_x_total", "No prefix."));
    }

    [Fact]
    public void Histogram_counts_what_many_threads_observe()
    {
        Histogram histogram = Histogram.OfSizes();

        Parallel.For(0, 10_000, i => histogram.Observe(i));

        Assert.Equal(10_000, histogram.Count);
        Assert.Equal(49_995_000, histogram.Sum);
        Assert.Equal(4097, histogram.CountIn(0));
    }
}
