using RaftMq.Broker.Controller;
using RaftMq.Broker.Partitions;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;
using WholeCluster = RaftMq.Broker.Tests.Support.Cluster;

namespace RaftMq.Broker.Tests.Stories;

/// <summary>A leader that is cut off and does not know it yet, and partitions that nobody leads: nothing wrong is said for good.</summary>
public sealed class StaleLeaderTests
{
    private const int BehindCheckQuorumMs = 3_000;

    [Fact]
    public void A_sequence_that_only_a_newer_leader_knows_is_not_refused_by_the_old_one()
    {
        (WholeCluster cluster, GroupId group, ClusterNode old) = Started();
        ProduceAnswer first = cluster.Produce(old, group, Batches.Idempotent(7, sequence: 0));
        cluster.Settle();
        Assert.Equal(ProduceOutcome.Stored, first.Outcome);
        Isolate(cluster, old);

        // To the cut-off leader this looks like a batch whose predecessor is missing.
        ProduceAnswer third = cluster.Produce(old, group, Batches.Idempotent(7, sequence: 2), deadlineMs: 20_000);
        cluster.Settle();
        Assert.Null(third.Result);

        cluster.Until(() => OtherLeader(cluster, group, old) is not null, "another leads");
        ProduceAnswer second = cluster.Produce(OtherLeader(cluster, group, old)!, group, Batches.Idempotent(7, sequence: 1));
        cluster.Pass(100);
        Assert.Equal(ProduceOutcome.Stored, second.Outcome);
        cluster.IsCut = static (_, _, _) => false;
        cluster.Until(() => third.Result is not null, "the old leader hears of the new one");

        Assert.Equal(ProduceOutcome.NotLeader, third.Outcome);
    }

    [Fact]
    public void A_confirmed_leader_refuses_a_wrong_sequence_at_once()
    {
        (WholeCluster cluster, GroupId group, ClusterNode leader) = Started();
        cluster.Produce(leader, group, Batches.Idempotent(7, sequence: 0));
        cluster.Settle();

        ProduceAnswer gap = cluster.Produce(leader, group, Batches.Idempotent(7, sequence: 5));
        cluster.Settle();

        Assert.Equal(ProduceOutcome.OutOfOrderSequence, gap.Outcome);
    }

    [Fact]
    public void A_batch_whose_predecessor_comes_while_the_refusal_is_confirmed_is_stored()
    {
        (WholeCluster cluster, GroupId group, ClusterNode leader) = Started();

        // Two connections of one producer: the later batch is read first.
        ProduceAnswer second = cluster.Produce(leader, group, Batches.Idempotent(7, sequence: 1));
        ProduceAnswer first = cluster.Produce(leader, group, Batches.Idempotent(7, sequence: 0));
        cluster.Pass(100);

        Assert.Equal((ProduceOutcome.Stored, 0L), (first.Outcome, first.BaseOffset));
        Assert.Equal((ProduceOutcome.Stored, 1L), (second.Outcome, second.BaseOffset));
    }

    [Fact]
    public void A_reader_ahead_of_a_cut_off_leader_is_not_told_that_its_offset_is_out_of_range()
    {
        (WholeCluster cluster, GroupId group, ClusterNode old) = Started();
        Isolate(cluster, old);
        ReadAnswer read = ReadAnswer.To(old, group, offset: 10);
        cluster.Settle();
        Assert.Null(read.Outcome);
        cluster.Pass(BehindCheckQuorumMs);

        Assert.Equal(ReadOutcome.NotLeader, read.Outcome);
    }

    [Theory]
    [InlineData(OffsetQuery.Latest)]
    [InlineData(OffsetQuery.MaxTimestamp)]
    public void The_end_of_the_log_and_its_youngest_record_are_not_told_by_a_cut_off_leader(OffsetQuery query)
    {
        (WholeCluster cluster, GroupId group, ClusterNode old) = Started();
        Isolate(cluster, old);
        OffsetResult? answer = null;

        old.Broker.FindOffset(group, query, timestampMs: -1, leaderEpoch: -1, found => answer = found);
        cluster.Settle();
        Assert.Null(answer);
        cluster.Pass(BehindCheckQuorumMs);

        Assert.Equal(ReadOutcome.NotLeader, answer?.Outcome);
    }

    [Fact]
    public void That_no_record_is_so_young_is_not_told_by_a_cut_off_leader()
    {
        (WholeCluster cluster, GroupId group, ClusterNode old) = Started();
        Isolate(cluster, old);
        OffsetResult? answer = null;

        old.Broker.FindOffset(group, OffsetQuery.AtTimestamp, timestampMs: long.MaxValue, leaderEpoch: -1, found => answer = found);
        cluster.Settle();
        Assert.Null(answer);
        cluster.Pass(BehindCheckQuorumMs);

        Assert.Equal(ReadOutcome.NotLeader, answer?.Outcome);
    }

