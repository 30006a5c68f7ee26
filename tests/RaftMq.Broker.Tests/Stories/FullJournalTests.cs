using RaftMq.Broker.Controller;
using RaftMq.Broker.Partitions;
using RaftMq.Broker.Shards;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;
using WholeCluster = RaftMq.Broker.Tests.Support.Cluster;

namespace RaftMq.Broker.Tests.Stories;

/// <summary>What a node does whose journal takes nothing more (BOUNDED): producers wait, followers take less, elections go on.</summary>
public sealed class FullJournalTests
{
    private const int QueueBytes = 64 << 10;

    private static readonly BrokerOptions Options = new()
    {
        OffsetsPartitions = 1,
        Limits = new BrokerLimits { JournalQueueBytes = QueueBytes },
    };

    [Fact]
    public void A_leader_whose_disk_is_stalled_holds_produces_until_the_disk_goes_on()
    {
        WholeCluster cluster = WholeCluster.Started(1, Options);
        GroupId group = cluster.CreateTopic("t").Partitions[0].Group;
        cluster[1].DiskHangs = true;
        ProduceAnswer[] answers = [.. Enumerable.Range(0, 40).Select(_ => cluster.Produce(cluster[1], group, Batches.Plain(valueBytes: 8_000)))];
        cluster.Pass(100);

        Assert.InRange(answers.Count(a => a.IsAdmitted), QueueBytes / 9_000, (QueueBytes / 8_000) + 1);
        Assert.True(cluster[1].Parts.Shard.Context.Journal.IsFull);
        Assert.InRange(cluster[1].Parts.Shard.Context.Journal.QueuedBytes, QueueBytes, QueueBytes + 9_000);

        cluster[1].DiskHangs = false;
        cluster.Pass(100);
        Assert.All(answers, a => Assert.Equal(ProduceOutcome.Stored, a.Outcome));
        Assert.Equal(Enumerable.Range(0, 40).Select(n => (long?)n), answers.Select(a => a.BaseOffset));
        Assert.Equal(0, cluster[1].Parts.Shard.Context.Journal.QueuedBytes);
    }

    [Fact]
    public void What_waits_for_room_until_its_deadline_has_timed_out_and_is_counted()
    {
        WholeCluster cluster = WholeCluster.Started(1, Options);
        GroupId group = cluster.CreateTopic("t").Partitions[0].Group;
        cluster[1].DiskHangs = true;
        for (int i = 0; i < 10; i++)
        {
            cluster.Produce(cluster[1], group, Batches.Plain(valueBytes: 8_000), deadlineMs: 60_000);
        }

        ProduceAnswer late = cluster.Produce(cluster[1], group, Batches.Plain(valueBytes: 100), deadlineMs: 1_000);
        cluster.Pass(900);
        Assert.False(late.IsAdmitted);
        cluster.Pass(200);

        NodeStatus status = Collected(cluster, cluster[1]);
        Assert.True(status.IsJournalFull);
        Assert.True(status.Holds.Produces > 1);
        Assert.Equal(1, status.Holds.ProducesTimedOut);
        Assert.InRange(Used(status, "journal_queue_bytes"), QueueBytes, QueueBytes + 9_000);
        Assert.InRange(Used(status, "uncommitted_bytes"), QueueBytes, QueueBytes + 9_000);
        Assert.Equal(Used(status, "uncommitted_bytes"), Used(status, "uncommitted_bytes_per_group"));
        Assert.InRange(Used(status, "tail_bytes"), QueueBytes, 1 << 20);
        Assert.InRange(Used(status, "waiting_produces_per_partition"), 1, 9);
        Assert.True(Used(status, "journal_bytes") >= Used(status, "journal_files"));
        Assert.Equal(ProduceOutcome.TimedOut, late.Outcome);
        Assert.Contains("journal", late.Result!.Value.Message, StringComparison.Ordinal);
        Assert.Equal(1, cluster[1].Parts.Shard.Context.Holds.ProducesTimedOut);
    }

