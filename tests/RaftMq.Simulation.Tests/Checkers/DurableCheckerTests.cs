using RaftMq.Simulation.Checkers;
using static RaftMq.Simulation.Tests.Checkers.Story;

namespace RaftMq.Simulation.Tests.Checkers;

public sealed class DurableCheckerTests
{
    [Fact]
    public void Accepts_what_a_majority_holds_and_the_end_shows() =>
        Assert.Null(New().Stored(1, 0).Stored(2, 1).Whole(0, 2, Batch(1, 0), Batch(2, 1)).Objection);

    [Fact]
    public void Rejects_an_ack_that_no_disk_holds() => Objects(New().Sent(1).Acked(1, 0));

    [Fact]
    public void Rejects_an_ack_that_one_disk_of_three_holds() => Objects(New().Sent(1).Durable(1, 0, N0).Acked(1, 0));

    [Fact]
    public void Rejects_an_ack_whose_copies_lie_at_another_offset() =>
        Objects(New().Sent(1).Durable(1, 0, N0).Durable(1, 5, N1).Acked(1, 0));

    [Fact]
    public void Rejects_an_ack_held_by_nodes_that_are_no_voters() =>
        Objects(New().Sent(1).Durable(1, 0, N0, new Raft.NodeId(4)).Acked(1, 0));

    [Fact]
    public void Rejects_a_majority_where_the_topic_asks_for_all() =>
        Objects(new Story(new DurableChecker(), minInSync: 3).Sent(1).Durable(1, 0, N0, N1).Acked(1, 0));

    [Fact]
    public void Rejects_an_acked_batch_that_is_missing_at_the_end() =>
        Objects(New().Stored(1, 0).Stored(2, 1).Whole(0, 1, Batch(1, 0)));

    [Fact]
    public void Rejects_an_acked_batch_that_another_replaced_at_the_end() =>
        Objects(New().Stored(1, 0).Whole(0, 1, Batch(2, 0)));

    [Fact]
    public void Rejects_a_log_start_that_nobody_asked_for() => Objects(New().Stored(1, 0).Stored(2, 1).Whole(1, 2, Batch(2, 1)));

    [Fact]
    public void Accepts_a_log_start_that_was_asked_for() =>
        Assert.Null(New().Stored(1, 0).Stored(2, 1).Tell(new HistoryEvent.DeleteRecordsStarted(Group, 1)).Whole(1, 2, Batch(2, 1)).Objection);

    [Fact]
    public void Rejects_an_acked_offset_commit_on_one_disk() =>
        Objects(New().Commit(3).Tell(new HistoryEvent.MarkDurable(N0, M(1003), -1)).CommitAcked(3));

    [Fact]
    public void Rejects_an_acked_topic_on_one_disk() =>
        Objects(New().Tell(new HistoryEvent.MarkDurable(N0, M(9), -1)).Tell(Topic(Members(1, [N0, N1, N2], []))));

    [Fact]
    public void Rejects_an_acked_topic_on_disks_of_nodes_that_do_not_vote() =>
        Objects(OnTwo().Tell(Topic(Members(1, [N0, N2, N3], []), Members(2, [N1, N2, N3], []))));

    [Fact]
    public void Accepts_an_acked_topic_on_a_majority_of_one_membership_in_force() =>
        Assert.Null(OnTwo().Tell(Topic(Members(1, [N2, N3, N4], []), Members(2, [N0, N1, N3], []))).Objection);

    [Fact]
    public void Rejects_an_acked_offset_commit_on_disks_of_nodes_that_do_not_vote() =>
        Objects(New().Commit(3).Tell(Members(1, [N1, N2, N3], []))
            .Tell(new HistoryEvent.MarkDurable(N0, M(1003), -1)).Tell(new HistoryEvent.MarkDurable(N1, M(1003), -1)).CommitAcked(3));

    [Fact]
    public void Rejects_an_ack_that_only_the_new_half_of_a_joint_membership_holds() =>
        Objects(New().Sent(1).Tell(Members(5, [N2, N3, N4], [N0, N1, N2])).Durable(1, 0, N2, N3, N4).Acked(1, 0));

    [Fact]
    public void Rejects_an_ack_that_former_voters_hold() =>
        Objects(New().Sent(1).Tell(Members(5, [N2, N3, N4], [])).Durable(1, 0, N0, N1, N2).Acked(1, 0));

    [Fact]
    public void Rejects_an_ack_held_by_a_replica_that_was_given_up() =>
        Objects(New().Sent(1).Durable(1, 0, N0, N1).Tell(new HistoryEvent.ReplicaGivenUp(N1, Group.WithLife(3))).Acked(1, 0));

    [Fact]
    public void Accepts_an_ack_that_both_halves_hold() =>
        Assert.Null(New().Sent(1).Tell(Members(5, [N2, N3, N4], [N0, N1, N2])).Durable(1, 0, N1, N2, N3).Acked(1, 0).Objection);

    [Fact]
    public void Rejects_a_log_that_begins_behind_what_was_acknowledged_and_accepts_it_of_a_topic_that_is_deleted()
    {
        Story acked = New().Sent(1).Durable(1, 0, N0, N1).Acked(1, 0);
        Assert.Null(acked.Objection);
        Assert.Null(New().Sent(1).Durable(1, 0, N0, N1).Acked(1, 0).Tell(new HistoryEvent.PartitionDeleted(Group))
            .Tell(new HistoryEvent.LogStartSeen(Group, N0, 1, 0)).Objection);
        Objects(acked.Tell(new HistoryEvent.LogStartSeen(Group, N0, 1, 0)));
    }

    /// <summary>It stood still, and the group went to other nodes meanwhile.</summary>
    [Fact]
    public void Accepts_what_a_former_leader_acknowledges_late_once_others_hold_it() =>
        Assert.Null(New().Sent(1).Tell(Members(9, [N2, N3, N4], [])).Tell(Members(5, [N0, N1, N2], [])).Durable(1, 0, N2, N3).Acked(1, 0).Objection);

    [Fact]
    public void Rejects_it_where_neither_those_nor_these_hold_it() =>
        Objects(New().Sent(1).Tell(Members(9, [N2, N3, N4], [])).Tell(Members(5, [N0, N1, N2], [])).Durable(1, 0, N1, N3).Acked(1, 0));

    private static readonly Raft.NodeId N3 = new(3);
    private static readonly Raft.NodeId N4 = new(4);

    private static HistoryEvent.MembersInForce Members(long at, Raft.NodeId[] voters, Raft.NodeId[] outgoing) =>
        new(N0, Group, new Raft.LogIndex(at), voters, outgoing);

    private static HistoryEvent.ChangeAcked Topic(params HistoryEvent.MembersInForce[] believed) => new("topic", M(9), believed);

    private static Story OnTwo() =>
        New().Tell(new HistoryEvent.MarkDurable(N0, M(9), -1)).Tell(new HistoryEvent.MarkDurable(N1, M(9), -1));

    private static Story New() => new(new DurableChecker());

    private static void Objects(Story story) => Assert.NotNull(story.Objection);
}
