using RaftMq.Cli.Bench;

namespace RaftMq.Cli.Tests.Bench;

public sealed class BenchPayloadTests
{
    [Theory]
    [InlineData(32)]
    [InlineData(100)]
    [InlineData(1024)]
    public void A_record_comes_back_as_it_was_made(int bytes)
    {
        byte[] value = new BenchPayload(run: 7, bytes).Make(producer: 3, partition: 5, number: 1L << 40, sentTicks: 99).ToArray();
        Assert.Equal(bytes, value.Length);
        Assert.True(BenchPayload.TryRead(value, out BenchRecord record));
        Assert.Equal(new BenchRecord(7, 3, 5, 1L << 40, 99), record);
    }

    [Fact]
    public void Any_flipped_bit_is_found()
    {
        byte[] value = new BenchPayload(run: 7, 64).Make(1, 2, 3, 4).ToArray();
        for (int bit = 0; bit < value.Length * 8; bit++)
        {
            value[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(BenchPayload.TryRead(value, out _));
            value[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        Assert.False(BenchPayload.TryRead(value.AsSpan(0, 31), out _));
    }

    [Fact]
    public void Records_of_a_run_are_not_alike()
    {
        var payload = new BenchPayload(run: 7, 1024);
        byte[] first = payload.Make(0, 0, 0, 0)[32..].ToArray();
        byte[] second = payload.Make(0, 0, 0, 0)[32..].ToArray();
        Assert.True(first.Zip(second).Count(pair => pair.First == pair.Second) < 100);
    }

    [Fact]
    public void Seen_records_count_once_and_repeats_apart()
    {
        var seen = new SeenRecords(2);
        foreach (long number in new long[] { 0, 63, 64, 64, 1000 })
        {
            seen.Mark(0, number);
        }

        seen.Mark(1, 0);
        Assert.Equal(5, seen.Distinct);
        Assert.Equal(1, seen.Repeated);
    }

    [Fact]
    public void Skipping_records_of_an_offered_run_keeps_their_times()
    {
        var run = new OfferedRun(10, 1000, 2.5);
        OfferedRun rest = run.Skip(4);
        Assert.Equal(6, rest.Count);
        Assert.Equal(run.TicksOf(4), rest.TicksOf(0));
        Assert.Equal(run.TicksOf(8), rest.TicksOf(4));
    }

    [Fact]
    public void The_longest_gap_is_between_two_acks_or_from_the_start()
    {
        var clock = new AckClock();
        long second = System.Diagnostics.Stopwatch.Frequency;
        clock.Start(0);
        clock.Acked(second);
        clock.Acked(4 * second);
        clock.Acked(5 * second);
        Assert.Equal(3, clock.Longest.TotalSeconds);
    }

    [Fact]
    public void A_family_of_metrics_is_summed_over_its_labels_only()
    {
        const string Text = """
            # TYPE raftmq_disk_written_bytes_total counter
            raftmq_disk_written_bytes_total{lane="journal"} 100
            raftmq_disk_written_bytes_total{lane="read"} 11
            raftmq_disk_written_bytes_total_other 5
            raftmq_plain 2
            """;
        Assert.Equal(111, NodeFigures.Sum(Text, "raftmq_disk_written_bytes_total"));
        Assert.Equal(2, NodeFigures.Sum(Text, "raftmq_plain"));
        Assert.Equal(
            [new NodeFigures("a", 5, 50), new NodeFigures("b", 3, 30)],
            NodeFigures.Since([new NodeFigures("a", 1, 10)], [new NodeFigures("a", 6, 60), new NodeFigures("b", 3, 30)]));
    }
}
