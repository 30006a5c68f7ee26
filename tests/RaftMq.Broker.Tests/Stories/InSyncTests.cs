using RaftMq.Broker.Environment;
using RaftMq.Broker.Partitions;
using RaftMq.Broker.Peers;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;
using WholeCluster = RaftMq.Broker.Tests.Support.Cluster;

namespace RaftMq.Broker.Tests.Stories;

/// <summary>In sync is who has everything, not who is alive (replica.lag.max).</summary>
public sealed class InSyncTests
{
    [Fact]
    public void A_live_replica_that_falls_behind_is_in_sync_again_only_once_it_has_caught_up()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        GroupId group = cluster.CreateTopic("t", configs: ("min.insync.replicas", "3")).Partitions[0].Group;
        ClusterNode leader = cluster.LeaderOf(group)!;
        ClusterNode laggard = cluster.Nodes.First(n => n != leader);
        cluster.IsCut = (_, to, lane) => to == laggard.Id && lane == PeerLane.Append;
        ProduceAnswer held = cluster.Produce(leader, group, Batches.Plain(), deadlineMs: 60_000);
        cluster.Pass(9_000);
        Assert.Equal(3, cluster.ReplicaOf(leader.Id.Value, group).InSyncCount);

        cluster.Until(() => cluster.ReplicaOf(leader.Id.Value, group).InSyncCount == 2, "it counts no more", withinMs: 2_000);
        Assert.True(leader.Parts.Cluster.IsAlive(laggard.Id));
        Assert.Equal(leader.Id, cluster.ReplicaOf(laggard.Id.Value, group).Leader?.Node);
        ProduceAnswer refused = cluster.Produce(leader, group, Batches.Plain());
        cluster.Pass(500);
        Assert.Equal(ProduceOutcome.NotEnoughReplicas, refused.Outcome);
        Assert.Null(held.Result);
        Assert.All(cluster.Nodes, node => Assert.DoesNotContain(laggard.Id, node.Broker.Cluster.LeaderOf(group)!.Value.InSync));

        cluster.IsCut = static (_, _, _) => false;
        cluster.Until(() => cluster.ReplicaOf(leader.Id.Value, group).InSyncCount == 3, "it counts again", withinMs: 1_000);
        ProduceAnswer answer = cluster.Produce(leader, group, Batches.Plain());
        cluster.Pass(100);
        Assert.Equal((ProduceOutcome.Stored, 0L), (held.Outcome, held.BaseOffset));
        Assert.Equal((ProduceOutcome.Stored, 1L), (answer.Outcome, answer.BaseOffset));
    }

    [Fact]
    public void A_replica_that_is_behind_by_what_came_just_now_is_in_sync()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        GroupId group = cluster.CreateTopic("t").Partitions[0].Group;
        ClusterNode leader = cluster.LeaderOf(group)!;
        ClusterNode late = cluster.Nodes.First(n => n != leader);

        // All the time the newest is not there yet, and what was the newest a moment ago is.
        cluster.Alter = (from, _, message) => from == late.Id && message is PeerMessage.ForGroup forGroup && forGroup.Group == group
            ? forGroup with { Message = LessThan(forGroup.Message, cluster.ReplicaOf(leader.Id.Value, group).DurableIndex) }
            : message;
        for (int i = 0; i < 60; i++)
        {
            Assert.Equal(ProduceOutcome.Stored, Stored(cluster, leader, group));
            cluster.Pass(250);
        }

        Assert.True(cluster.ReplicaOf(leader.Id.Value, group).Progress.Single(p => p.Replica.Node == late.Id).TicksSinceCaughtUp > 0);
        Assert.Equal(3, cluster.ReplicaOf(leader.Id.Value, group).InSyncCount);
    }

    private static ProduceOutcome? Stored(WholeCluster cluster, ClusterNode leader, GroupId group)
    {
        ProduceAnswer answer = cluster.Produce(leader, group, Batches.Plain());
        cluster.Settle();
        return answer.Outcome;
    }

    /// <summary>An answer of a follower that has everything but the last entry.</summary>
    private static RaftMessage LessThan(RaftMessage message, LogIndex last) => message switch
    {
        AppendAccepted accepted => accepted with { DurableIndex = LogIndex.Min(accepted.DurableIndex, last.Previous) },
        HeartbeatReply reply => reply with { DurableIndex = LogIndex.Min(reply.DurableIndex, last.Previous) },
        _ => message,
    };
}