    [Fact]
    public void Without_a_quorum_every_send_times_out_at_its_own_deadline()
    {
        (WholeCluster cluster, GroupId group, ClusterNode leader) = Started();
        foreach (ClusterNode other in cluster.Nodes.Where(n => n != leader))
        {
            other.Kill();
        }

        ProduceAnswer proposed = cluster.Produce(leader, group, Batches.Plain(), deadlineMs: 30_000);
        cluster.Pass(10_000);
        Assert.False(leader.Parts.Shard.Find(group)!.IsLeader);
        ProduceAnswer held = cluster.Produce(leader, group, Batches.Plain(), deadlineMs: 5_000);
        cluster.Pass(4_900);
        Assert.Null(proposed.Result);
        Assert.Null(held.Result);
        cluster.Pass(200);
        Assert.Equal(ProduceOutcome.TimedOut, held.Outcome);
        cluster.Pass(15_000);

        Assert.Equal(ProduceOutcome.TimedOut, proposed.Outcome);
    }

    [Fact]
    public void What_waits_for_a_leader_is_stored_when_this_node_becomes_it_and_sent_on_when_another_does()
    {
        (WholeCluster cluster, GroupId group, ClusterNode leader) = Started();
        ClusterNode[] others = [.. cluster.Nodes.Where(n => n != leader)];
        foreach (ClusterNode other in others)
        {
            other.Kill();
        }

        cluster.Pass(10_000);
        ProduceAnswer held = cluster.Produce(leader, group, Batches.Plain(), deadlineMs: 60_000);
        foreach (ClusterNode other in others)
        {
            other.Start();
        }

        cluster.Until(() => held.Result is not null, "somebody leads again");

        Assert.Equal(
            cluster.LeaderOf(group) == leader ? ProduceOutcome.Stored : ProduceOutcome.NotLeader, held.Outcome);
    }

    [Fact]
    public void Deleting_a_topic_that_nobody_leads_answers_what_waits()
    {
        (WholeCluster cluster, GroupId group, ClusterNode leader) = Started();
        cluster.IsCut = (_, _, _) => true;
        cluster.Pass(BehindCheckQuorumMs);
        ProduceAnswer held = cluster.Produce(leader, group, Batches.Plain(), deadlineMs: 600_000);
        cluster.Settle();
        Assert.Null(held.Result);

        leader.Parts.Shard.Remove(group);
        cluster.Settle();

        Assert.Equal(ProduceOutcome.NotLeader, held.Outcome);
    }

    [Fact]
    public void A_cut_off_controller_does_not_say_that_a_topic_is_unknown()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        ClusterNode old = cluster.Nodes.Single(n => n.Id == n.Broker.Cluster.ControllerLeader);
        Isolate(cluster, old);
        var answer = new AdminAnswer();
        old.Broker.Administer(new AdminCommand.DeleteTopic("t", UInt128.Zero), cluster.NowMs + 20_000, answer);
        cluster.Settle();
        Assert.Null(answer.Result);

        cluster.Until(() => cluster.Nodes.Any(n => n != old && n.Id == n.Broker.Cluster.ControllerLeader), "another leads the controller group");
        AdminResult created = cluster.Administer(cluster.Nodes.First(n => n != old), new AdminCommand.CreateTopic(
            "t", 1, 2, [], System.Collections.Immutable.ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal), ValidateOnly: false));
        Assert.Equal(AdminOutcome.Done, created.Outcome);
        cluster.IsCut = static (_, _, _) => false;
        cluster.Until(() => answer.Result is not null, "the old one hears of it");

        Assert.Equal(AdminOutcome.Done, answer.Result!.Outcome);
    }

    [Fact]
    public void A_controller_that_leads_refuses_at_once_and_goes_on_with_what_waits_behind()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        ClusterNode leader = cluster.Nodes.Single(n => n.Id == n.Broker.Cluster.ControllerLeader);
        AdminAnswer[] answers = [new(), new(), new()];
        leader.Broker.Administer(new AdminCommand.DeleteTopic("a", UInt128.Zero), cluster.NowMs + 5_000, answers[0]);
        leader.Broker.Administer(new AdminCommand.AllocateProducerIds(5), cluster.NowMs + 5_000, answers[1]);
        leader.Broker.Administer(new AdminCommand.DeleteTopic("b", UInt128.Zero), cluster.NowMs + 5_000, answers[2]);
        cluster.Settle();

        Assert.Equal(
            [AdminOutcome.UnknownTopic, AdminOutcome.Done, AdminOutcome.UnknownTopic], answers.Select(a => a.Result?.Outcome));
    }

    private static (WholeCluster Cluster, GroupId Group, ClusterNode Leader) Started()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        GroupId group = cluster.CreateTopic("t").Partitions[0].Group;
        return (cluster, group, cluster.LeaderOf(group)!);
    }

    private static void Isolate(WholeCluster cluster, ClusterNode node) =>
        cluster.IsCut = (from, to, _) => from == node.Id || to == node.Id;

    private static ClusterNode? OtherLeader(WholeCluster cluster, GroupId group, ClusterNode old) =>
        cluster.Nodes.FirstOrDefault(n => n != old && n.Parts.Shard.Find(group) is { IsServing: true, IsLeader: true });
}
