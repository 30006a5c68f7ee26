using RaftMq.Broker.Partitions;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;
using WholeCluster = RaftMq.Broker.Tests.Support.Cluster;

namespace RaftMq.Broker.Tests.Stories;

/// <summary>A replica that comes back is filled at the pace that the operator gave, while producers go on.</summary>
public sealed class RecoveryTests
{
    private const int MissedBatches = 1_000;
    private const int BatchBytes = 8_000;

    [Theory]
    [InlineData(1 << 20, 6_500, 11_000)]
    [InlineData(4 << 20, 1_500, 4_000)]
    [InlineData(100 << 20, 0, 1_000)]
    public void A_returning_follower_is_filled_at_the_pace_given_and_producers_do_not_notice(
        long bytesPerSecond, int atLeastMs, int atMostMs)
    {
        WholeCluster cluster = WholeCluster.Started(3, new BrokerOptions
        {
            OffsetsPartitions = 1,
            LeaderBalanceDelay = TimeSpan.FromHours(1),
            Limits = new BrokerLimits { RecoveryBytesPerSecond = bytesPerSecond, TailBytes = 128 << 10 },
        });
        GroupId group = cluster.CreateTopic("t").Partitions[0].Group;
        ClusterNode leader = cluster.LeaderOf(group)!;
        ClusterNode away = cluster.Nodes.First(n => n != leader);
        away.Kill();
        for (int i = 0; i < MissedBatches; i++)
        {
            Assert.Equal(ProduceOutcome.Stored, Send(cluster, leader, group));
        }

        LogIndex missed = cluster.ReplicaOf(leader.Id.Value, group).DurableIndex;
        away.Start();
        cluster.Until(() => cluster.ReplicaOf(away.Id.Value, group).Leader?.Node == leader.Id, "it hears the leader");
        long cameBackMs = cluster.NowMs;
        while (cluster.ReplicaOf(away.Id.Value, group).DurableIndex < missed)
        {
            Assert.Equal(ProduceOutcome.Stored, Send(cluster, leader, group));
            Assert.True(cluster.NowMs - cameBackMs < 60_000, "It never gets there.");
        }

        Assert.InRange(cluster.NowMs - cameBackMs, atLeastMs, atMostMs);
    }

    private static ProduceOutcome? Send(WholeCluster cluster, ClusterNode leader, GroupId group)
    {
        ProduceAnswer answer = cluster.Produce(leader, group, Batches.Plain(valueBytes: BatchBytes));
        cluster.Pass(10);
        return answer.Outcome;
    }
}
