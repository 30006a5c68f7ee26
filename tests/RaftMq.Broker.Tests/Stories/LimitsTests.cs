using RaftMq.Broker.Controller;
using RaftMq.Broker.Environment;
using RaftMq.Broker.Partitions;
using RaftMq.Broker.Peers;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;
using RaftMq.Storage.Files;
using WholeCluster = RaftMq.Broker.Tests.Support.Cluster;

namespace RaftMq.Broker.Tests.Stories;

/// <summary>At a node's limits producers wait, memory does not grow, and all goes on afterwards (BOUNDED).</summary>
public sealed class LimitsTests
{
    private const int LimitBytes = 64 << 10;

    [Fact]
    public void What_a_node_holds_uncommitted_is_bounded_over_all_of_its_groups()
    {
        WholeCluster cluster = WholeCluster.Started(3, With(new BrokerLimits { UncommittedBytesPerNode = LimitBytes }));
        TopicInfo topic = cluster.CreateTopic("t", partitions: 6);
        ClusterNode leader = cluster.LeaderOf(topic.Partitions[0].Group)!;
        GroupId[] led = [.. topic.Partitions.Select(p => p.Group).Where(group => cluster.LeaderOf(group) == leader)];
        Assert.Equal(2, led.Length);
        cluster.IsCut = static (_, _, lane) => lane == PeerLane.Append;
        ProduceAnswer[] answers =
        [
            .. Enumerable.Range(0, 40).Select(n => cluster.Produce(leader, led[n % 2], Batches.Plain(valueBytes: 8_000), deadlineMs: 60_000)),
        ];
        cluster.Pass(200);

        Assert.InRange(answers.Count(a => a.IsAdmitted), LimitBytes / 9_000, LimitBytes / 8_000);
        Assert.InRange(Used(cluster, leader, "uncommitted_bytes"), LimitBytes - 9_000, LimitBytes);

        cluster.IsCut = static (_, _, _) => false;
        cluster.Until(() => answers.All(a => a.Outcome == ProduceOutcome.Stored), "there is room again");
        Assert.Equal(0, Used(cluster, leader, "uncommitted_bytes"));
    }

    [Fact]
    public void A_follower_that_does_not_answer_is_sent_no_more_than_its_window()
    {
        WholeCluster cluster = WholeCluster.Started(3, With(new BrokerLimits { ReplicationWindowBytes = LimitBytes }));

        // The entry that fills the window may reach over it: else one that is larger than the window would never be sent.
        Assert.InRange(SentWithoutAnswer(cluster, batches: 40, valueBytes: 8_000).Bytes, LimitBytes, LimitBytes + 9_000);
    }

    [Fact]
    public void A_follower_that_does_not_answer_is_sent_no_more_entries_than_its_window()
    {
        WholeCluster cluster = WholeCluster.Started(3, With(new BrokerLimits { ReplicationWindowEntries = 10 }));
        Assert.Equal(10, SentWithoutAnswer(cluster, batches: 40, valueBytes: 100).Entries);
    }

    /// <summary>The newest entries stay in memory until they lie in segments: where that does not happen, nothing more is taken.</summary>
    [Fact]
    public void While_entries_can_not_go_to_segments_no_more_are_taken_than_memory_is_meant_for()
    {
        WholeCluster cluster = WholeCluster.Started(1, With(new BrokerLimits { TailBytes = LimitBytes }));
        GroupId group = cluster.CreateTopic("t").Partitions[0].Group;
        cluster[1].HangingLane = DiskLane.Background;
        ProduceAnswer[] answers =
            [.. Enumerable.Range(0, 80).Select(_ => cluster.Produce(cluster[1], group, Batches.Plain(valueBytes: 2_000), deadlineMs: 60_000))];
        cluster.Pass(2_000);

        // Memory is taken in chunks that double: the last one may reach over the limit by as much as lies below it.
        Assert.False(cluster[1].Parts.Shard.Context.Journal.IsFull);
        Assert.InRange(answers.Count(a => a.Outcome == ProduceOutcome.Stored), LimitBytes / 2 / 2_200, 5 * LimitBytes / 4 / 2_000);
        Assert.InRange(Used(cluster, cluster[1], "tail_bytes"), LimitBytes, 3 * LimitBytes);
        Assert.DoesNotContain(answers, a => a.Result is { Outcome: not ProduceOutcome.Stored });

        cluster[1].HangingLane = null;
        cluster.Until(() => answers.All(a => a.Outcome == ProduceOutcome.Stored), "there is room again");
    }

    private static BrokerOptions With(BrokerLimits limits) => new() { OffsetsPartitions = 1, Limits = limits };

    /// <summary>What one of two followers is sent whose answers are lost, while the other's let everything be committed.</summary>
    private static (int Entries, long Bytes) SentWithoutAnswer(WholeCluster cluster, int batches, int valueBytes)
    {
        GroupId group = cluster.CreateTopic("t").Partitions[0].Group;
        ClusterNode leader = cluster.LeaderOf(group)!;
        ClusterNode mute = cluster.Nodes.First(n => n != leader);
        cluster.Pass(500);
        int entries = 0;
        long bytes = 0;
        cluster.Alter = (from, to, message) =>
        {
            if (to == mute.Id && message is PeerMessage.ForGroup { Message: AppendEntries append } appended && appended.Group == group)
            {
                entries += append.Entries.Count;
                bytes += append.Entries.Sum(static entry => (long)entry.SizeBytes);
            }

            return from == mute.Id && message is PeerMessage.ForGroup { Message: AppendAccepted or HeartbeatReply } ? null : message;
        };
        ProduceAnswer[] answers =
            [.. Enumerable.Range(0, batches).Select(_ => cluster.Produce(leader, group, Batches.Plain(valueBytes: valueBytes)))];
        cluster.Settle();
        Assert.All(answers, a => Assert.Equal(ProduceOutcome.Stored, a.Outcome));
        (int Entries, long Bytes) sent = (entries, bytes);

        cluster.Alter = null;
        cluster.Until(
            () => cluster.ReplicaOf(mute.Id.Value, group).DurableIndex == cluster.ReplicaOf(leader.Id.Value, group).DurableIndex,
            "it has everything once it is heard");
        return sent;
    }

    private static long Used(WholeCluster cluster, ClusterNode node, string limit)
    {
        NodeStatus? status = null;
        node.Broker.CollectStatus(taken => status = taken);
        cluster.Settle();
        return status!.Limits.Single(use => use.Limit == limit).Used;
    }
}
