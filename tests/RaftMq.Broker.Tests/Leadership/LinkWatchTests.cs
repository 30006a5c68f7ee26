using RaftMq.Broker.Leadership;

namespace RaftMq.Broker.Tests.Leadership;

public sealed class LinkWatchTests
{
    private const int BeatMs = 100;

    private readonly LinkWatch _link = new();
    private long _nowMs = 5_000;

    [Fact]
    public void A_link_that_is_broken_for_less_than_a_second_is_whole()
    {
        Assert.False(Look(LinkWatch.BrokenMsMax - BeatMs, isBroken: true));
        Assert.False(Look(LinkWatch.BrokenMsMax, isBroken: false));
        Assert.False(Look(LinkWatch.BrokenMsMax - BeatMs, isBroken: true));
    }

    [Fact]
    public void A_link_that_is_broken_for_a_second_counts_for_some_time_longer()
    {
        Assert.True(Look(LinkWatch.BrokenMsMax, isBroken: true));
        Assert.True(Look(LinkWatch.HoldMsMin - BeatMs, isBroken: false));
        Assert.False(Look(BeatMs, isBroken: false));
    }

    [Fact]
    public void A_link_that_comes_and_goes_counts_for_longer_each_time_but_not_without_end()
    {
        var holds = new List<int>();
        for (int times = 0; times < 8; times++)
        {
            Look(2 * LinkWatch.BrokenMsMax, isBroken: true);
            holds.Add(HoldsMs());
        }

        Assert.Equal([2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 64_000, 64_000], holds);

        Look(LinkWatch.HoldMsMax, isBroken: false);
        Look(LinkWatch.BrokenMsMax, isBroken: true);
        Assert.Equal(LinkWatch.HoldMsMin, HoldsMs());
    }

    [Fact]
    public void More_broken_than_whole_counts_in_the_end()
    {
        bool counts = false;
        for (int times = 0; times < 10 && !counts; times++)
        {
            Look(3 * BeatMs, isBroken: true);
            counts = Look(BeatMs, isBroken: true) | Look(2 * BeatMs, isBroken: false);
        }

        Assert.True(counts);
    }

    [Fact]
    public void A_process_that_stood_still_has_not_seen_the_link_broken_meanwhile()
    {
        Look(BeatMs, isBroken: true);
        _nowMs += 60_000;

        Assert.False(Look(BeatMs, isBroken: true));
    }

    private int HoldsMs()
    {
        int ms = BeatMs;
        while (Look(BeatMs, isBroken: false))
        {
            ms += BeatMs;
        }

        return ms;
    }

    /// <summary>A look each beat, for so long.</summary>
    private bool Look(int ms, bool isBroken)
    {
        bool counts = false;
        if (_nowMs == 5_000)
        {
            // Where it begins to count from.
            _link.CountsAsBroken(_nowMs, isBroken);
        }

        for (; ms > 0; ms -= BeatMs)
        {
            counts = _link.CountsAsBroken(_nowMs += BeatMs, isBroken);
        }

        return counts;
    }
}
