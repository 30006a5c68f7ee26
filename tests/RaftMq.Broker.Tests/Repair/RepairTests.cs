using System.Runtime.InteropServices;
using RaftMq.Broker.Controller;
using RaftMq.Broker.Partitions;
using RaftMq.Broker.Peers;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Log;
using WholeCluster = RaftMq.Broker.Tests.Support.Cluster;

namespace RaftMq.Broker.Tests.Repair;

/// <summary>Damaged and lost files come back from the other replicas: before a group starts, and while it runs.</summary>
public sealed class RepairTests
{
    private static readonly BrokerOptions Options = new()
    {
        OffsetsPartitions = 1,
        Limits = new BrokerLimits { TailBytes = 1 << 20 },
    };

    private static readonly Lazy<(MemoryDisk[] Disks, GroupId Group)> Filled = new(Fill);

    [Theory]
    [InlineData("flipped", 0)]
    [InlineData("flipped", 1)]
    [InlineData("flipped", -1)]
    [InlineData("cut", 0)]
    [InlineData("cut", -1)]
    [InlineData("emptied", 1)]
    [InlineData("missing", 0)]
    [InlineData("missing", 1)]
    [InlineData("missing", -1)]
    [InlineData("longer", 1)]
    public void A_group_that_does_not_start_for_a_damaged_segment_is_mended_and_starts(string how, int which)
    {
        (WholeCluster cluster, GroupId group) = WithSegments();
        cluster[3].Kill();
        string[] segments = Files(cluster[3], ".log");
        Damage(cluster[3], segments[which < 0 ? ^1 : which], how);
        DeleteIndexes(cluster[3]);
        cluster[3].Start();
        Assert.Contains(cluster[3].Parts.Damaged, damaged => damaged.Group == group);
        CheckMended(cluster, group);
    }

    [Fact]
    public void Every_segment_may_be_lost()
    {
        (WholeCluster cluster, GroupId group) = WithSegments();
        cluster[3].Kill();
        foreach (string path in Files(cluster[3], ".log"))
        {
            cluster[3].Medium.DeleteFile(path);
        }

        cluster[3].Start();
        CheckMended(cluster, group);
    }

    [Fact]
    public void What_is_damaged_here_is_given_by_one_that_does_not_start_for_damage_elsewhere()
    {
        (WholeCluster cluster, GroupId group) = WithSegments();
        for (int i = 0; i < 3; i++)
        {
            ClusterNode node = cluster[i + 1];
            node.Kill();
            Damage(node, Files(node, ".log")[i], "flipped");
            DeleteIndexes(node);
        }

        foreach (ClusterNode node in cluster.Nodes)
        {
            node.Start();
            Assert.Contains(node.Parts.Damaged, damaged => damaged.Group == group);
        }

        CheckMended(cluster, group);
    }

    [Fact]
    public void Where_all_are_damaged_at_the_same_place_it_stands_still_and_says_who_lacks_what()
    {
        (WholeCluster cluster, GroupId group) = WithSegments();
        byte[] whole = [];
        string path = "";
        foreach (ClusterNode node in cluster.Nodes)
        {
            node.Kill();
            path = Files(node, ".log")[1];
            whole = [.. node.Medium[path]];
            Damage(node, path, "flipped");
            DeleteIndexes(node);
        }

        foreach (ClusterNode node in cluster.Nodes)
        {
            node.Start();
        }

        cluster.Pass(20_000);
        DamagedGroup damaged = Assert.Single(cluster[1].Parts.Damaged);
        Assert.Contains($"nobody has {path}, entries ", damaged.Repair, StringComparison.Ordinal);
        Assert.Contains("node 2 is damaged there too, node 3 is damaged there too", damaged.Repair, StringComparison.Ordinal);
        Assert.Single(cluster[1].Events, happened => happened.Name == "RepairWaits");
        Assert.Null(cluster.LeaderOf(group));
        Assert.Equal(whole.Length, cluster[1].Medium[path].Count);

        // One of them is whole again, from a backup: the others ask still.
        cluster[2].Kill();
        cluster[2].Medium[path].Clear();
        cluster[2].Medium[path].AddRange(whole);
        cluster[2].Start();
        cluster.Until(() => cluster.LeaderOf(group) is not null, "it is led", withinMs: 60_000);
        CheckMended(cluster, group, withinMs: 60_000);
    }

