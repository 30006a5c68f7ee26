using RaftMq.Simulation.Checkers;
using static RaftMq.Simulation.Tests.Checkers.Story;

namespace RaftMq.Simulation.Tests.Checkers;

/// <summary>What DURABLE says of logs that let go at their front. Batches have 10,000 bytes, and are of the seconds 1, 2, 3 ... by their number.</summary>
public sealed class RetentionModelTests
{
    private const int BatchBytes = 10_000;

    [Fact]
    public void Rejects_a_start_that_no_settings_allow() => Objects(Ten().Tell(Start(1, atSecond: 1_000)));

    [Fact]
    public void Accepts_a_start_behind_what_is_old_enough() => Assert.Null(Ten(keepMs: 5_000).Tell(Start(3, atSecond: 9)).Objection);

    [Fact]
    public void Rejects_a_start_behind_what_is_too_young() => Objects(Ten(keepMs: 5_000).Tell(Start(4, atSecond: 8)));

    [Fact]
    public void Accepts_what_any_settings_of_before_allow() => Assert.Null(
        Ten(keepMs: 5_000).Tell(new HistoryEvent.RetentionAsked(Group, 500_000, null, null)).Tell(Start(3, atSecond: 9)).Objection);

    [Fact]
    public void Rejects_what_only_settings_of_another_partition_allow() => Objects(
        Ten().Tell(new HistoryEvent.RetentionAsked(new Raft.GroupId(8), 1, 0, null)).Tell(Start(3, atSecond: 90)));

    [Fact]
    public void Accepts_a_start_that_leaves_as_much_as_is_asked_for() => Assert.Null(Ten(keepBytes: 60_000).Tell(Start(4, atSecond: 10)).Objection);

    /// <summary>Forty thousand bytes are left, a segment and what is no batch go besides.</summary>
    [Fact]
    public void Rejects_a_start_that_leaves_less_than_is_asked_for() => Objects(Ten(keepBytes: 90_000).Tell(Start(6, atSecond: 10)));

    [Fact]
    public void Rejects_that_all_goes_by_size() => Objects(Ten(keepBytes: 60_000).Tell(Start(10, atSecond: 10)));

    [Fact]
    public void Rejects_that_what_came_last_goes_by_size() => Objects(Ten(keepBytes: 0).Tell(Start(10, atSecond: 10)));

    [Fact]
    public void Accepts_that_all_but_the_last_go_by_size() => Assert.Null(Ten(keepBytes: 0).Tell(Start(9, atSecond: 10)).Objection);

    [Fact]
    public void Accepts_a_start_that_was_asked_for() =>
        Assert.Null(Ten().Tell(new HistoryEvent.DeleteRecordsStarted(Group, 4)).Tell(Start(4, atSecond: 10)).Objection);

    [Fact]
    public void Rejects_a_start_beyond_what_was_asked_for() =>
        Objects(Ten().Tell(new HistoryEvent.DeleteRecordsStarted(Group, 4)).Tell(Start(5, atSecond: 10)));

    [Fact]
    public void Rejects_a_log_that_begins_in_the_end_where_nobody_let_it() =>
        Objects(Ten(keepMs: 5_000).Tell(Start(3, atSecond: 9)).Whole(4, 10, [.. Enumerable.Range(4, 6).Select(n => Batch(n + 1, n))]));

    private static HistoryEvent.LogStartSeen Start(long offset, int atSecond) => new(Group, N0, offset, atSecond * 1_000);

    private static Story Ten(long? keepMs = null, long? keepBytes = null)
    {
        Story story = new Story(new DurableChecker()).Tell(new HistoryEvent.RetentionAsked(Group, keepMs, keepBytes, 16 << 10));
        for (int n = 0; n < 10; n++)
        {
            story.Tell(new HistoryEvent.SendStarted(Group, M(n + 1), 1, -1, -1, (n + 1) * 1_000, BatchBytes))
                .Durable(n + 1, n, N0, N1).Acked(n + 1, n);
        }

        return story;
    }

    private static void Objects(Story story) => Assert.NotNull(story.Objection);
}
