using RaftMq.Broker.Leadership;
using RaftMq.Raft;

namespace RaftMq.Broker.Tests.Leadership;

public sealed class SlowTimesTests
{
    private static readonly NodeId First = new(1);
    private static readonly NodeId Second = new(2);

    private readonly SlowTimes _times = new();

    [Fact]
    public void Who_was_never_slow_is_clearly_faster()
    {
        _times.Learn(First, isSlow: true, nowMs: 1_000);
        _times.Learn(Second, isSlow: false, nowMs: 1_000);

        Assert.True(_times.IsClearlyFaster(Second, First, nowMs: 1_000));
        Assert.False(_times.IsClearlyFaster(First, Second, nowMs: 1_001));
    }

    [Fact]
    public void Who_was_slow_for_a_second_is_clearly_faster_than_one_that_is_slow_for_four()
    {
        _times.Learn(First, isSlow: true, nowMs: 0);
        _times.Learn(First, isSlow: false, nowMs: 1_000);
        _times.Learn(Second, isSlow: true, nowMs: 2_000);
        _times.Learn(Second, isSlow: true, nowMs: 4_000);

        Assert.False(_times.IsClearlyFaster(First, Second, nowMs: 5_999));
        Assert.True(_times.IsClearlyFaster(First, Second, nowMs: 6_000));
    }

    [Fact]
    public void Times_add_up_until_nothing_was_slow_for_long()
    {
        for (int i = 0; i < 4; i++)
        {
            _times.Learn(First, isSlow: true, nowMs: i * 2_000);
            _times.Learn(First, isSlow: false, nowMs: (i * 2_000) + 1_000);
        }

        long overMs = 7_000;
        _times.Learn(Second, isSlow: true, overMs);
        Assert.False(_times.IsClearlyFaster(First, Second, overMs + 15_999));
        Assert.True(_times.IsClearlyFaster(First, Second, overMs + 16_000));

        _times.Learn(Second, isSlow: false, overMs + 1_000);
        Assert.False(_times.IsClearlyFaster(First, Second, overMs + SlowDiskWatch.HoldMsMax - 1));
        Assert.True(_times.IsClearlyFaster(First, Second, overMs + SlowDiskWatch.HoldMsMax));
    }
}