    [Fact]
    public void A_damaged_controller_group_is_mended_as_well()
    {
        WholeCluster cluster = Started();
        GroupId group = cluster[1].Parts.Shard.All.Single(replica => replica.Name is RaftMq.Broker.Shards.GroupName.Controller).Group;
        for (int i = 0; i < 150; i++)
        {
            cluster.CreateTopic($"t{i}", replicas: 1);
        }

        cluster[3].Kill();
        string path = cluster[3].Medium.Files.First(
            file => file.StartsWith("groups/controller-", StringComparison.Ordinal) && file.EndsWith(".log", StringComparison.Ordinal));
        cluster[3].Medium[path][500] ^= 4;
        cluster[3].Start();
        Assert.Contains(cluster[3].Parts.Damaged, damaged => damaged.Group == group);
        cluster.Until(() => cluster[3].Broker.IsReady && cluster[3].Parts.Damaged.Count == 0, "it knows the cluster again");
        cluster.CreateTopic("last");
        cluster.Until(() => cluster[3].Parts.Cluster.State.Topics.ContainsKey("last"), "it follows");
    }

    [Theory]
    [InlineData("flipped", 0)]
    [InlineData("cut", 1)]
    [InlineData("missing", 1)]
    public void Damage_that_a_read_finds_is_mended_while_the_group_runs(string how, int which)
    {
        (WholeCluster cluster, GroupId group) = WithSegments();
        ClusterNode leader = cluster.LeaderOf(group)!;
        string path = Files(leader, ".log")[which];
        long offset = OffsetIn(Files(leader, ".log")[which + 1]) - 2;
        Damage(leader, path, how);

        ReadAnswer first = ReadAnswer.To(leader, group, offset);
        cluster.Pass(20);
        Assert.Equal(ReadOutcome.Damaged, first.Outcome);
        cluster.Until(() => leader.Parts.Damaged.Count == 0, "it is mended", withinMs: 5_000);
        cluster.Until(() => cluster.LeaderOf(group) == leader, "it leads again", withinMs: 30_000);
        ReadAnswer again = ReadAnswer.To(leader, group, offset);
        cluster.Pass(100);
        Assert.Equal(ReadOutcome.Ok, again.Outcome);
        CheckMended(cluster, group);
    }

    [Theory]
    [InlineData(".log", 0, "flipped")]
    [InlineData(".log", 1, "missing")]
    [InlineData(".log", 1, "longer")]
    [InlineData(".log", -1, "flipped")]
    [InlineData(".log", -1, "cut")]
    [InlineData(".log", -1, "missing")]
    [InlineData(".index", 0, "flipped")]
    [InlineData(".index", 0, "missing")]
    [InlineData(".checkpoint", 0, "flipped")]
    [InlineData(".checkpoint", 0, "missing")]
    [InlineData(".checkpoint", -1, "flipped")]
    public void What_nobody_reads_is_found_by_the_scrub(string kind, int which, string how)
    {
        BrokerOptions options = Options with { ScrubInterval = TimeSpan.FromSeconds(2) };
        (WholeCluster cluster, GroupId group) = WithSegments(options);
        ClusterNode node = cluster.Nodes.First(n => n != cluster.LeaderOf(group));
        cluster.Pass(1_000);
        string path = Files(node, kind)[which < 0 ? ^1 : which];
        byte[] whole = [.. node.Medium[path]];
        Damage(node, path, how);

        cluster.Until(() => ScrubOf(cluster, node).LastPassFound == 1, "the pass that found it ends");
        cluster.Until(() => ScrubOf(cluster, node) is { LastPassFound: 0, Found: 1 }, "the next one finds nothing");
        cluster.Until(
            () => path.Contains("newest-", StringComparison.Ordinal)
                ? !node.Medium.FileExists(path) && Files(node, ".checkpoint")[^1].Contains("newest-", StringComparison.Ordinal)
                : node.Medium.FileExists(path) && whole.AsSpan().SequenceEqual([.. node.Medium[path].Take(whole.Length)]),
            "it is mended");
        cluster.Pass(100);
        Assert.Empty(node.Parts.Damaged);
        Assert.Equal(1, ScrubOf(cluster, node).Found);
        CheckMended(cluster, group);
    }

