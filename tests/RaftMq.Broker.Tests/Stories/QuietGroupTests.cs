using RaftMq.Broker.Partitions;
using RaftMq.Broker.Shards;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;
using RaftMq.Storage.Journal;
using WholeCluster = RaftMq.Broker.Tests.Support.Cluster;

namespace RaftMq.Broker.Tests.Stories;

/// <summary>A group in which nothing happens costs no ticks; what waits in it keeps its deadline all the same.</summary>
public sealed class QuietGroupTests
{
    [Fact]
    public void A_quiet_group_sleeps_and_wakes_with_a_send()
    {
        (WholeCluster cluster, GroupId group, ClusterNode leader) = Quiet();
        Assert.All(cluster.Nodes, node => Assert.False(cluster.ReplicaOf(node.Id.Value, group).IsAwake));

        ProduceAnswer answer = cluster.Produce(leader, group, Batches.Plain());
        cluster.Settle();
        Assert.Equal(ProduceOutcome.Stored, answer.Outcome);
        Assert.True(cluster.ReplicaOf(leader.Id.Value, group).IsAwake);
    }

    [Fact]
    public void A_send_that_is_held_in_a_quiet_group_times_out_at_its_deadline()
    {
        (WholeCluster cluster, GroupId group, ClusterNode leader) = Quiet();
        ShardJournal journal = leader.Parts.Shard.Context.Journal;
        IJournal real = journal.Journal;
        journal.Journal = new FullJournal(real);
        cluster.Pass(20);
        Assert.True(journal.IsFull);

        AssertTimesOut(cluster, cluster.Produce(leader, group, Batches.Plain(), deadlineMs: 500), ProduceOutcome.TimedOut);
    }

    [Fact]
    public void A_repeated_send_that_waits_for_replicas_in_a_quiet_group_times_out_at_its_deadline()
    {
        (WholeCluster cluster, GroupId group, ClusterNode leader) = Quiet(("min.insync.replicas", "3"));
        cluster.Nodes.First(n => n != leader).Kill();
        ProduceAnswer first = cluster.Produce(leader, group, Batches.Idempotent(7, sequence: 0), deadlineMs: 500);
        cluster.Until(() => first.Result is not null, "the first has its answer");
        Assert.Equal(ProduceOutcome.NotEnoughReplicasAfterAppend, first.Outcome);
        UntilAsleep(cluster, group, leader);

        AssertTimesOut(
            cluster, cluster.Produce(leader, group, Batches.Idempotent(7, sequence: 0), deadlineMs: 500), ProduceOutcome.NotEnoughReplicasAfterAppend);
    }

    [Fact]
    public void A_quiet_leader_still_counts_who_is_in_sync()
    {
        (WholeCluster cluster, GroupId group, ClusterNode leader) = Quiet();
        cluster.Nodes.First(n => n != leader).Kill();
        cluster.Pass(5_000);
        Assert.Equal(3, cluster.ReplicaOf(leader.Id.Value, group).InSyncCount);
        cluster.Pass(7_000);

        Assert.Equal(2, cluster.ReplicaOf(leader.Id.Value, group).InSyncCount);
    }

    private static void AssertTimesOut(WholeCluster cluster, ProduceAnswer answer, ProduceOutcome outcome)
    {
        cluster.Pass(400);
        Assert.Null(answer.Result);
        cluster.Pass(200);
        Assert.Equal(outcome, answer.Outcome);
    }

    private static (WholeCluster Cluster, GroupId Group, ClusterNode Leader) Quiet(params (string Name, string Value)[] configs)
    {
        WholeCluster cluster = WholeCluster.Started(3);
        GroupId group = cluster.CreateTopic("t", configs: configs).Partitions[0].Group;
        ClusterNode leader = cluster.LeaderOf(group)!;
        UntilAsleep(cluster, group, leader);
        return (cluster, group, leader);
    }

    private static void UntilAsleep(WholeCluster cluster, GroupId group, ClusterNode leader)
    {
        cluster.Until(() => !cluster.ReplicaOf(leader.Id.Value, group).IsAwake, "it sleeps", withinMs: 30_000);
        cluster.Pass(200);
    }
}
