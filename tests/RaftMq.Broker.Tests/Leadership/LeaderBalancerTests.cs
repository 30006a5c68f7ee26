using RaftMq.Broker.Controller;
using RaftMq.Broker.Environment;
using RaftMq.Broker.Partitions;
using RaftMq.Broker.Peers;
using RaftMq.Broker.Shards;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;
using WholeCluster = RaftMq.Broker.Tests.Support.Cluster;

namespace RaftMq.Broker.Tests.Leadership;

/// <summary>Leaders are spread over the nodes, and go back to where they were put once that node is back, and fit, for a while.</summary>
public sealed class LeaderBalancerTests
{
    private const int DelayMs = 5_000;

    /// <summary>A look at each replica about once a second, and the time in which leadership goes over.</summary>
    private const int LooksMs = 2_500;

    private static readonly BrokerOptions Options = new() { OffsetsPartitions = 1, LeaderBalanceDelay = TimeSpan.FromMilliseconds(DelayMs) };

    [Fact]
    public void Leaders_of_a_topic_are_spread_and_return_to_a_node_that_was_away()
    {
        WholeCluster cluster = WholeCluster.Started(3, Options);
        TopicInfo topic = cluster.CreateTopic("t", partitions: 6);
        cluster.Until(() => LedBy(cluster, topic) is [2, 2, 2], "each leads as much as the others", DelayMs + LooksMs);
        ClusterNode away = cluster[2];
        away.Kill();
        cluster.Until(() => LedBy(cluster, topic) is [_, 0, _] led && led.Sum() == 6, "the others lead what it led");

        away.Start();
        cluster.Until(() => topic.Partitions.All(p => IsCaughtUp(cluster, away, p.Group)), "it has everything again");
        cluster.Pass(DelayMs - 1_000);
        Assert.Equal(0, LedBy(cluster, topic)[1]);
        cluster.Until(() => LedBy(cluster, topic) is [2, 2, 2], "each leads as much as before", 1_000 + LooksMs);
    }

    /// <summary>Leadership that goes to a node that lacks entries stops the writes until it has them, or comes to nothing.</summary>
    [Fact]
    public void Leadership_waits_until_the_node_has_caught_up_for_the_whole_delay_and_producers_do_not_notice()
    {
        (WholeCluster cluster, GroupId group, ClusterNode preferred) = WithLeaderElsewhere();
        cluster.Pass(DelayMs - 2_000);

        // It falls behind before its time has come.
        bool isBehind = true;
        cluster.IsCut = (_, to, lane) => isBehind && to == preferred.Id && lane != PeerLane.Control;
        long slowestMs = 0;
        for (long untilMs = cluster.NowMs + (2 * DelayMs); cluster.NowMs < untilMs;)
        {
            slowestMs = Math.Max(slowestMs, ProduceMs(cluster, group));
        }

        Assert.NotEqual(preferred, cluster.LeaderOf(group));
        Assert.InRange(slowestMs, 0, 50);

        isBehind = false;
        cluster.Until(() => IsCaughtUp(cluster, preferred, group), "it has everything");
        cluster.Pass(DelayMs - 1_000);
        Assert.NotEqual(preferred, cluster.LeaderOf(group));
        cluster.Until(() => cluster.LeaderOf(group) == preferred, "it leads again", 1_000 + LooksMs);
    }

    /// <summary>A quiet group counts as one in which everybody has everything; the one who is gone is not asked.</summary>
    [Fact]
    public void Nobody_hands_over_to_a_node_that_is_away()
    {
        WholeCluster cluster = WholeCluster.Started(3, Options);
        GroupId group = cluster.CreateTopic("t").Partitions[0].Group;
        cluster.LeaderOf(group)!.Kill();
        cluster.Until(() => cluster.LeaderOf(group) is not null, "another leads");
        Replica replica = cluster.ReplicaOf(cluster.LeaderOf(group)!.Id.Value, group);
        cluster.Until(() => replica.IsQuiet, "the two that are left have everything");

        for (long untilMs = cluster.NowMs + (3 * DelayMs); cluster.NowMs < untilMs;)
        {
            cluster.Pass(10);
            Assert.True(replica.IsQuiet, "The group was woken.");
        }
    }

    /// <summary>A leader that comes into office again begins to count again.</summary>
    [Fact]
    public void Time_of_an_earlier_leadership_does_not_count()
    {
        (WholeCluster cluster, GroupId group, ClusterNode preferred) = WithLeaderElsewhere();
        ClusterNode second = cluster.LeaderOf(group)!;
        ClusterNode third = cluster.Nodes.Single(node => node != preferred && node != second);
        cluster.Until(() => cluster.LeaderOf(group) == preferred, "it leads again", DelayMs + LooksMs);
        cluster.Pass(2_000);
        cluster.Alter = (from, _, message) =>
            from == third.Id && message is PeerMessage.ForGroup { Message: PreVoteRequest or VoteRequest } asked && asked.Group == group ? null : message;
        preferred.Kill();
        cluster.Until(() => cluster.LeaderOf(group) is not null, "another leads");
        Assert.Equal(second, cluster.LeaderOf(group));

        preferred.Start();
        cluster.Until(() => IsCaughtUp(cluster, preferred, group), "it has everything again");
        cluster.Pass(DelayMs - 1_000);

        Assert.Equal(second, cluster.LeaderOf(group));
    }

    /// <summary>The preferred leader was away and is back, with everything, since a moment.</summary>
    private static (WholeCluster Cluster, GroupId Group, ClusterNode Preferred) WithLeaderElsewhere()
    {
        WholeCluster cluster = WholeCluster.Started(3, Options);
        GroupId group = cluster.CreateTopic("t").Partitions[0].Group;
        ClusterNode preferred = cluster.LeaderOf(group)!;
        cluster.Pass(500);
        preferred.Kill();
        cluster.Until(() => cluster.LeaderOf(group) is not null, "another leads");
        preferred.Start();
        cluster.Until(() => IsCaughtUp(cluster, preferred, group), "it has everything again");
        Assert.NotEqual(preferred, cluster.LeaderOf(group));
        return (cluster, group, preferred);
    }

    private static int[] LedBy(WholeCluster cluster, TopicInfo topic) =>
        [.. cluster.Nodes.Select(node => topic.Partitions.Count(partition => cluster.LeaderOf(partition.Group) == node))];

    private static bool IsCaughtUp(WholeCluster cluster, ClusterNode node, GroupId group) =>
        cluster.LeaderOf(group) is { } leader && node.Parts.Shard.Find(group) is { Leader: not null } replica
        && replica.DurableIndex == cluster.ReplicaOf(leader.Id.Value, group).DurableIndex;

    /// <summary>How long the leader takes to acknowledge a record, and a little pause.</summary>
    private static long ProduceMs(WholeCluster cluster, GroupId group)
    {
        long fromMs = cluster.NowMs;
        ProduceAnswer answer = cluster.Produce(cluster.LeaderOf(group)!, group, Batches.Plain(), deadlineMs: 10_000);
        cluster.Until(() => answer.Result is not null, "an answer", 11_000);
        Assert.Equal(ProduceOutcome.Stored, answer.Outcome);
        long tookMs = cluster.NowMs - fromMs;
        cluster.Pass(50);
        return tookMs;
    }
}
