using RaftMq.Simulation.Checkers;
using static RaftMq.Simulation.Tests.Checkers.Story;

namespace RaftMq.Simulation.Tests.Checkers;

public sealed class OrderedCheckerTests
{
    [Fact]
    public void Accepts_acks_and_reads_that_agree() =>
        Assert.Null(New().Stored(1, 0, 3).Stored(2, 3).Read(1, 4, Batch(1, 0, 3), Batch(2, 3)).Whole(0, 4, Batch(1, 0, 3), Batch(2, 3)).Objection);

    [Fact]
    public void Rejects_two_batches_acked_at_one_offset() => Objects(New().Stored(1, 0).Stored(2, 0));

    [Fact]
    public void Rejects_a_read_that_finds_another_batch_than_was_acked() => Objects(New().Stored(1, 0).Read(0, 1, Batch(2, 0)));

    [Fact]
    public void Rejects_a_batch_that_reaches_into_the_next() => Objects(New().Stored(2, 2).Stored(1, 0, 3));

    [Fact]
    public void Rejects_a_batch_that_starts_inside_another() => Objects(New().Stored(1, 0, 3).Stored(2, 2));

    [Fact]
    public void Rejects_a_batch_whose_record_count_changed() => Objects(New().Stored(1, 0, 3).Read(0, 3, Batch(1, 0, 2)));

    [Fact]
    public void Rejects_a_hole_between_batches_of_a_read() => Objects(New().Read(0, 9, Batch(1, 0), Batch(2, 2)));

    [Fact]
    public void Rejects_a_read_that_begins_behind_the_offset_asked_for() => Objects(New().Read(0, 9, Batch(2, 1)));

    [Fact]
    public void Rejects_a_read_that_begins_before_the_offset_asked_for() => Objects(New().Read(5, 9, Batch(2, 1)));

    [Fact]
    public void Rejects_a_log_that_ends_below_its_high_watermark() => Objects(New().Whole(0, 2, Batch(1, 0)));

    private static Story New() => new(new OrderedChecker());

    private static void Objects(Story story) => Assert.NotNull(story.Objection);
}
