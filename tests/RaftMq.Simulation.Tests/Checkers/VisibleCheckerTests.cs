using RaftMq.Simulation.Checkers;
using static RaftMq.Simulation.Tests.Checkers.Story;

namespace RaftMq.Simulation.Tests.Checkers;

public sealed class VisibleCheckerTests
{
    [Fact]
    public void Accepts_reads_of_what_is_committed() =>
        Assert.Null(New().Stored(1, 0).Read(0, 1, Batch(1, 0)).Read(1, 1).OutOfRange(1, 1).Whole(0, 1, Batch(1, 0)).Objection);

    [Fact]
    public void Rejects_a_record_above_the_high_watermark() =>
        Objects(New().Sent(1).Durable(1, 0, N0, N1).Read(0, 0, Batch(1, 0)));

    [Fact]
    public void Rejects_a_record_that_no_majority_holds_yet() => Objects(New().Sent(1).Durable(1, 0, N0).Read(0, 1, Batch(1, 0)));

    [Fact]
    public void Rejects_that_an_acked_record_is_out_of_range() => Objects(New().Stored(1, 0).OutOfRange(0, 0));

    [Fact]
    public void Rejects_that_a_record_once_read_is_out_of_range() =>
        Objects(New().Sent(1).Durable(1, 0, N0, N1).Read(0, 1, Batch(1, 0)).OutOfRange(0, 0));

    [Fact]
    public void Accepts_out_of_range_where_deletion_was_asked_for() =>
        Assert.Null(New().Stored(1, 0).Tell(new HistoryEvent.DeleteRecordsStarted(Group, 1)).OutOfRange(0, 1).Objection);

    [Fact]
    public void Rejects_an_empty_answer_below_the_high_watermark() => Objects(New().Stored(1, 0).Read(0, 1));

    [Fact]
    public void Rejects_an_end_below_what_was_visible() => Objects(New().Stored(1, 0).Whole(0, 0));

    [Fact]
    public void Accepts_an_end_that_holds_what_was_visible_before_the_question() => Assert.Null(
        New().Stored(1, 0).Tell(new HistoryEvent.EndAsked(Group, 1)).Stored(2, 1).Tell(new HistoryEvent.EndTold(Group, N0, 1, 1)).Objection);

    [Fact]
    public void Rejects_an_end_that_lacks_what_was_visible_before_the_question() => Objects(
        New().Stored(1, 0).Stored(2, 1).Tell(new HistoryEvent.EndAsked(Group, 1)).Tell(new HistoryEvent.EndTold(Group, N0, 1, 1)));

    [Fact]
    public void Rejects_an_end_that_nobody_asked_for() => Objects(New().Tell(new HistoryEvent.EndTold(Group, N0, 1, 0)));

    private static Story New() => new(new VisibleChecker());

    private static void Objects(Story story) => Assert.NotNull(story.Objection);
}
