using RaftMq.Simulation.Checkers;
using static RaftMq.Simulation.Tests.Checkers.Story;

namespace RaftMq.Simulation.Tests.Checkers;

public sealed class DetectedCheckerTests
{
    [Fact]
    public void Accepts_what_was_sent_and_lies_where_it_was_written() =>
        Assert.Null(New().Stored(1, 0).Stored(2, 1, count: 3).Read(0, 4, Batch(1, 0), Batch(2, 1, 3)).Whole(0, 4, Batch(1, 0), Batch(2, 1, 3)).Objection);

    [Fact]
    public void Rejects_a_record_that_nobody_sent() => Objects(New().Durable(1, 0, N0, N1).Read(0, 1, Batch(1, 0)));

    [Fact]
    public void Rejects_a_changed_record() => Objects(New().Stored(1, 0).Read(0, 1, Batch(1, 0, isIntact: false)));

    [Fact]
    public void Rejects_a_changed_record_at_the_end() => Objects(New().Stored(1, 0).Whole(0, 1, Batch(1, 0, isIntact: false)));

    [Fact]
    public void Rejects_a_batch_with_another_number_of_records() => Objects(New().Stored(1, 0).Read(0, 2, Batch(1, 0, count: 2)));

    [Fact]
    public void Rejects_a_batch_of_another_partition() => Objects(
        New().Tell(new HistoryEvent.SendStarted(new Raft.GroupId(8), M(1), 1, -1, -1)).Durable(1, 0, N0, N1).Read(0, 1, Batch(1, 0)));

    [Fact]
    public void Rejects_a_batch_at_an_offset_where_no_disk_held_it() => Objects(New().Stored(1, 0).Read(5, 6, Batch(1, 5)));

    private static Story New() => new(new DetectedChecker());

    private static void Objects(Story story) => Assert.NotNull(story.Objection);
}
