using RaftMq.Simulation.Checkers;
using static RaftMq.Simulation.Tests.Checkers.Story;

namespace RaftMq.Simulation.Tests.Checkers;

public sealed class IdempotentCheckerTests
{
    [Fact]
    public void Accepts_a_retry_that_is_answered_with_the_original_offset() =>
        Assert.Null(New().Stored(1, 0, 2, producer: 5, sequence: 0).Acked(1, 0, 2).Stored(2, 2, 1, producer: 5, sequence: 2)
            .Whole(0, 3, Batch(1, 0, 2), Batch(2, 2)).Objection);

    [Fact]
    public void Rejects_a_retry_that_is_answered_with_another_offset() =>
        Objects(New().Stored(1, 0, producer: 5, sequence: 0).Acked(1, 1));

    [Fact]
    public void Rejects_a_batch_that_lies_in_the_log_twice() =>
        Objects(New().Stored(1, 0, producer: 5, sequence: 0).Whole(0, 2, Batch(1, 0), Batch(1, 1)));

    [Fact]
    public void Rejects_a_plain_batch_that_is_read_twice() => Objects(New().Stored(1, 0).Read(0, 2, Batch(1, 0), Batch(1, 1)));

    [Fact]
    public void Rejects_batches_of_a_producer_out_of_order() =>
        Objects(New().Sent(1, 1, 5, 0).Sent(2, 1, 5, 1).Whole(0, 2, Batch(2, 0), Batch(1, 1)));

    [Fact]
    public void Rejects_a_gap_in_the_sequences_of_a_producer() =>
        Objects(New().Sent(1, 1, 5, 0).Sent(2, 1, 5, 1).Sent(3, 1, 5, 2).Whole(0, 2, Batch(1, 0), Batch(3, 1)));

    [Fact]
    public void Rejects_a_producer_id_that_is_given_out_twice() =>
        Objects(New().Tell(new HistoryEvent.ProducerIdsGiven(0, 8)).Tell(new HistoryEvent.ProducerIdsGiven(7, 8)));

    private static Story New() => new(new IdempotentChecker());

    private static void Objects(Story story) => Assert.NotNull(story.Objection);
}
