using RaftMq.Cli.Bench;

namespace RaftMq.Cli.Tests.Bench;

public sealed class LatencyHistogramTests
{
    [Fact]
    public void Every_value_lies_in_its_bucket_and_less_than_one_percent_below_its_end()
    {
        var random = new Random(1);
        for (int i = 0; i < 100_000; i++)
        {
            long value = random.NextInt64() >> random.Next(1, 63);
            int index = LatencyHistogram.IndexOf(value);
            long highest = LatencyHistogram.HighestOf(index);
            Assert.True(highest >= value);
            Assert.True(highest - value <= value / 100.0);
            Assert.Equal(index, LatencyHistogram.IndexOf(highest));
        }
    }

    [Fact]
    public void Buckets_follow_each_other_without_gaps()
    {
        for (int i = 1; i < 4000; i++)
        {
            Assert.Equal(i, LatencyHistogram.IndexOf(LatencyHistogram.HighestOf(i - 1) + 1));
        }
    }

    [Theory]
    [InlineData(50)]
    [InlineData(90)]
    [InlineData(99)]
    [InlineData(99.9)]
    [InlineData(100)]
    public void Percentiles_agree_with_sorting(double percentile)
    {
        var random = new Random(2);
        var histogram = new LatencyHistogram();
        long[] values = [.. Enumerable.Range(0, 10_000).Select(_ => (long)Math.Exp(random.NextDouble() * 20))];
        Array.ForEach(values, value => histogram.Record(value));
        Array.Sort(values);
        long exact = values[(int)Math.Ceiling(values.Length * percentile / 100) - 1];
        Assert.InRange(histogram.PercentileNs(percentile), exact, exact * 1.01);
        Assert.Equal(values[^1], histogram.MaxNs);
    }

    [Fact]
    public void Two_histograms_add_up_and_an_empty_one_is_zero()
    {
        var one = new LatencyHistogram();
        var other = new LatencyHistogram();
        Assert.Equal(0, one.PercentileNs(99));
        one.Record(10, times: 99);
        other.Record(1000);
        one.Add(other);
        Assert.Equal(100, one.Count);
        Assert.Equal(10, one.PercentileNs(99));
        Assert.Equal(1000, one.PercentileNs(100));
    }
}
