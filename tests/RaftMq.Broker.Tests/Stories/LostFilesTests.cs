using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;
using RaftMq.Storage.Files;
using RaftMq.Storage.Recovery;
using WholeCluster = RaftMq.Broker.Tests.Support.Cluster;

namespace RaftMq.Broker.Tests.Stories;

/// <summary>Files that an operator or a file system took away: noticed, never taken for "there was nothing" (D-18, DETECTED).</summary>
public sealed class LostFilesTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_node_that_lost_its_journal_does_not_come_back(bool zeroed)
    {
        WholeCluster cluster = WholeCluster.Started(3);
        GroupId group = cluster.CreateTopic("t").Partitions[0].Group;
        cluster.Produce(cluster.LeaderOf(group)!, group, Batches.Plain());
        cluster.Pass(200);
        ClusterNode node = cluster[1];
        node.Kill();
        foreach (string path in node.Medium.Files.Where(f => f.StartsWith("journal/", StringComparison.Ordinal)).ToArray())
        {
            if (zeroed)
            {
                System.Runtime.InteropServices.CollectionsMarshal.AsSpan(node.Medium[path]).Clear();
            }
            else
            {
                node.Medium.DeleteFile(path);
            }
        }

        JournalRefusedException first = Assert.Throws<JournalRefusedException>(node.Start);
        Assert.Contains("journal", first.Message, StringComparison.Ordinal);

        // Asking again changes nothing.
        node.Kill();
        Assert.Throws<JournalRefusedException>(node.Start);
    }

    [Fact]
    public void A_node_that_lost_the_newest_file_of_its_journal_does_not_come_back_before_it_has_it_again()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        GroupId group = cluster.CreateTopic("t").Partitions[0].Group;
        cluster.Produce(cluster.LeaderOf(group)!, group, Batches.Plain());
        cluster.Pass(200);
        ClusterNode node = cluster[1];

        // A start goes to a file of its own and leaves the one before it, which is whole: it is not the journal that is gone.
        node.Kill();
        node.Start();
        cluster.Pass(2_000);
        cluster.Produce(cluster.LeaderOf(group)!, group, Batches.Plain());
        cluster.Pass(200);
        node.Kill();
        string[] files = [.. node.Medium.Files.Where(f => f.StartsWith("journal/", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
        string newest = files.Last(f => node.Medium[f].Any(value => value != 0));
        byte[] bytes = [.. node.Medium[newest]];
        node.Medium.DeleteFile(newest);
        JournalRefusedException refused = Assert.Throws<JournalRefusedException>(node.Start);
        Assert.Contains(newest, refused.Message, StringComparison.Ordinal);
        node.Kill();

        using (IDiskFile file = node.Medium.Open(newest, DiskFileMode.CreateNew))
        {
            file.Write(0, bytes);
            file.Sync();
        }

        node.Start();
        cluster.Pass(2_000);
        Assert.Empty(node.Parts.Damaged);
        Assert.NotNull(cluster.LeaderOf(group));
    }

    [Fact]
    public void A_partition_whose_oldest_segment_is_lost_does_not_start_and_says_so()
    {
        WholeCluster cluster = WholeCluster.Started(1, new BrokerOptions
        {
            OffsetsPartitions = 1,
            Limits = new BrokerLimits { TailBytes = 1 << 20 },
        });
        GroupId group = cluster.CreateTopic("t", configs: ("segment.bytes", "1048576")).Partitions[0].Group;
        for (int i = 0; i < 60; i++)
        {
            cluster.Produce(cluster[1], group, Batches.Plain(valueBytes: 100_000));
            cluster.Pass(20);
        }

        cluster.Pass(3_000);
        string[] segments = [.. cluster[1].Medium.Files
            .Where(f => f.Contains("/t-0-", StringComparison.Ordinal) && f.EndsWith(".log", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
        Assert.True(segments.Length > 3, $"{segments.Length} segments");
        cluster[1].Kill();
        cluster[1].Medium.DeleteFile(segments[0]);
        cluster[1].Start();
        cluster.Pass(5_000);

        Assert.Null(cluster.LeaderOf(group));
        Assert.Contains("the log starts at entry 1", Assert.Single(cluster[1].Parts.Damaged).Report, StringComparison.Ordinal);
    }
}
