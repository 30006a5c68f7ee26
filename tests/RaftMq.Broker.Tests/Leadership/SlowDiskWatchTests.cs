using RaftMq.Broker.Leadership;

namespace RaftMq.Broker.Tests.Leadership;

public sealed class SlowDiskWatchTests
{
    private const int StepMs = 10;

    private readonly SlowDiskWatch _disk = new();
    private long _nowMs = 5_000;

    [Fact]
    public void A_journal_that_is_full_now_and_then_is_no_slow_disk()
    {
        for (int i = 0; i < 1_000; i++)
        {
            Assert.False(Look(full: i % 2 == 0));
        }
    }

    [Fact]
    public void A_journal_that_is_full_for_a_second_is_and_stays_one_for_a_while()
    {
        for (int i = 0; i < SlowDiskWatch.FullMsMax / StepMs; i++)
        {
            Assert.False(Look(full: true));
        }

        Assert.True(Look(full: true));
        for (int i = 1; i < SlowDiskWatch.HoldMsMin / StepMs; i++)
        {
            Assert.True(Look(full: false));
        }

        Assert.False(Look(full: false));
    }

    [Fact]
    public void Full_for_most_of_the_time_is_found_too()
    {
        int looks = 1;
        while (!Look(full: looks % 4 != 0))
        {
            Assert.True(++looks < 400, "never found");
        }

        Assert.InRange(looks, SlowDiskWatch.FullMsMax / StepMs, 3 * SlowDiskWatch.FullMsMax / StepMs);
    }

    [Fact]
    public void An_overdue_flush_is_slow_at_once()
    {
        Assert.False(Look(full: false));
        _nowMs += StepMs;
        Assert.True(_disk.IsSlow(_nowMs, journalIsFull: false, flushIsOverdue: true));
        Assert.True(Look(full: false));
    }

    [Fact]
    public void A_disk_that_is_slow_again_and_again_is_believed_for_longer_each_time_until_it_was_well_for_long()
    {
        Look(full: false);
        Assert.Equal([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 64_000], Enumerable.Range(0, 8).Select(_ => SlowForMs()));

        for (int i = 0; i < SlowDiskWatch.HoldMsMax / StepMs; i++)
        {
            Assert.False(Look(full: false));
        }

        Assert.Equal(SlowDiskWatch.HoldMsMin, SlowForMs());
    }

    private int SlowForMs()
    {
        _nowMs += StepMs;
        Assert.True(_disk.IsSlow(_nowMs, journalIsFull: false, flushIsOverdue: true));
        int ms = StepMs;
        while (Look(full: false))
        {
            ms += StepMs;
        }

        return ms;
    }

    [Fact]
    public void Time_in_which_the_process_was_stopped_says_nothing()
    {
        Look(full: true);
        _nowMs += 60_000;

        Assert.False(Look(full: true));
    }

    private bool Look(bool full)
    {
        _nowMs += StepMs;
        return _disk.IsSlow(_nowMs, full, flushIsOverdue: false);
    }
}
