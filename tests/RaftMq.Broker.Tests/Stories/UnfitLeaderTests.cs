using RaftMq.Broker.Controller;
using RaftMq.Broker.Leadership;
using RaftMq.Broker.Partitions;
using RaftMq.Broker.Peers;
using RaftMq.Broker.Shards;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;
using RaftMq.Storage.Journal;
using WholeCluster = RaftMq.Broker.Tests.Support.Cluster;

namespace RaftMq.Broker.Tests.Stories;

/// <summary>A leader whose disk lets its clients down gives leadership away, and does not get it back before that is over.</summary>
public sealed class UnfitLeaderTests
{
    private static readonly BrokerOptions Options = new()
    {
        OffsetsPartitions = 1,
        Limits = new BrokerLimits { TailBytes = 1 << 20 },
    };

    [Fact]
    public void A_leader_that_finds_its_log_damaged_hands_over_and_readers_find_all_at_the_next()
    {
        (WholeCluster cluster, GroupId group, ClusterNode damaged) = WithDamagedLeader(nodes: 3);

        ReadAnswer first = ReadAnswer.To(damaged, group, offset: 0);
        cluster.Pass(20);
        Assert.Equal(ReadOutcome.Damaged, first.Outcome);
        cluster.Until(() => cluster.LeaderOf(group) is { } other && other != damaged, "another leads", withinMs: 1_000);

        ReadAnswer again = ReadAnswer.To(cluster.LeaderOf(group)!, group, offset: 0);
        cluster.Pass(100);
        Assert.Equal(ReadOutcome.Ok, again.Outcome);

        // It stays the preferred leader, and is not made leader again, not for a moment.
        ClusterNode next = cluster.LeaderOf(group)!;
        Term term = cluster.ReplicaOf(next.Id.Value, group).Term;
        cluster.Pass(20_000);
        Assert.Equal((next, term), (cluster.LeaderOf(group), cluster.ReplicaOf(next.Id.Value, group).Term));
    }

    [Fact]
    public void Damage_that_a_read_found_is_told_in_the_status()
    {
        (WholeCluster cluster, GroupId group, ClusterNode damaged) = WithDamagedLeader(nodes: 3);
        ReadAnswer.To(damaged, group, offset: 0);
        cluster.Pass(20);

        NodeStatus? status = null;
        damaged.Broker.CollectStatus(taken => status = taken);
        cluster.Settle();
        DamagedGroup told = Assert.Single(status!.Damaged);
        Assert.Equal((group, "t-0", true), (told.Group, told.Name, told.IsRunning));
        DamagedGroupTests.CheckNamedOnce(damaged, "LogDamaged", "t-0: ", group);
    }