    [Fact]
    public void Windows_show_what_a_follower_was_sent_and_has_not_acknowledged()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        GroupId group = cluster.CreateTopic("t").Partitions[0].Group;
        ClusterNode leader = cluster.LeaderOf(group)!;
        ClusterNode silent = cluster.Nodes.First(node => node != leader);
        cluster.Produce(leader, group, Batches.Plain());
        cluster.Pass(500);
        Assert.Equal(0, Used(Collected(cluster, leader), "replication_window_entries"));

        cluster.IsCut = (from, _, _) => from == silent.Id;
        cluster.Produce(leader, group, Batches.Plain(valueBytes: 8_000));
        cluster.Produce(leader, group, Batches.Plain(valueBytes: 8_000));
        cluster.Settle();

        NodeStatus status = Collected(cluster, leader);
        Assert.Equal(2, Used(status, "replication_window_entries"));
        Assert.InRange(Used(status, "replication_window_bytes"), 16_000, 17_000);
        Assert.Equal(0, Used(status, "uncommitted_bytes_per_group"));
        Assert.Equal(
            [("uncommitted_bytes_per_group", 32L << 20), ("replication_window_entries", 256), ("replication_window_bytes", 8 << 20)],
            status.Limits.Where(use => use.Limit.StartsWith("repl", StringComparison.Ordinal) || use.Limit.EndsWith("group", StringComparison.Ordinal))
                .Select(use => (use.Limit, use.Max)));
    }

    [Fact]
    public void A_follower_whose_disk_is_stalled_takes_no_more_than_its_limit_and_catches_up_later()
    {
        WholeCluster cluster = WholeCluster.Started(3, Options);
        GroupId group = cluster.CreateTopic("t").Partitions[0].Group;
        ClusterNode leader = cluster.LeaderOf(group)!;
        Term term = cluster.ReplicaOf(leader.Id.Value, group).Term;
        ClusterNode slow = cluster.Nodes.First(n => n != leader);
        slow.DiskHangs = true;
        for (int i = 0; i < 100; i++)
        {
            ProduceAnswer answer = cluster.Produce(leader, group, Batches.Plain(valueBytes: 8_000));
            cluster.Pass(20);
            Assert.Equal(ProduceOutcome.Stored, answer.Outcome);
        }

        cluster.Pass(3_000);
        Assert.InRange(slow.Parts.Shard.Context.Journal.QueuedBytes, QueueBytes, 2 * QueueBytes);
        Assert.True(slow.Parts.Shard.Context.Holds.AppendsHeldOff > 0);

        // It heard its leader all the time.
        Assert.Equal(term, cluster.ReplicaOf(slow.Id.Value, group).Term);
        Assert.Equal(leader.Id, cluster.ReplicaOf(slow.Id.Value, group).Leader?.Node);

        slow.DiskHangs = false;
        cluster.Until(
            () => cluster.ReplicaOf(slow.Id.Value, group).DurableIndex == cluster.ReplicaOf(leader.Id.Value, group).DurableIndex,
            "it has everything");
    }

    [Fact]
    public void A_follower_with_a_full_journal_still_takes_what_lets_a_new_leader_commit()
    {
        WholeCluster cluster = WholeCluster.Started(3, Options);
        GroupId group = cluster.CreateTopic("t").Partitions[0].Group;
        ClusterNode leader = cluster.LeaderOf(group)!;
        ClusterNode[] others = [.. cluster.Nodes.Where(n => n != leader)];

        // Both others have everything, but the files of one are full: it takes a trickle of what comes, and falls behind.
        cluster.Produce(leader, group, Batches.Plain());
        cluster.Pass(500);
        MakeFull(cluster, others[0]);
        LogIndex before = cluster.ReplicaOf(others[0].Id.Value, group).DurableIndex;
        for (int i = 0; i < 100; i++)
        {
            cluster.Produce(leader, group, Batches.Plain(valueBytes: 30_000));
            cluster.Pass(10);
        }

        Replica full = cluster.ReplicaOf(others[0].Id.Value, group);
        Assert.InRange(full.DurableIndex - before, 1, 30);
        Assert.Equal(before + 100, cluster.ReplicaOf(others[1].Id.Value, group).DurableIndex);
        Assert.True(others[0].Parts.Shard.Context.Holds.AppendsHeldOff > 0);
        before = full.DurableIndex;

        leader.Kill();
        cluster.Until(() => cluster.LeaderOf(group) is { } next && next == others[1], "the one that has everything leads, and serves");

        // What it serves is committed by the two of them, the full one included.
        Assert.True(cluster.ReplicaOf(others[0].Id.Value, group).DurableIndex > before);
    }

    [Fact]
    public void A_follower_whose_journal_is_at_its_hard_limit_takes_nothing_that_is_committed_without_it()
    {
        WholeCluster cluster = WholeCluster.Started(3, Options);
        GroupId group = cluster.CreateTopic("t").Partitions[0].Group;
        ClusterNode leader = cluster.LeaderOf(group)!;
        ClusterNode[] others = [.. cluster.Nodes.Where(n => n != leader)];
        Assert.Equal(ProduceOutcome.Stored, Produced(cluster, leader, group));
        cluster.Pass(500);
        FullJournal journal = MakeFull(cluster, others[0], atHardLimit: true);
        Replica full = cluster.ReplicaOf(others[0].Id.Value, group);
        LogIndex before = full.DurableIndex;

        // The first that comes may be on its way to the other one still, and is taken.
        for (int i = 0; i < 50; i++)
        {
            Assert.Equal(ProduceOutcome.Stored, Produced(cluster, leader, group));
        }

        Assert.InRange(full.DurableIndex - before, 0, 5);
        before = full.DurableIndex;
        cluster.Pass(5_000);
        Assert.Equal(before, full.DurableIndex);

        journal.IsAtHardLimit = false;
        cluster.Until(() => full.DurableIndex == cluster.ReplicaOf(leader.Id.Value, group).DurableIndex, "it has everything");

        // At the limit again, it takes what nobody can commit without it.
        journal.IsAtHardLimit = true;
        cluster.Pass(100);
        others[1].Kill();
        Assert.Equal(ProduceOutcome.Stored, Produced(cluster, leader, group));
    }

    private static ProduceOutcome? Produced(WholeCluster cluster, ClusterNode leader, GroupId group)
    {
        ProduceAnswer answer = cluster.Produce(leader, group, Batches.Plain());
        cluster.Pass(20);
        return answer.Outcome;
    }

    /// <summary>Red without <see cref="PastFullQueue"/>: what groups give the journal again fills its queue for as long as nothing is committed.</summary>
    [Fact]
    public void Queues_that_are_full_everywhere_all_the_time_keep_no_leader_from_committing()
    {
        WholeCluster cluster = WholeCluster.Started(3, Options with { Limits = new BrokerLimits { JournalQueueBytes = 0 } });
        TopicInfo topic = cluster.CreateTopic("t", 6);
        Assert.All(cluster.Nodes, node => Assert.True(node.Parts.Shard.Context.Journal.QueueIsFull));
        Assert.All(topic.Partitions, partition => cluster.Until(() => cluster.LeaderOf(partition.Group) is not null, $"{partition.Group} has a leader that serves"));
    }

    private static NodeStatus Collected(WholeCluster cluster, ClusterNode node)
    {
        NodeStatus? status = null;
        node.Broker.CollectStatus(taken => status = taken);
        cluster.Settle();
        return status!;
    }

    private static long Used(NodeStatus status, string limit) => status.Limits.Single(use => use.Limit == limit).Used;

    /// <summary>Its journal says that its files are full, as it does when segments are slow.</summary>
    private static FullJournal MakeFull(WholeCluster cluster, ClusterNode node, bool atHardLimit = false)
    {
        ShardJournal journal = node.Parts.Shard.Context.Journal;
        var full = new FullJournal(journal.Journal) { IsAtHardLimit = atHardLimit };
        journal.Journal = full;
        cluster.Pass(20);
        Assert.True(journal.IsFull);
        return full;
    }
}
