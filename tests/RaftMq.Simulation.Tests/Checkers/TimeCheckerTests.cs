using RaftMq.Simulation.Checkers;
using static RaftMq.Simulation.Tests.Checkers.Story;

namespace RaftMq.Simulation.Tests.Checkers;

/// <summary>Batches of two records at the offsets 0, 2, 4, 6, of the times 10, 30, 20, 40.</summary>
public sealed class TimeCheckerTests
{
    [Fact]
    public void Accepts_the_first_batch_that_is_young_enough() =>
        Assert.Null(Four().Tell(Asks(20)).Tell(Told(2, 30)).Tell(Asks(10)).Tell(Told(0, 10)).Tell(Asks(41)).Tell(Told(-1, -1)).Objection);

    [Fact]
    public void Rejects_a_batch_that_is_too_old() => Objects(Four().Tell(Asks(35)).Tell(Told(2, 30)));

    [Fact]
    public void Rejects_a_later_batch_where_an_earlier_one_qualifies() => Objects(Four().Tell(Asks(20)).Tell(Told(4, 20)));

    [Fact]
    public void Rejects_none_where_there_is_one() => Objects(Four().Tell(Asks(35)).Tell(Told(-1, -1)));

    [Fact]
    public void Rejects_a_time_that_the_batch_does_not_have() => Objects(Four().Tell(Asks(20)).Tell(Told(2, 31)));

    [Fact]
    public void Rejects_the_inside_of_a_batch() => Objects(Four().Tell(Asks(20)).Tell(Told(3, 30)));

    [Fact]
    public void Rejects_an_answer_that_nobody_asked_for() => Objects(Four().Tell(Told(2, 30)));

    [Fact]
    public void Accepts_none_where_the_one_became_visible_after_the_question() =>
        Assert.Null(New().Tell(Asks(5)).Stored(1, 0).Tell(Told(-1, -1)).Objection);

    [Fact]
    public void Accepts_that_what_may_be_gone_is_passed_over_and_the_rest_of_a_batch_is_told() => Assert.Null(
        Four().Tell(new HistoryEvent.DeleteRecordsStarted(Group, 3)).Tell(Asks(20)).Tell(Told(3, 30)).Tell(Asks(20)).Tell(Told(4, 20)).Objection);

    [Fact]
    public void Rejects_none_where_what_is_left_qualifies() =>
        Objects(Four().Tell(new HistoryEvent.DeleteRecordsStarted(Group, 3)).Tell(Asks(20)).Tell(Told(-1, -1)));

    [Fact]
    public void Accepts_the_youngest_and_one_that_came_after_the_question() => Assert.Null(
        Four().Tell(s_asksForYoungest).Tell(Told(6, 40)).Tell(s_asksForYoungest).Tell(new HistoryEvent.SendStarted(Group, M(5), 2, -1, -1, 50)).Acked(5, 8, 2)
            .Tell(Told(6, 40)).Objection);

    [Fact]
    public void Rejects_a_batch_that_is_not_the_youngest() => Objects(Four().Tell(s_asksForYoungest).Tell(Told(2, 30)));

    [Fact]
    public void Rejects_none_for_the_youngest() => Objects(Four().Tell(s_asksForYoungest).Tell(Told(-1, -1)));

    [Fact]
    public void Rejects_a_time_that_the_youngest_does_not_have() => Objects(Four().Tell(s_asksForYoungest).Tell(Told(6, 41)));

    [Fact]
    public void Rejects_none_for_the_youngest_where_only_a_younger_one_is_gone() =>
        Objects(Aged(Aged(New(), 1, 40), 2, 30).Tell(new HistoryEvent.DeleteRecordsStarted(Group, 2)).Tell(s_asksForYoungest).Tell(Told(-1, -1)));

    private static readonly HistoryEvent s_asksForYoungest = new HistoryEvent.GreatestTimeAsked(Group, 1);

    private static HistoryEvent.TimeAsked Asks(long timestampMs) => new(Group, 1, timestampMs);

    private static HistoryEvent.TimeTold Told(long offset, long timestampMs) => new(Group, N0, 1, offset, timestampMs);

    private static Story New() => new(new TimeChecker());

    private static Story Four()
    {
        Story story = New();
        long[] times = [10, 30, 20, 40];
        for (int n = 0; n < times.Length; n++)
        {
            Aged(story, n + 1, times[n]);
        }

        return story;
    }

    private static Story Aged(Story story, int number, long timestampMs) =>
        story.Tell(new HistoryEvent.SendStarted(Group, M(number), 2, -1, -1, timestampMs)).Acked(number, 2 * (number - 1), 2);

    private static void Objects(Story story) => Assert.NotNull(story.Objection);
}