    private static ScrubStatus ScrubOf(WholeCluster cluster, ClusterNode node)
    {
        NodeStatus? status = null;
        node.Broker.CollectStatus(taken => status = taken);
        cluster.Settle();
        return status!.Scrub;
    }

    [Fact]
    public void What_nobody_gives_keeps_nothing_else_waiting()
    {
        BrokerOptions options = Options with { ScrubInterval = TimeSpan.FromSeconds(2) };
        (WholeCluster cluster, GroupId group) = WithSegments(options);
        ClusterNode node = cluster.Nodes.First(n => n != cluster.LeaderOf(group));
        string[] paths = Files(node, ".log");
        LogIndex end = new(OffsetIn(paths[1]) + 1);
        cluster.Alter = (_, _, message) => message is PeerMessage.RepairWanted wanted && wanted.From < end ? null : message;
        Damage(node, paths[0], "flipped");
        cluster.Until(() => node.Events.Exists(happened => happened.Name == "RepairWaits"), "nobody gives it");

        // Until it is asked for again after half a minute only.
        cluster.Pass(40_000);
        byte[] whole = [.. node.Medium[paths[1]]];
        Damage(node, paths[1], "flipped");
        cluster.Until(() => whole.AsSpan().SequenceEqual([.. node.Medium[paths[1]]]), "the other one is mended", withinMs: 12_000);
        cluster.Alter = null;
        CheckMended(cluster, group, withinMs: 60_000);
    }

    /// <summary>It hears the others all the time: only their word tells it that they hear it again.</summary>
    [Fact]
    public void A_node_that_nobody_heard_for_long_is_mended_soon_after_it_is_heard_again()
    {
        (WholeCluster cluster, GroupId group) = WithSegments();
        cluster[3].Kill();
        Damage(cluster[3], Files(cluster[3], ".log")[0], "missing");
        cluster[3].Start();
        cluster.IsCut = static (from, _, _) => from.Value == 3;
        cluster.Pass(40_000);
        Assert.Contains(cluster[3].Parts.Damaged, damaged => damaged.Group == group);

        cluster.IsCut = static (_, _, _) => false;
        CheckMended(cluster, group, withinMs: 3_000);
    }

    [Fact]
    public void What_does_not_belong_there_is_not_taken()
    {
        (WholeCluster cluster, GroupId group) = WithSegments();
        cluster[3].Kill();
        Damage(cluster[3], Files(cluster[3], ".log")[1], "missing");
        cluster[3].Start();

        // Who is asked first gives whole entries, in order, of which every offset is one too large.
        NodeId? liar = null;
        cluster.Alter = (from, _, message) => message is PeerMessage.RepairEntries { Entries.Count: > 0 } said && (liar ??= from) == from
            ? said with { Entries = [.. said.Entries.Select(Shifted)] }
            : message;
        CheckMended(cluster, group);
        Assert.NotNull(liar);
    }

    private static Entry Shifted(Entry entry)
    {
        byte[] bytes = entry.Bytes.ToArray();
        EntryHeader header = EntryLayout.ReadUnchecked(bytes);
        header = header with { BaseOffset = header.BaseOffset + 1 };
        if (header.Kind == EntryKinds.Data)
        {
            StoredBatch.Patch(bytes.AsSpan(EntryLayout.HeaderBytes), header.BaseOffset, header.Term.Value);
        }

        EntryLayout.WriteHeader(bytes, header);
        return StoredEntry.ToEntry(bytes);
    }

    [Fact]
    public void A_base_that_is_damaged_is_found_when_it_is_sent_and_comes_from_another()
    {
        WholeCluster cluster = Started();
        GroupId group = cluster.CreateTopic("t", configs: [("segment.bytes", "1048576"), ("retention.bytes", "1048576")]).Partitions[0].Group;
        cluster[3].Kill();
        Fill(cluster, group, 60);
        cluster.Pass(5_000);
        ClusterNode leader = cluster.LeaderOf(group)!;
        Replica(leader, group);
        string first = Files(leader, ".checkpoint").First(file => file.Contains("base-", StringComparison.Ordinal));
        leader.Medium[first][60] ^= 8;
        cluster[3].Start();
        cluster.Until(() => leader.Events.Exists(happened => happened.Name == "LogDamaged"), "it is found");
        CheckMended(cluster, group);
    }

