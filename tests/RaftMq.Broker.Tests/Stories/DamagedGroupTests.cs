using RaftMq.Broker.Controller;
using RaftMq.Broker.Partitions;
using RaftMq.Broker.Peers;
using RaftMq.Broker.Shards;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;
using WholeCluster = RaftMq.Broker.Tests.Support.Cluster;

namespace RaftMq.Broker.Tests.Stories;

/// <summary>
/// A replica that does not start because its data is damaged is kept as evidence for as long as its group counts on it: until the topic goes, or until it
/// is out of the group, where it can't be mended.
/// </summary>
public sealed class DamagedGroupTests
{
    [Fact]
    public void The_files_of_a_damaged_group_go_with_its_topic()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        GroupId group = Damage(cluster, cluster.CreateTopic("t"));
        KeepInGroup(cluster);
        cluster[3].Start();
        cluster.Until(() => cluster[3].Broker.IsReady, "the node is ready");
        cluster.Pass(2_000);
        Assert.Contains(cluster[3].Parts.Damaged, damaged => damaged.Group == group);
        Assert.NotEmpty(FilesOf(cluster[3], "t"));
        CheckNamedOnce(cluster[3], "GroupDamaged", $"groups/t-0-{group} does not start on this node, its data here is damaged: ", group);

        Assert.Equal(AdminOutcome.Done, cluster.Administer(cluster[1], new AdminCommand.DeleteTopic("t", UInt128.Zero)).Outcome);
        CheckGone(cluster);
    }

    [Fact]
    public void The_files_of_a_damaged_group_go_when_its_topic_was_deleted_while_the_node_was_away()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        Damage(cluster, cluster.CreateTopic("t"));
        Assert.Equal(AdminOutcome.Done, cluster.Administer(cluster[1], new AdminCommand.DeleteTopic("t", UInt128.Zero)).Outcome);
        TopicInfo kept = cluster.CreateTopic("t");

        cluster[3].Start();
        cluster.Until(() => cluster[3].Parts.Shard.Find(kept.Partitions[0].Group) is not null, "it has the new one of that name");
        cluster.Until(() => cluster[3].Parts.Damaged.Count == 0, "it gives the damaged one up");
        cluster.Pass(100);
        Assert.All(FilesOf(cluster[3], "t"), file => Assert.Contains(kept.Partitions[0].Group.ToString(), file, StringComparison.Ordinal));
    }

    /// <summary>Its node is heard, so that only what the replica lacks tells; and no tick counts that while the group sleeps.</summary>
    [Fact]
    public void A_replica_that_does_not_start_is_not_in_sync_though_its_group_falls_asleep()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        GroupId group = Damage(cluster, cluster.CreateTopic("t"));
        KeepInGroup(cluster);
        cluster[3].Start();
        cluster.Until(() => cluster[3].Broker.IsReady, "the node is ready");
        ProduceAnswer first = cluster.Produce(cluster.LeaderOf(group)!, group, Batches.Plain());
        cluster.Until(() => cluster.ReplicaOf(cluster.LeaderOf(group)!.Id.Value, group).IsQuiet, "the group sleeps");
        Assert.Equal(ProduceOutcome.Stored, first.Outcome);

        Replica leader = cluster.ReplicaOf(cluster.LeaderOf(group)!.Id.Value, group);
        cluster.Until(() => leader.InSyncCount == 2, "it counts no more", withinMs: 2_000);
        cluster.Produce(cluster.LeaderOf(group)!, group, Batches.Plain());
        cluster.Pass(500);
        Assert.False(leader.IsQuiet);
        Assert.Equal(2, leader.InSyncCount);
    }

    /// <summary>It lacks nothing yet, and its group sleeps: only its node's word tells.</summary>
    [Fact]
    public void A_replica_that_does_not_start_is_not_in_sync_though_it_lacks_nothing()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        TopicInfo topic = cluster.CreateTopic("t");
        GroupId group = topic.Partitions[0].Group;
        cluster.Until(() => cluster.LeaderOf(group) is not null, "it has a leader");
        cluster.Administer(cluster[1], new AdminCommand.TransferLeadership("t", 0, cluster[1].Id));
        cluster.Until(() => cluster.LeaderOf(group) == cluster[1], "the first node leads");
        Damage(cluster, topic);
        KeepInGroup(cluster);
        cluster[3].Start();
        cluster.Until(() => cluster[3].Broker.IsReady, "the node is ready");
        Replica leader = cluster.ReplicaOf(1, group);

        cluster.Until(() => leader.InSyncCount == 2, "it counts no more", withinMs: 2_000);
        cluster.Pass(2_000);
        Assert.Equal(2, leader.InSyncCount);
        Assert.Equal(leader.Log.LastIndex, leader.Progress.Single(peer => peer.Replica.Node == cluster[3].Id).Match);
    }

    /// <summary>What is lost decides what the node still knows of it: its name, or only the key in the journal.</summary>
    [Theory]
    [InlineData("/group.meta", false)]
    [InlineData("/", false)]
    [InlineData("/group.meta", true)]
    [InlineData("/", true)]
    public void A_replica_that_cannot_be_mended_where_it_is_leaves_its_group_and_comes_back_without_anything(string lost, bool cameByMovement)
    {
        WholeCluster cluster = WholeCluster.Started(3);
        TopicInfo topic = cluster.CreateTopic("t");
        GroupId group = topic.Partitions[0].Group;
        if (cameByMovement)
        {
            Move(cluster, 1, 2);
            cluster.Until(() => cluster[3].Parts.Shard.Find(group) is null, "the third node has given its replica up");
            Move(cluster, 1, 2, 3);
            cluster.Until(() => InSync(cluster, group) == 3, "it has a new one");
        }

        ProduceAnswer stored = cluster.Produce(cluster.LeaderOf(group)!, group, Batches.Plain(records: 3));
        cluster.Pass(200);
        Assert.Equal(ProduceOutcome.Stored, stored.Outcome);
        cluster[3].Kill();
        string[] files = [.. FilesOf(cluster[3], "t").Where(file => file.Contains(lost, StringComparison.Ordinal))];
        Assert.NotEmpty(files);
        foreach (string file in files)
        {
            cluster[3].Medium.DeleteFile(file);
        }

        if (lost == "/")
        {
            cluster[3].Medium.DeleteFolder(cluster[3].Medium.Folders.Single(f => f.StartsWith("groups/t-0", StringComparison.Ordinal)));
        }

        KeepInGroup(cluster);
        cluster[3].Start();
        cluster.Pass(5_000);
        DamagedGroup damaged = Assert.Single(cluster[3].Parts.Damaged);
        Assert.True(damaged.Group.IsLifeOf(group));
        Assert.Null(cluster[3].Parts.Shard.Find(group));

        cluster.Alter = null;
        cluster.Until(() => cluster[3].Parts.Shard.Find(group) is not null && InSync(cluster, group) == 3, "it is made anew");
        Assert.Empty(cluster[3].Parts.Damaged);
        Assert.Equal(3, cluster.ReplicaOf(3, group).Membership.Voters.Count);
        cluster.Until(
            () => cluster.ReplicaOf(3, group).Log.NextOffset == cluster.ReplicaOf(cluster.LeaderOf(group)!.Id.Value, group).Log.NextOffset,
            "it has all records");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_journal_of_a_node_with_a_damaged_group_goes_on_turning(bool controller)
    {
        WholeCluster cluster = WholeCluster.Started(3);
        GroupId other = cluster.CreateTopic("other").Partitions[0].Group;
        GroupId damaged = Damage(cluster, cluster.CreateTopic("t"));
        if (controller)
        {
            // Its folder is gone; the journal alone knows of it.
            damaged = cluster[1].Parts.Shard.Replicas.Values.Single(r => r.Name is GroupName.Controller).Group;
            cluster[3].Medium.DeleteFolder(cluster[3].Medium.Folders.Single(f => f.StartsWith("groups/controller-", StringComparison.Ordinal)));
        }

        cluster[3].Start();
        cluster.Pass(1_000);
        FillJournalsOften(cluster, other);
        CheckWell(cluster, other, damaged, isMadeAnew: !controller);

        cluster[3].Restart();
        cluster.Pass(3_000);
        FillJournalsOften(cluster, other);
        CheckWell(cluster, other, damaged, isMadeAnew: !controller);
    }

    /// <summary>Several times what a journal may take.</summary>
    private static void FillJournalsOften(WholeCluster cluster, GroupId group)
    {
        for (int i = 0; i < 600; i++)
        {
            ProduceAnswer answer = cluster.Produce(cluster.LeaderOf(group)!, group, Batches.Plain(valueBytes: 100_000));
            cluster.Pass(20);
            Assert.Equal(ProduceOutcome.Stored, answer.Outcome);
        }
    }

    /// <summary>The third node has room, follows the other group, and the damaged one once it is made anew; the controller's is not.</summary>
    private static void CheckWell(WholeCluster cluster, GroupId other, GroupId damaged, bool isMadeAnew)
    {
        cluster.Pass(2_000);
        NodeStatus? status = null;
        cluster[3].Broker.CollectStatus(taken => status = taken);
        cluster.Settle();
        Assert.False(status!.IsJournalFull);
        LimitUse bytes = status.Limits.Single(use => use.Limit == "journal_bytes");
        Assert.True(bytes.Used <= bytes.Max, bytes.ToString());
        Assert.Equal(
            cluster.ReplicaOf(cluster.LeaderOf(other)!.Id.Value, other).Log.LastIndex, cluster.ReplicaOf(3, other).Log.LastIndex);
        if (isMadeAnew)
        {
            // The journal had to let go of what mending it would have needed.
            Assert.Empty(status.Damaged);
            Assert.Equal(
                cluster.ReplicaOf(cluster.LeaderOf(damaged)!.Id.Value, damaged).Log.LastIndex, cluster.ReplicaOf(3, damaged).Log.LastIndex);
        }
        else
        {
            Assert.Contains(status.Damaged, d => d.Group == damaged);
            Assert.Null(cluster[3].Parts.Shard.Find(damaged));
        }
    }

    /// <summary>Red before: the name came again, with the group's id. Files may have both in theirs.</summary>
    internal static void CheckNamedOnce(ClusterNode node, string name, string beginning, GroupId group)
    {
        string text = Assert.Single(node.Events, happened => happened.Name == name).Text;
        Assert.StartsWith(beginning, text, StringComparison.Ordinal);
        string report = text[beginning.Length..].Replace($"groups/t-0-{group}/", "", StringComparison.Ordinal);
        Assert.DoesNotContain("t-0", report, StringComparison.Ordinal);
        Assert.DoesNotContain(group.ToString(), report, StringComparison.Ordinal);
        Assert.DoesNotContain("..", report, StringComparison.Ordinal);
        Assert.EndsWith(".", report, StringComparison.Ordinal);
    }

    /// <summary>Nobody hears that the replica is to be made anew.</summary>
    private static void KeepInGroup(WholeCluster cluster) =>
        cluster.Alter = (_, _, message) => message is PeerMessage.Request request
            && AdminCodec.TryDecodeRequest(request.Body.Span) is ControllerRequest.MakeAnew ? null : message;

    private static void Move(WholeCluster cluster, params int[] to) => Assert.Equal(
        AdminOutcome.Done,
        cluster.Administer(cluster[1], new AdminCommand.Reassign("t", 0, [.. to.Select(id => new NodeId(id))])).Outcome);

    private static int InSync(WholeCluster cluster, GroupId group) =>
        cluster.LeaderOf(group) is { } leader && cluster.ReplicaOf(leader.Id.Value, group) is { IsMembershipSettled: true } leading
            ? leading.InSyncCount : 0;

    private static void CheckGone(WholeCluster cluster)
    {
        cluster.Until(() => FilesOf(cluster[3], "t").Length == 0, "its files are gone");
        Assert.Empty(cluster[3].Parts.Damaged);

        // Neither the journal nor the folder brings it back.
        cluster[3].Restart();
        cluster.Until(() => cluster[3].Broker.IsReady, "the node is ready again");
        cluster.Pass(1_000);
        Assert.Empty(cluster[3].Parts.Damaged);
        Assert.Empty(FilesOf(cluster[3], "t"));
    }

    private static GroupId Damage(WholeCluster cluster, TopicInfo topic)
    {
        GroupId group = topic.Partitions[0].Group;
        cluster.Produce(cluster.LeaderOf(group)!, group, Batches.Plain(records: 3));
        cluster.Pass(200);
        Replica controller = cluster[3].Parts.Shard.Replicas.Values.Single(replica => replica.Name is GroupName.Controller);
        if (controller.IsLeader)
        {
            // What it asks of the controller is to go over the wire; see KeepInGroup.
            controller.TransferLeadership(cluster[1].Id);
            cluster.Until(() => !controller.IsLeader, "another node leads the controller");
        }

        cluster[3].Kill();
        string[] files = FilesOf(cluster[3], "t");
        Assert.NotEmpty(files);
        foreach (string path in files.Where(file => cluster[3].Medium[file].Count > 0))
        {
            cluster[3].Medium[path][^1] ^= 0xFF;
        }

        return group;
    }

    private static string[] FilesOf(ClusterNode node, string topic) =>
        [.. node.Medium.Files.Where(file => file.StartsWith($"groups/{topic}-0", StringComparison.Ordinal))];
}
