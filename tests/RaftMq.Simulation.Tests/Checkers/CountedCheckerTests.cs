using RaftMq.Raft;
using RaftMq.Simulation.Checkers;
using static RaftMq.Simulation.Tests.Checkers.Story;

namespace RaftMq.Simulation.Tests.Checkers;

public sealed class CountedCheckerTests
{
    [Fact]
    public void Accepts_replicas_that_count_alike() => Assert.Null(New().Tell(Counters(N0, 5, 5, 5)).Tell(Counters(N1, 5, 5, 5)).Objection);

    [Fact]
    public void Rejects_a_record_that_was_accepted_and_is_not_visible() => Assert.NotNull(New().Tell(Counters(N0, 5, 4, 5)).Objection);

    [Fact]
    public void Rejects_a_record_without_an_offset_of_its_own() => Assert.NotNull(New().Tell(Counters(N0, 5, 5, 4)).Objection);

    [Fact]
    public void Rejects_replicas_that_count_otherwise() =>
        Assert.NotNull(New().Tell(Counters(N0, 5, 5, 5)).Tell(Counters(N1, 4, 4, 4)).Objection);

    private static Story New() => new(new CountedChecker());

    private static HistoryEvent.CountersAtEnd Counters(NodeId node, long accepted, long visible, long offsets) =>
        new(node, Group, accepted, visible, offsets);
}
