using System.Diagnostics;
using RaftMq.Broker;
using RaftMq.Raft;
using RaftMq.Server.Telemetry;

namespace RaftMq.Server.Tests.Telemetry;

public sealed class StatusSamplerTests
{
    private static readonly GroupId Group = new(5);

    private NodeStatus? _status = Status(highWatermark: 40);
    private readonly StatusSampler _sampler;

    public StatusSamplerTests() => _sampler = new StatusSampler(completion =>
    {
        if (_status is not null)
        {
            completion(_status);
        }
    })
    {
        AnswerTime = TimeSpan.FromMilliseconds(50),
    };

    [Fact]
    public void Rate_counts_records_of_partitions_led_both_times()
    {
        Assert.Equal(60, StatusSampler.Progress(Status(highWatermark: 40), Status(highWatermark: 100)));
        Assert.Equal(0, StatusSampler.Progress(Status(highWatermark: 100), Status(highWatermark: 40)));
        Assert.Equal(0, StatusSampler.Progress(new NodeStatus(new NodeId(0), [], []), Status(highWatermark: 40)));
    }

    [Fact]
    public async Task Rate_is_counted_between_looks_half_a_second_apart()
    {
        await _sampler.CollectAsync(TestContext.Current.CancellationToken);
        long start = Stopwatch.GetTimestamp();
        Assert.Equal(0, _sampler.MessagesPerSecond);

        await Task.Delay(600, TestContext.Current.CancellationToken);
        _status = Status(highWatermark: 100_040);
        await _sampler.LookAsync(TestContext.Current.CancellationToken);

        // The timer may be a little early.
        Assert.InRange(_sampler.MessagesPerSecond, 100_000 / (Stopwatch.GetElapsedTime(start).TotalSeconds + 0.1), 100_000 / 0.55);
    }

    [Fact]
    public async Task Each_look_asks_the_node()
    {
        await _sampler.LookAsync(TestContext.Current.CancellationToken);
        _status = Status(highWatermark: 50);

        Assert.Equal(50, (await _sampler.LookAsync(TestContext.Current.CancellationToken))!.Replicas[0].HighWatermark);
        Assert.Equal(50, _sampler.Last!.Replicas[0].HighWatermark);
    }

    [Fact]
    public async Task Node_that_does_not_answer_is_shown_as_it_was()
    {
        await _sampler.LookAsync(TestContext.Current.CancellationToken);
        _status = null;

        Assert.Equal(40, (await _sampler.LookAsync(TestContext.Current.CancellationToken))!.Replicas[0].HighWatermark);
    }

    private static NodeStatus Status(long highWatermark) => new(
        new NodeId(0),
        [new ReplicaStatus(Group, "orders-0", "orders", 0, Role.Leader, 7, new NodeId(0), 0, highWatermark, highWatermark, 3, 3, 1, 4096, IsQuiet: false)],
        []);
}
