using RaftMq.Server.Hosting;

namespace RaftMq.Server.Tests.Hosting;

public sealed class TickScheduleTests
{
    [Fact]
    public void Nobody_wants_more_than_a_hundred_ticks_a_second()
    {
        TickSchedule schedule = new(nowUs: 0);
        int ticks = 0;
        for (long now = 0; now < 1_000_000; ticks++)
        {
            int waitMs = schedule.UntilNextMs(now, wantsFine: false);
            Assert.InRange(waitMs, 1, TickSchedule.CoarseUs / 1000);
            now += (waitMs * 1000) + 70;
            Assert.Equal(TickKind.Coarse, schedule.Take(now, wantsFine: false));
        }

        Assert.InRange(ticks, 90, 100);
    }

    [Fact]
    public void A_journal_that_gets_idle_at_any_moment_is_sealed_within_five_milliseconds()
    {
        for (long batchUs = 50_000; batchUs < 70_000; batchUs += 50)
        {
            long sealedUs = SealedAtUs(batchUs, lateUs: 150);

            // The journal counts whole milliseconds.
            Assert.InRange(sealedUs - batchUs, 1_000, 4_500);
        }
    }

    [Fact]
    public void Missed_ticks_are_not_made_up_for()
    {
        TickSchedule schedule = new(nowUs: 0);
        Assert.Equal(TickKind.Coarse, schedule.Take(5_000_000, wantsFine: false));
        Assert.Equal(TickKind.None, schedule.Take(5_000_000 - 1, wantsFine: false));
        Assert.Equal(TickKind.Coarse, schedule.Take(5_000_000, wantsFine: false));
        Assert.Equal(TickKind.None, schedule.Take(5_000_001, wantsFine: false));
        Assert.Equal(TickSchedule.CoarseUs / 1000, schedule.UntilNextMs(5_000_001, wantsFine: false));
    }

    /// <summary>As the ticker and the journal do it: woken by the batch, the first tick finds it idle, the one 2 ms later seals.</summary>
    private static long SealedAtUs(long batchUs, long lateUs)
    {
        TickSchedule schedule = new(nowUs: 0);
        long? idleSinceMs = null;
        for (long now = 0; ;)
        {
            bool wants = now >= batchUs;
            long next = now + (schedule.UntilNextMs(now, wants) * 1000) + lateUs;
            now = !wants && next > batchUs ? batchUs + lateUs : next;
            if (schedule.Take(now, now >= batchUs) != TickKind.None && now >= batchUs)
            {
                idleSinceMs ??= now / 1000;
                if ((now / 1000) - idleSinceMs >= 2)
                {
                    return now;
                }
            }
        }
    }
}