    [Fact]
    public void Where_the_others_have_cut_what_is_lost_the_log_begins_where_theirs_do()
    {
        WholeCluster cluster = Started();
        GroupId group = cluster.CreateTopic("t", configs: [("segment.bytes", "1048576")]).Partitions[0].Group;
        Fill(cluster, group, 30);
        cluster.Pass(2_000);
        cluster[3].Kill();
        Damage(cluster[3], Files(cluster[3], ".log")[0], "missing");
        Fill(cluster, group, 30);
        cluster.Pass(2_000);
        ClusterNode leader = cluster.LeaderOf(group)!;
        long end = Replica(leader, group).Log.NextOffset;
        Assert.Equal(AdminOutcome.Done, cluster.Administer(leader, new AdminCommand.DeleteRecords("t", 0, end - 1)).Outcome);
        cluster.Pass(5_000);
        Assert.True(Replica(leader, group).Log.BaseIndex > LogIndex.Zero);

        cluster[3].Start();
        cluster.Until(() => cluster[3].Parts.Damaged.Count == 0, "it starts");
        cluster.Until(() => Replica(cluster[3], group).Log.LastIndex == Replica(cluster.LeaderOf(group)!, group).Log.LastIndex, "it follows");
        Assert.True(Replica(cluster[3], group).Log.BaseIndex > LogIndex.Zero);

        cluster[3].Restart();
        cluster.Pass(3_000);
        Assert.Empty(cluster[3].Parts.Damaged);
    }

    [Fact]
    public void A_topic_may_be_deleted_while_its_files_are_mended()
    {
        (WholeCluster cluster, GroupId group) = WithSegments();
        cluster[3].Kill();
        Damage(cluster[3], Files(cluster[3], ".log")[1], "flipped");
        DeleteIndexes(cluster[3]);
        int answers = 0;
        cluster.Alter = (_, _, message) => message is PeerMessage.RepairEntries && ++answers > 2 ? null : message;
        cluster[3].Start();
        cluster.Until(() => answers > 2, "it is being mended");
        Assert.Equal(AdminOutcome.Done, cluster.Administer(cluster[1], new AdminCommand.DeleteTopic("t", UInt128.Zero)).Outcome);
        cluster.Until(() => cluster[3].Parts.Damaged.Count == 0, "it is given up");
        cluster.Until(() => Files(cluster[3], "").Length == 0, "its files are gone");
        Assert.NotEqual(default, group);
    }

    [Fact]
    public void A_journal_turns_while_a_group_waits_for_its_repair()
    {
        WholeCluster cluster = Started();
        GroupId other = cluster.CreateTopic("other").Partitions[0].Group;
        GroupId group = cluster.CreateTopic("t", configs: ("segment.bytes", "1048576")).Partitions[0].Group;
        Fill(cluster, group, 30);
        cluster.Pass(500);
        cluster[3].Kill();
        Damage(cluster[3], Files(cluster[3], ".log")[0], "missing");
        cluster.Alter = (_, _, message) => message is PeerMessage.RepairWanted ? null : message;
        cluster[3].Start();
        Fill(cluster, other, 600);
        cluster.Pass(3_000);
        Assert.False(cluster[3].Parts.Shard.Context.Journal.IsFull);
        Assert.Equal(Replica(cluster.LeaderOf(other)!, other).Log.LastIndex, Replica(cluster[3], other).Log.LastIndex);

        cluster.Alter = null;
        CheckMended(cluster, group, withinMs: 60_000);
    }

    private static (WholeCluster Cluster, GroupId Group) WithSegments(BrokerOptions? options = null)
    {
        (MemoryDisk[] disks, GroupId group) = Filled.Value;
        WholeCluster cluster = Started(disks, options);
        cluster.Until(() => cluster.LeaderOf(group) is not null, "it is led");
        return (cluster, group);
    }

    /// <summary>Made once: it takes a while.</summary>
    private static (MemoryDisk[] Disks, GroupId Group) Fill()
    {
        WholeCluster cluster = Started();
        GroupId group = cluster.CreateTopic("t", configs: ("segment.bytes", "1048576")).Partitions[0].Group;
        Fill(cluster, group, 45);
        cluster.Pass(3_000);
        Assert.True(Files(cluster[3], ".log").Length > 3);
        return ([.. cluster.Nodes.Select(node => node.Medium)], group);
    }

