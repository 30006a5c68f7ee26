using System.Runtime.InteropServices;
using RaftMq.Broker.Partitions;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;
using WholeCluster = RaftMq.Broker.Tests.Support.Cluster;

namespace RaftMq.Broker.Tests.Stories;

/// <summary>
/// Durable bytes of a node's journal are not what was written (DETECTED): its replicas start with what is left, say so, lead nothing, and have
/// from their leaders what they lost.
/// </summary>
public sealed class LostJournalBytesTests
{
    private const int Block = 4096;

    [Fact]
    public void Entries_that_a_journal_lost_come_back_from_the_leader()
    {
        (WholeCluster cluster, GroupId group, ClusterNode node) = Written();
        Rot(node);
        node.Start();
        Assert.Contains(node.Parts.Damaged, damaged => damaged.Group == group && damaged.IsRunning);
        Assert.Contains(node.Events, happened => happened.Name == "LogLost");
        cluster.Until(() => node.Parts.Damaged.Count == 0, "all is healed", withinMs: 20_000);
        Assert.Contains(node.Events, happened => happened.Name == "LogHealed");
        CheckHolds(cluster, node, group);

        // And for good: the next start finds nothing missing.
        node.Kill();
        node.Start();
        Assert.Empty(node.Parts.Damaged);
        cluster.Until(() => node.Broker.IsReady, "the node is ready");
        CheckHolds(cluster, node, group);
    }

    [Fact]
    public void A_replica_that_lost_entries_does_not_let_one_lead_that_lacks_them()
    {
        (WholeCluster cluster, GroupId group, ClusterNode node) = Written(acknowledgedWithout: 3);
        Rot(node);

        // The third has not seen the last record; the one that led has it, and is gone.
        ClusterNode leader = cluster.LeaderOf(group)!;
        leader.Kill();
        cluster[3].Start();
        node.Start();
        cluster.Pass(10_000);
        Assert.Null(cluster.LeaderOf(group));

        leader.Start();
        cluster.Until(() => cluster.LeaderOf(group) is not null, "the group has its leader again", withinMs: 20_000);
        cluster.Until(() => node.Parts.Damaged.Count == 0, "all is healed", withinMs: 20_000);
        CheckHolds(cluster, node, group);
        CheckHolds(cluster, cluster[3], group);
    }

    /// <summary>A topic with records, one of its followers dead.</summary>
    private static (WholeCluster Cluster, GroupId Group, ClusterNode Node) Written(int? acknowledgedWithout = null)
    {
        WholeCluster cluster = WholeCluster.Started(3);
        GroupId group = cluster.CreateTopic("t").Partitions[0].Group;
        for (int i = 0; i < 20; i++)
        {
            Produce(cluster, group);
        }

        cluster.Pass(500);
        ClusterNode leader = cluster.LeaderOf(group)!;
        if (acknowledgedWithout is { } away)
        {
            // So that node 3 follows, and not the one whose journal will rot.
            Assert.NotEqual(away, leader.Id.Value);
            cluster[away].Kill();
            Produce(cluster, group);
            cluster.Pass(500);
        }

        ClusterNode node = cluster[Enumerable.Range(1, 3).First(id => id != leader.Id.Value && id != acknowledgedWithout)];
        node.Kill();
        return (cluster, group, node);
    }

    private static void Produce(WholeCluster cluster, GroupId group)
    {
        ProduceAnswer answer = cluster.Produce(cluster.LeaderOf(group)!, group, Batches.Plain());
        cluster.Until(() => answer.Outcome == ProduceOutcome.Stored, "it is stored");
    }

    private static string Newest(ClusterNode node) => node.Medium.Files
        .Where(file => file.StartsWith("journal/", StringComparison.Ordinal)).Order(StringComparer.Ordinal)
        .Last(file => node.Medium[file].Any(value => value != 0));

    /// <summary>Every second byte's lowest bit, but for the heads of the files and the very end, of which nobody could tell that it was ever there.</summary>
    private static void Rot(ClusterNode node)
    {
        string newest = Newest(node);
        foreach (string file in node.Medium.Files.Where(file => file.StartsWith("journal/", StringComparison.Ordinal)).ToArray())
        {
            Span<byte> bytes = CollectionsMarshal.AsSpan(node.Medium[file]);
            int end = bytes.LastIndexOfAnyExcept((byte)0) / Block * Block;
            for (int at = 2 * Block; at < (file == newest ? end - (4 * Block) : end); at += 2)
            {
                bytes[at] ^= 1;
            }
        }
    }

    private static void CheckHolds(WholeCluster cluster, ClusterNode node, GroupId group)
    {
        LogIndex last = cluster.ReplicaOf(cluster.LeaderOf(group)!.Id.Value, group).Log.LastIndex;
        cluster.Until(() => cluster.ReplicaOf(node.Id.Value, group).Log.LastIndex == last, "it has what the leader has");
    }
}
