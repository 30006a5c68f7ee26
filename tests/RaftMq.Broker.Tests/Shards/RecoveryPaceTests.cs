using RaftMq.Broker.Shards;
using RaftMq.Raft;

namespace RaftMq.Broker.Tests.Shards;

public sealed class RecoveryPaceTests
{
    private const long Rate = 1_000_000;

    private readonly RecoveryPace _pace = new(Rate, nowMs: 0);
    private readonly List<string> _begun = [];

    [Fact]
    public void Over_time_no_more_begins_than_the_rate_and_one_burst()
    {
        long begun = 0;
        long nowMs = 0;
        void Again()
        {
            begun += 50_000;
            _pace.Begin(Of(1), 50_000, nowMs, Again);
        }

        Again();
        for (nowMs = 10; nowMs <= 10_000; nowMs += 10)
        {
            _pace.Tick(nowMs);
        }

        Assert.InRange(begun, 10 * Rate, (10 * Rate) + (Rate / 10) + (2 * 50_000));
    }

    [Fact]
    public void A_pause_is_no_reason_for_more_than_one_burst()
    {
        _pace.Begin(Of(1), 500_000, 0, () => _begun.Add("first"));
        _pace.Begin(Of(2), 100_000, 3_600_000, () => _begun.Add("second"));
        _pace.Begin(Of(3), 1, 3_600_000, () => _begun.Add("third"));
        Assert.Equal(["first", "second"], _begun);
    }

    [Fact]
    public void Those_that_wait_begin_in_the_order_of_asking_and_one_asked_again_keeps_its_place()
    {
        _pace.Begin(Of(1), 200_000, 0, () => _begun.Add("first"));
        _pace.Begin(Of(2), 200_000, 0, () => _begun.Add("outdated"));
        _pace.Begin(Of(3), 200_000, 0, () => _begun.Add("third"));
        _pace.Begin(Of(2), 200_000, 0, () => _begun.Add("second"));
        Assert.Equal(2, _pace.WaitingCount);
        _pace.Tick(100);
        Assert.Equal(["first"], _begun);
        _pace.Tick(101);
        Assert.Equal(["first", "second"], _begun);
        _pace.Tick(1_000);
        Assert.Equal(["first", "second", "third"], _begun);
    }

    [Fact]
    public void What_was_not_needed_lets_others_begin_sooner()
    {
        _pace.Begin(Of(1), 1_000_000, 0, () => _begun.Add("first"));
        _pace.Begin(Of(2), 1, 0, () => _begun.Add("second"));
        _pace.GiveBack(999_000);
        _pace.Tick(0);
        Assert.Equal(["first", "second"], _begun);
        Assert.Equal(1_001, _pace.ChargedBytes);
    }

    private static RecoveryPace.Transfer Of(int group) => new(new GroupId((UInt128)group), new NodeId(1), TransferKind.Entries);
}
