using RaftMq.Raft;
using RaftMq.Simulation.Checkers;
using static RaftMq.Simulation.Tests.Checkers.Story;

namespace RaftMq.Simulation.Tests.Checkers;

public sealed class LivenessCheckerTests
{
    private const long HealedAtUs = 50_000_000;

    [Fact]
    public void Accepts_service_in_time() => Assert.Null(New().Tell(Written(9)).Tell(Moved(29)).Tell(End()).Objection);

    [Fact]
    public void Rejects_a_partition_that_is_never_written() => Objects(New().Tell(Moved(1)).Tell(End()));

    [Fact]
    public void Rejects_a_partition_that_is_written_late() => Objects(New().Tell(Written(11)).Tell(Moved(1)).Tell(End()));

    [Fact]
    public void Counts_from_when_a_partition_is_there_where_it_is_made_later()
    {
        HistoryEvent made = new HistoryEvent.PartitionCreated(Group, "t/0", [N0], MinInSync: 1, HealedAtUs + 5_000_000);
        Assert.Null(New().Tell(made).Tell(Written(14)).Tell(Moved(29)).Tell(End()).Objection);
        Objects(New().Tell(made).Tell(Written(16)).Tell(Moved(29)).Tell(End()));
    }

    [Fact]
    public void Accepts_that_a_deleted_partition_is_neither_written_nor_read() =>
        Assert.Null(New().Tell(new HistoryEvent.PartitionDeleted(Group)).Tell(End()).Objection);

    [Fact]
    public void Rejects_a_consumer_that_never_moves() => Objects(New().Tell(Written(1)).Tell(End()));

    [Fact]
    public void Rejects_a_consumer_that_moves_late() => Objects(New().Tell(Written(1)).Tell(Moved(31)).Tell(End()));

    [Fact]
    public void Rejects_replicas_with_different_commits() => Objects(New().Tell(Replica(N0, 5, 9)).Tell(Replica(N1, 4, 9)));

    [Fact]
    public void Rejects_replicas_with_different_offsets() => Objects(New().Tell(Replica(N0, 5, 9)).Tell(Replica(N1, 5, 8)));

    [Fact]
    public void Rejects_a_movement_that_does_not_end() => Objects(New().Tell(new HistoryEvent.PlacedAtEnd(N0, Group, 1, true, [N0])));

    [Fact]
    public void Rejects_nodes_that_believe_a_partition_elsewhere() => Objects(New()
        .Tell(new HistoryEvent.PlacedAtEnd(N0, Group, 1, false, [N0])).Tell(new HistoryEvent.PlacedAtEnd(N1, Group, 2, false, [N1])));

    [Fact]
    public void Rejects_a_replica_that_is_missing_and_one_that_is_left_over()
    {
        HistoryEvent placed = new HistoryEvent.PlacedAtEnd(N0, Group, 1, false, [N0, N1]);
        Assert.Null(New().Tell(Replica(N0, 5, 9)).Tell(Replica(N1, 5, 9)).Tell(placed).Tell(Written(1)).Tell(Moved(1)).Tell(End()).Objection);
        Objects(New().Tell(Replica(N0, 5, 9)).Tell(placed).Tell(Written(1)).Tell(Moved(1)).Tell(End()));
        Objects(New().Tell(Replica(N0, 5, 9)).Tell(Replica(N1, 5, 9)).Tell(Replica(N2, 5, 9)).Tell(placed).Tell(Written(1)).Tell(Moved(1)).Tell(End()));
    }

    [Fact]
    public void Accepts_service_in_time_while_one_node_is_unwell() =>
        Assert.Null(ButForOne().Tell(Written(9)).Tell(Moved(29)).Tell(WellAgain(Group)).Objection);

    [Fact]
    public void Rejects_a_partition_that_waits_for_the_one_that_is_unwell() => Objects(ButForOne().Tell(Moved(1)).Tell(WellAgain(Group)));

    [Fact]
    public void Rejects_a_consumer_that_waits_for_the_one_that_is_unwell() => Objects(ButForOne().Tell(Written(1)).Tell(WellAgain(Group)));

    [Fact]
    public void Accepts_that_what_has_no_majority_without_that_one_waits() => Assert.Null(ButForOne().Tell(WellAgain()).Objection);

    [Fact]
    public void Owes_everything_anew_when_that_one_is_well_again() => Objects(ButForOne()
        .Tell(Written(1)).Tell(Moved(1)).Tell(WellAgain(Group)).Tell(new HistoryEvent.Healed(HealedAtUs + 2_000_000)).Tell(End()));

    [Fact]
    public void Accepts_that_what_needs_that_one_takes_longer_when_all_is_well() => Assert.Null(ButForOne()
        .Tell(WellAgain()).Tell(new HistoryEvent.Healed(HealedAtUs)).Tell(Written(20)).Tell(Moved(1)).Tell(End()).Objection);

    [Fact]
    public void Rejects_what_needs_that_one_and_takes_longer_still() => Objects(ButForOne()
        .Tell(WellAgain()).Tell(new HistoryEvent.Healed(HealedAtUs)).Tell(Written(21)).Tell(Moved(1)).Tell(End()));

    [Fact]
    public void Rejects_what_could_do_without_that_one_and_takes_longer_when_all_is_well() => Objects(ButForOne()
        .Tell(Written(1)).Tell(Moved(1)).Tell(WellAgain(Group)).Tell(new HistoryEvent.Healed(HealedAtUs)).Tell(Written(11)).Tell(Moved(1)).Tell(End()));

    private static Story ButForOne() => new Story(new LivenessChecker())
        .Tell(new HistoryEvent.ConsumerExpected("c", Group))
        .Tell(new HistoryEvent.HealedButForOne(N0, HealedAtUs));

    private static HistoryEvent.UnwellNoMore WellAgain(params GroupId[] owed) => new(owed);

    private static Story New() => new Story(new LivenessChecker())
        .Tell(new HistoryEvent.ConsumerExpected("c", Group))
        .Tell(new HistoryEvent.ConsumerMoved("c", HealedAtUs - 1))
        .Tell(new HistoryEvent.Healed(HealedAtUs));

    private static HistoryEvent.WrittenAfterHeal Written(long afterSeconds) =>
        new HistoryEvent.WrittenAfterHeal(Group, HealedAtUs + (afterSeconds * 1_000_000));

    private static HistoryEvent.ConsumerMoved Moved(long afterSeconds) => new HistoryEvent.ConsumerMoved("c", HealedAtUs + (afterSeconds * 1_000_000));

    private static HistoryEvent.ReplicaAtEnd Replica(NodeId node, long commit, long nextOffset) =>
        new HistoryEvent.ReplicaAtEnd(node, Group, new LogIndex(commit), nextOffset);

    private static HistoryEvent.Ended End() => new HistoryEvent.Ended(HealedAtUs + 40_000_000);

    private static void Objects(Story story) => Assert.NotNull(story.Objection);
}
