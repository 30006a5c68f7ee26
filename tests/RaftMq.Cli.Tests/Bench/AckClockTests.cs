using System.Diagnostics;
using RaftMq.Cli.Bench;

namespace RaftMq.Cli.Tests.Bench;

public sealed class AckClockTests
{
    private static readonly long s_second = Stopwatch.Frequency;

    [Fact]
    public void Longest_time_between_acknowledgements_counts_from_the_start()
    {
        AckClock clock = Started();
        clock.Acked(3 * s_second);
        clock.Acked(4 * s_second);
        Assert.Equal(TimeSpan.FromSeconds(3), clock.Longest);
    }

    /// <summary>A leader that dies shortly before the end: the first acknowledgement comes when the measured time is over.</summary>
    [Fact]
    public void A_gap_that_is_open_at_the_end_is_counted_until_it_is_closed_and_no_later_one()
    {
        AckClock clock = Started();
        clock.Acked(1 * s_second);
        clock.End();
        clock.Acked(6 * s_second);
        clock.Acked(60 * s_second);
        Assert.Equal(TimeSpan.FromSeconds(5), clock.Longest);
    }

    [Fact]
    public void Without_an_acknowledgement_after_the_end_nothing_was_missing_there()
    {
        AckClock clock = Started();
        clock.Acked(1 * s_second);
        clock.End();
        Assert.Equal(TimeSpan.FromSeconds(1), clock.Longest);
    }

    private static AckClock Started()
    {
        AckClock clock = new();
        clock.Start(0);
        return clock;
    }
}
