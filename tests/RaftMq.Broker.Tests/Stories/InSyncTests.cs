using RaftMq.Broker.Environment;
using RaftMq.Broker.Partitions;
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
        for (int i = 0; i < 60; i++)
        {
            // It never has all of it: what it writes half a second late was not the last.
            late.DiskHangs = true;
            cluster.Produce(leader, group, Batches.Plain());
            cluster.Pass(250);
            cluster.Produce(leader, group, Batches.Plain());
            late.DiskHangs = false;
            cluster.Pass(10);
        }

        Assert.Equal(3, cluster.ReplicaOf(leader.Id.Value, group).InSyncCount);
    }
}