    [Fact]
    public void Nobody_is_made_leader_whose_data_is_damaged()
    {
        (WholeCluster cluster, GroupId group, ClusterNode damaged) = WithDamagedLeader(nodes: 3);
        ReadAnswer.To(damaged, group, offset: 0);
        cluster.Pass(1_000);

        foreach (ClusterNode asked in cluster.Nodes)
        {
            AdminResult result = cluster.Administer(asked, new AdminCommand.TransferLeadership("t", 0, damaged.Id));
            Assert.Equal(AdminOutcome.Refused, result.Outcome);
            Assert.Contains("its data of this partition is damaged", result.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Where_all_are_damaged_an_operator_chooses_who_leads()
    {
        (WholeCluster cluster, GroupId group, ClusterNode first) = WithDamagedLeader(nodes: 3);
        foreach (ClusterNode other in cluster.Nodes.Where(n => n != first))
        {
            DamageOldestSegment(other);
        }

        while (cluster.Nodes.Any(n => n.Parts.Damaged.Count == 0))
        {
            ReadAnswer.To(cluster.LeaderOf(group)!, group, offset: 0);
            cluster.Pass(2_000);
        }

        ClusterNode last = cluster.LeaderOf(group)!;
        ClusterNode wanted = cluster.Nodes.First(n => n != last);
        Assert.Equal(AdminOutcome.Done, cluster.Administer(last, new AdminCommand.TransferLeadership("t", 0, wanted.Id)).Outcome);
        cluster.Pass(20_000);
        Assert.Equal(wanted, cluster.LeaderOf(group));
    }

    [Fact]
    public void A_node_that_the_cluster_does_not_register_gets_nothing_to_lead_until_it_does()
    {
        WholeCluster cluster = WholeCluster.Started(3, Options);
        GroupId group = cluster.CreateTopic("t").Partitions[0].Group;
        ClusterNode preferred = cluster.LeaderOf(group)!;
        preferred.Kill();
        cluster.Until(() => cluster.LeaderOf(group) is { } other && other != preferred, "another leads");
        cluster.Alter = (from, _, message) => from == preferred.Id && message is PeerMessage.Request ? null : message;
        preferred.Start();
        cluster.Pass(30_000);

        Assert.False(preferred.Broker.IsReady);
        Assert.Contains("not registered this start", preferred.Broker.NotReadyBecause, StringComparison.Ordinal);
        Assert.NotEqual(preferred, cluster.LeaderOf(group));
        AdminResult refused = cluster.Administer(cluster.LeaderOf(group)!, new AdminCommand.TransferLeadership("t", 0, preferred.Id));
        Assert.Equal(AdminOutcome.Refused, refused.Outcome);
        Assert.Contains("it is not registered", refused.Message, StringComparison.Ordinal);

        cluster.Alter = null;
        cluster.Until(() => cluster.LeaderOf(group) == preferred, "it leads again");
        Assert.Null(preferred.Broker.NotReadyBecause);
    }

    [Fact]
    public void A_damaged_leader_without_another_replica_goes_on_with_the_rest()
    {
        (WholeCluster cluster, GroupId group, ClusterNode damaged) = WithDamagedLeader(nodes: 1);
        ReadAnswer.To(damaged, group, offset: 0);
        cluster.Pass(5_000);

        ProduceAnswer produce = cluster.Produce(damaged, group, Batches.Plain());
        cluster.Pass(100);
        Assert.Equal(ProduceOutcome.Stored, produce.Outcome);
    }

    [Fact]
    public void A_leader_whose_journal_is_full_for_long_hands_over_and_leads_again_when_that_is_over()
    {
        WholeCluster cluster = WholeCluster.Started(3, Options);
        GroupId group = cluster.CreateTopic("t").Partitions[0].Group;
        ClusterNode full = cluster.LeaderOf(group)!;
        ShardJournal journal = full.Parts.Shard.Context.Journal;
        IJournal real = journal.Journal;
        journal.Journal = new FullJournal(real);
        cluster.Until(() => cluster.LeaderOf(group) is { } other && other != full, "another leads", withinMs: 2_000);

        ProduceAnswer produce = cluster.Produce(cluster.LeaderOf(group)!, group, Batches.Plain());
        cluster.Pass(100);
        Assert.Equal(ProduceOutcome.Stored, produce.Outcome);
        cluster.Pass(10_000);
        Assert.NotEqual(full, cluster.LeaderOf(group));

        journal.Journal = real;
        cluster.Until(() => cluster.LeaderOf(group) == full, "it leads again", withinMs: 10_000);
    }

    [Fact]
    public void A_wish_to_lead_on_a_node_whose_disk_is_slow_is_fulfilled_when_that_is_over()
    {
        WholeCluster cluster = WholeCluster.Started(3, Options);
        GroupId group = cluster.CreateTopic("t").Partitions[0].Group;
        ClusterNode slow = cluster.Nodes.First(n => n != cluster.LeaderOf(group));
        ShardJournal journal = slow.Parts.Shard.Context.Journal;
        IJournal real = journal.Journal;
        journal.Journal = new FullJournal(real);
        cluster.Pass(2_000);
        var answer = new AdminAnswer();
        cluster[1].Broker.Administer(new AdminCommand.TransferLeadership("t", 0, slow.Id), cluster.NowMs + 20_000, answer);
        cluster.Pass(2_000);
        Assert.Null(answer.Result);
        Assert.NotEqual(slow, cluster.LeaderOf(group));

        journal.Journal = real;
        cluster.Until(() => answer.Result is not null, "it leads", withinMs: SlowDiskWatch.FullMsMax + SlowDiskWatch.HoldMsMin + 1_500);
        Assert.Equal((AdminOutcome.Done, slow), (answer.Result!.Outcome, cluster.LeaderOf(group)));
    }

    [Fact]
    public void A_leader_stays_when_no_replica_is_better_off()
    {
        WholeCluster cluster = WholeCluster.Started(3, Options);
        GroupId group = cluster.CreateTopic("t").Partitions[0].Group;
        ClusterNode leader = cluster.LeaderOf(group)!;
        Term term = cluster.ReplicaOf(leader.Id.Value, group).Term;
        foreach (ClusterNode node in cluster.Nodes)
        {
            node.Parts.Shard.Context.Journal.Journal = new FullJournal(node.Parts.Shard.Context.Journal.Journal);
        }

        cluster.Pass(20_000);
        Assert.Equal((leader, term), (cluster.LeaderOf(group), cluster.ReplicaOf(leader.Id.Value, group).Term));
    }

    /// <summary>Where all disks are slow each is so at another moment: leaders went round among those that were not just then.</summary>
    [Fact]
    public void A_leader_with_a_slow_disk_does_not_go_to_one_whose_disk_was_slow_as_long()
    {
        WholeCluster cluster = WholeCluster.Started(3, Options);
        GroupId group = cluster.CreateTopic("t").Partitions[0].Group;
        ClusterNode leader = cluster.LeaderOf(group)!;
        foreach (ClusterNode node in cluster.Nodes.Where(n => n != leader))
        {
            FillFor(cluster, node, ms: 3_000);
            cluster.Pass(3_000);
        }

        Term term = cluster.ReplicaOf(leader.Id.Value, group).Term;
        FillFor(cluster, leader, ms: 3_000);
        cluster.Pass(3_000);

        Assert.Equal((leader, term), (cluster.LeaderOf(group), cluster.ReplicaOf(leader.Id.Value, group).Term));
    }

    private static void FillFor(WholeCluster cluster, ClusterNode node, int ms)
    {
        ShardJournal journal = node.Parts.Shard.Context.Journal;
        IJournal real = journal.Journal;
        journal.Journal = new FullJournal(real);
        cluster.Pass(ms);
        journal.Journal = real;
    }

    [Fact]
    public void Leaderships_that_begin_and_end_are_told_once_by_name()
    {
        WholeCluster cluster = WholeCluster.Started(3, Options);
        GroupId group = cluster.CreateTopic("t").Partitions[0].Group;
        ClusterNode leader = cluster.LeaderOf(group)!;
        ClusterNode next = cluster.Nodes.First(n => n != leader);
        cluster.Until(() => Told(leader, "LeadershipBegan", "t-0 (term 1)") == 1, "its beginning is told", withinMs: 2_000);

        // Nothing else happens for a while: what is told then is told of the hand-over.
        cluster.Pass(10_000);
        Assert.Equal(AdminOutcome.Done, cluster.Administer(leader, new AdminCommand.TransferLeadership("t", 0, next.Id)).Outcome);
        cluster.Until(
            () => Told(leader, "LeadershipEnded", "t-0") == 1 && Told(next, "LeadershipBegan", "t-0 (term 2)") == 1, "both tell of it",
            withinMs: 2_000);
        cluster.Pass(5_000);
        Assert.Equal(1, Told(leader, "LeadershipBegan", "t-0 "));
        Assert.Equal(1, Told(leader, "LeadershipEnded", "t-0"));
        Assert.Equal(1, Told(next, "LeadershipBegan", "t-0 (term 2)"));
    }

    private static int Told(ClusterNode node, string name, string what) =>
        node.Events.Count(e => e.Name == name && e.Text.Contains(what, StringComparison.Ordinal));

    /// <summary>A leader, the preferred one, whose oldest segment was changed on the disk while its newest entries are in memory.</summary>
    private static (WholeCluster Cluster, GroupId Group, ClusterNode Leader) WithDamagedLeader(int nodes)
    {
        WholeCluster cluster = WholeCluster.Started(nodes, Options);
        GroupId group = cluster.CreateTopic("t", configs: ("segment.bytes", "1048576")).Partitions[0].Group;
        ClusterNode leader = cluster.LeaderOf(group)!;
        for (int i = 0; i < 40; i++)
        {
            cluster.Produce(leader, group, Batches.Plain(valueBytes: 100_000));
            cluster.Pass(20);
        }

        cluster.Pass(3_000);
        DamageOldestSegment(leader);

        // Its repair is another story.
        cluster.Alter = static (_, _, message) => message is PeerMessage.RepairWanted ? null : message;
        return (cluster, group, leader);
    }

    private static void DamageOldestSegment(ClusterNode node)
    {
        string oldest = node.Medium.Files
            .Where(f => f.StartsWith("groups/t-0-", StringComparison.Ordinal) && f.EndsWith(".log", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal).First();
        for (int i = 5_000; i < node.Medium[oldest].Count; i += 5_000)
        {
            node.Medium[oldest][i] ^= 0xFF;
        }
    }
}