    /// <summary>With a journal that turns: what is in segments is not in the journal for long.</summary>
    private static WholeCluster Started(MemoryDisk[]? disks = null, BrokerOptions? options = null)
    {
        var cluster = new WholeCluster(3, options ?? Options);
        for (int i = 0; i < cluster.Nodes.Count; i++)
        {
            ClusterNode node = cluster.Nodes[i];
            node.Medium = disks?[i].Copy() ?? node.Medium;
            node.Journal = new JournalOptions { FileBytes = 1 << 18, TotalBytesMax = 1 << 20 };
            node.Start();
        }

        cluster.Until(() => cluster.Nodes.All(n => n.Broker.IsReady), "the nodes are ready");
        return cluster;
    }

    private static void Fill(WholeCluster cluster, GroupId group, int batches)
    {
        for (int i = 0; i < batches; i++)
        {
            cluster.Until(() => cluster.LeaderOf(group) is not null, "it is led");
            cluster.Produce(cluster.LeaderOf(group)!, group, Batches.Plain(valueBytes: 100_000));
            cluster.Pass(20);
        }
    }

    /// <summary>All replicas run, are equal, and their segments are equal byte for byte as far as all of them have written them.</summary>
    private static void CheckMended(WholeCluster cluster, GroupId group, int withinMs = 20_000)
    {
        cluster.Until(
            () => cluster.Nodes.All(node => node.Parts.Damaged.Count == 0 && node.Parts.Shard.Find(group) is not null), "all are mended", withinMs);
        cluster.Until(() => cluster.LeaderOf(group) is not null, "it is led");
        ProduceAnswer answer = cluster.Produce(cluster.LeaderOf(group)!, group, Batches.Plain());
        cluster.Pass(1_000);
        Assert.Equal(ProduceOutcome.Stored, answer.Outcome);
        cluster.Until(() => cluster.Nodes.Select(node => Replica(node, group).Applied).Distinct().Count() == 1, "all have the same");
        foreach (ClusterNode node in cluster.Nodes)
        {
            Assert.Empty(Files(node, ".repair"));
            foreach (string path in Files(node, ".log"))
            {
                foreach (ClusterNode other in cluster.Nodes.Where(other => other.Medium.FileExists(path)))
                {
                    int common = Math.Min(node.Medium[path].Count, other.Medium[path].Count);
                    Assert.True(
                        CollectionsMarshal.AsSpan(node.Medium[path])[..common].SequenceEqual(CollectionsMarshal.AsSpan(other.Medium[path])[..common]),
                        $"{path} on {node.Id} and {other.Id}");
                }
            }
        }

        // And so says the next start.
        foreach (ClusterNode node in cluster.Nodes)
        {
            node.Restart();
            Assert.Empty(node.Parts.Damaged);
        }
    }

    private static RaftMq.Broker.Shards.Replica Replica(ClusterNode node, GroupId group) => node.Parts.Shard.Find(group)!;

    /// <summary>One record in each entry, and an entry before them all.</summary>
    private static long OffsetIn(string path) =>
        Math.Max(0, long.Parse(path[(path.LastIndexOf('/') + 1)..^4], System.Globalization.CultureInfo.InvariantCulture) - 1);

    private static string[] Files(ClusterNode node, string suffix) =>
        [.. node.Medium.Files.Where(f => f.StartsWith("groups/t-0-", StringComparison.Ordinal) && f.EndsWith(suffix, StringComparison.Ordinal))];

    private static void DeleteIndexes(ClusterNode node)
    {
        foreach (string path in Files(node, ".index"))
        {
            node.Medium.DeleteFile(path);
        }
    }

    private static void Damage(ClusterNode node, string path, string how)
    {
        List<byte> bytes = node.Medium[path];
        switch (how)
        {
            case "flipped":
                for (int i = Math.Min(5_000, bytes.Count / 2); i < bytes.Count; i += 50_000)
                {
                    bytes[i] ^= 0xFF;
                }

                break;
            case "cut":
                bytes.RemoveRange(bytes.Count / 3, bytes.Count - (bytes.Count / 3));
                break;
            case "emptied":
                bytes.Clear();
                break;
            case "longer":
                bytes.AddRange(new byte[100]);
                break;
            default:
                node.Medium.DeleteFile(path);
                break;
        }
    }
}
