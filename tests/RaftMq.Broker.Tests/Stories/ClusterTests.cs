using System.Collections.Immutable;
using RaftMq.Broker.Controller;
using RaftMq.Broker.Environment;
using RaftMq.Broker.Partitions;
using RaftMq.Broker.Shards;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;
using WholeCluster = RaftMq.Broker.Tests.Support.Cluster;

namespace RaftMq.Broker.Tests.Stories;

/// <summary>Stories of whole nodes: what one of them once got wrong, and the ways of a cluster that no part has alone.</summary>
public sealed class ClusterTests
{
    [Fact]
    public void A_cluster_forms_and_stores_a_batch_that_every_node_reads()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        GroupId group = cluster.CreateTopic("t").Partitions[0].Group;

        ProduceAnswer answer = cluster.Produce(cluster.LeaderOf(group)!, group, Batches.Plain(records: 3));
        cluster.Settle();

        Assert.Equal((ProduceOutcome.Stored, 0L), (answer.Outcome, answer.BaseOffset));
        cluster.Pass(200);
        Assert.All(cluster.Nodes, node =>
            Assert.Equal(3, ((Partition)node.Parts.Shard.Find(group)!.Machine).State.HighWatermark));
    }

    [Fact]
    public void Deleting_a_topic_freezes_no_other_partition()
    {
        WholeCluster cluster = WholeCluster.Started(1);
        GroupId doomed = cluster.CreateTopic("doomed").Partitions[0].Group;
        GroupId kept = cluster.CreateTopic("kept").Partitions[0].Group;
        var deleted = new AdminAnswer();

        // All in one turn, so that the deletion is applied while both partitions have something to do.
        cluster.Produce(cluster[1], doomed, Batches.Plain());
        cluster[1].Broker.Administer(new AdminCommand.DeleteTopic("doomed", UInt128.Zero), cluster.NowMs + 1_000, deleted);
        ProduceAnswer first = cluster.Produce(cluster[1], kept, Batches.Plain());
        cluster.Pass(50);
        ProduceAnswer second = cluster.Produce(cluster[1], kept, Batches.Plain());
        cluster.Pass(50);

        Assert.Equal(AdminOutcome.Done, deleted.Result?.Outcome);
        Assert.Equal(ProduceOutcome.Stored, first.Outcome);
        Assert.Equal(ProduceOutcome.Stored, second.Outcome);
    }

    [Fact]
    public void What_a_deleted_partition_had_given_to_the_journal_does_not_bring_it_back_to_life()
    {
        WholeCluster cluster = WholeCluster.Started(1);
        GroupId doomed = cluster.CreateTopic("doomed").Partitions[0].Group;
        cluster[1].DiskHangs = true;
        cluster[1].Broker.Administer(new AdminCommand.DeleteTopic("doomed", UInt128.Zero), cluster.NowMs + 1_000, new AdminAnswer());
        cluster.Settle();
        ProduceAnswer late = cluster.Produce(cluster[1], doomed, Batches.Plain());
        cluster.Settle();

        cluster[1].DiskHangs = false;
        cluster.Pass(100);

        Assert.Equal(ProduceOutcome.NotLeader, late.Outcome);
        Assert.Null(cluster[1].Parts.Shard.Find(doomed));
        Assert.False(cluster[1].Broker.Cluster.Leaders.ContainsKey(doomed));
    }

    [Fact]
    public void A_topic_made_again_under_its_name_starts_empty_everywhere()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        TopicInfo old = cluster.CreateTopic("t");
        cluster.Produce(cluster.LeaderOf(old.Partitions[0].Group)!, old.Partitions[0].Group, Batches.Plain());
        cluster.Settle();
        cluster[3].Kill();
        Assert.Equal(AdminOutcome.Done, cluster.Administer(cluster[1], new AdminCommand.DeleteTopic("t", UInt128.Zero)).Outcome);
        TopicInfo made = cluster.CreateTopic("t");
        cluster[3].Start();

        cluster.Until(() => cluster[3].Parts.Shard.Find(made.Partitions[0].Group) is not null, "the node that was away has the new one");
        cluster.Until(() => cluster[3].Parts.Shard.Find(old.Partitions[0].Group) is null, "and gives the old one up");

        Assert.NotEqual(old.Id, made.Id);
        ProduceAnswer answer = cluster.Produce(
            cluster.LeaderOf(made.Partitions[0].Group)!, made.Partitions[0].Group, Batches.Plain());
        cluster.Pass(100);
        Assert.Equal(0, answer.BaseOffset);
    }

    [Fact]
    public void A_topic_that_grows_keeps_its_partitions_and_the_new_ones_take_records()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        GroupId first = cluster.CreateTopic("t").Partitions[0].Group;
        cluster.Produce(cluster.LeaderOf(first)!, first, Batches.Plain());
        cluster.Settle();
        Assert.Equal(AdminOutcome.Done, cluster.Administer(cluster[1], new AdminCommand.AddPartitions("t", 3, [], ValidateOnly: false)).Outcome);
        cluster.Until(() => cluster.Nodes.All(n => n.Broker.Cluster.Topics["t"].Partitions.Length == 3), "all nodes know of them");

        ImmutableArray<PartitionInfo> partitions = cluster[1].Broker.Cluster.Topics["t"].Partitions;
        Assert.Equal([0, 1, 2], partitions.Select(p => p.Number));
        Assert.Equal(first, partitions[0].Group);
        cluster.Until(() => partitions.All(p => cluster.LeaderOf(p.Group) is not null), "all are led");
        ProduceAnswer[] answers = [.. partitions.Select(p => cluster.Produce(cluster.LeaderOf(p.Group)!, p.Group, Batches.Plain()))];
        cluster.Pass(100);
        Assert.Equal([1L, 0L, 0L], answers.Select(a => a.BaseOffset));
        Assert.All(cluster.Nodes, node => Assert.All(partitions, p => Assert.NotNull(node.Parts.Shard.Find(p.Group))));
    }

    [Fact]
    public void An_ack_held_back_for_a_dead_replica_is_refused_at_its_deadline_though_the_group_is_quiet()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        GroupId group = cluster.CreateTopic("t", configs: ("min.insync.replicas", "3")).Partitions[0].Group;
        ClusterNode leader = cluster.LeaderOf(group)!;
        cluster.Nodes.First(n => n != leader).Kill();

        ProduceAnswer answer = cluster.Produce(leader, group, Batches.Plain(), deadlineMs: 5_000);
        cluster.Pass(4_900);
        Assert.Null(answer.Result);
        cluster.Pass(200);

        Assert.Equal(ProduceOutcome.NotEnoughReplicasAfterAppend, answer.Outcome);
    }

    /// <summary>Found by the system calls of a slow disk: followers commit first, and nothing else happens to the group afterwards.</summary>
    [Fact]
    public void An_ack_held_back_for_all_replicas_leaves_when_the_leaders_own_write_is_the_last_to_be_durable()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        GroupId group = cluster.CreateTopic("t", configs: ("min.insync.replicas", "3")).Partitions[0].Group;
        ClusterNode leader = cluster.LeaderOf(group)!;
        leader.DiskHangs = true;
        ProduceAnswer answer = cluster.Produce(leader, group, Batches.Plain());
        cluster.Settle();
        Assert.Null(answer.Result);

        leader.DiskHangs = false;
        cluster.Settle();

        Assert.Equal(ProduceOutcome.Stored, answer.Outcome);
    }

    [Fact]
    public void A_duplicate_is_held_back_under_the_same_conditions_as_its_original()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        GroupId group = cluster.CreateTopic("t", configs: ("min.insync.replicas", "3")).Partitions[0].Group;
        ClusterNode leader = cluster.LeaderOf(group)!;
        ClusterNode away = cluster.Nodes.First(n => n != leader);
        away.Kill();
        ProduceAnswer original = cluster.Produce(leader, group, Batches.Idempotent(7, sequence: 0), deadlineMs: 9_000);
        cluster.Pass(100);
        ProduceAnswer duplicate = cluster.Produce(leader, group, Batches.Idempotent(7, sequence: 0), deadlineMs: 9_000);
        cluster.Pass(1_000);
        Assert.Null(original.Result);
        Assert.Null(duplicate.Result);

        away.Start();
        cluster.Until(() => duplicate.Result is not null, "the third replica has it");

        Assert.Equal((ProduceOutcome.Stored, 0L), (original.Outcome, original.BaseOffset));
        Assert.Equal((ProduceOutcome.Stored, 0L), (duplicate.Outcome, duplicate.BaseOffset));
    }

    [Fact]
    public void Too_few_replicas_in_sync_refuse_at_once()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        GroupId group = cluster.CreateTopic("t", configs: ("min.insync.replicas", "3")).Partitions[0].Group;
        ClusterNode leader = cluster.LeaderOf(group)!;
        cluster.Nodes.First(n => n != leader).Kill();
        ProduceAnswer behind = cluster.Produce(leader, group, Batches.Plain(), deadlineMs: 30_000);
        cluster.Pass(12_000);

        // While the group is quiet nobody counts; the next send wakes it, and what is held back already shows the count soon after.
        cluster.Produce(leader, group, Batches.Plain(), deadlineMs: 1_000);
        cluster.Pass(12_000);
        ProduceAnswer answer = cluster.Produce(leader, group, Batches.Plain());
        cluster.Settle();

        Assert.Equal(ProduceOutcome.NotEnoughReplicas, answer.Outcome);
        Assert.Null(behind.Result);
    }

    [Fact]
    public void A_quick_retry_across_a_leader_change_gets_the_original_offset()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        GroupId group = cluster.CreateTopic("t").Partitions[0].Group;
        ClusterNode first = cluster.LeaderOf(group)!;
        cluster.Produce(first, group, Batches.Idempotent(7, sequence: 0, records: 3));
        cluster.Settle();
        ProduceAnswer stored = cluster.Produce(first, group, Batches.Idempotent(7, sequence: 3, records: 2));
        cluster.Settle();
        Assert.Equal(3, stored.BaseOffset);
        first.Kill();
        cluster.Until(() => cluster.LeaderOf(group) is not null, "another leads");

        ProduceAnswer retry = cluster.Produce(cluster.LeaderOf(group)!, group, Batches.Idempotent(7, sequence: 3, records: 2));
        ProduceAnswer next = cluster.Produce(cluster.LeaderOf(group)!, group, Batches.Idempotent(7, sequence: 5));
        cluster.Pass(200);

        Assert.Equal((ProduceOutcome.Stored, 3L), (retry.Outcome, retry.BaseOffset));
        Assert.Equal((ProduceOutcome.Stored, 5L), (next.Outcome, next.BaseOffset));
    }

    [Fact]
    public void A_duplicate_of_a_batch_in_flight_waits_and_gets_its_offset()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        GroupId group = cluster.CreateTopic("t").Partitions[0].Group;
        ClusterNode leader = cluster.LeaderOf(group)!;
        cluster.IsCut = (_, _, lane) => lane == PeerLane.Append;
        ProduceAnswer original = cluster.Produce(leader, group, Batches.Idempotent(7, sequence: 0));
        ProduceAnswer duplicate = cluster.Produce(leader, group, Batches.Idempotent(7, sequence: 0));
        cluster.Settle();
        Assert.Null(original.Result);
        Assert.Null(duplicate.Result);

        cluster.IsCut = static (_, _, _) => false;
        cluster.Until(() => duplicate.Result is not null, "it is sent again");

        Assert.Equal((0L, 0L), (original.BaseOffset, duplicate.BaseOffset));
        Assert.Equal(1, ((Partition)cluster.ReplicaOf(leader.Id.Value, group).Machine).State.HighWatermark);
    }

    [Fact]
    public void A_send_that_waits_for_room_times_out_at_its_own_deadline_not_at_the_one_before_it()
    {
        WholeCluster cluster = WholeCluster.Started(3, new BrokerOptions
        {
            OffsetsPartitions = 1,
            Limits = new BrokerLimits { UncommittedBytesPerGroup = 1_000 },
        });
        GroupId group = cluster.CreateTopic("t").Partitions[0].Group;
        ClusterNode leader = cluster.LeaderOf(group)!;
        cluster.IsCut = (_, _, lane) => lane == PeerLane.Append;
        ProduceAnswer under = cluster.Produce(leader, group, Batches.Plain(valueBytes: 900));
        ProduceAnswer patient = cluster.Produce(leader, group, Batches.Plain(valueBytes: 900), deadlineMs: 5_000);
        ProduceAnswer hasty = cluster.Produce(leader, group, Batches.Plain(valueBytes: 900), deadlineMs: 200);
        cluster.Settle();
        Assert.True(under.IsAdmitted);
        Assert.False(patient.IsAdmitted);

        cluster.Pass(300);

        Assert.Equal(ProduceOutcome.TimedOut, hasty.Outcome);
        Assert.Null(patient.Result);
        cluster.IsCut = static (_, _, _) => false;
        cluster.Until(() => patient.Result is not null, "room is there again");
        Assert.Equal((ProduceOutcome.Stored, ProduceOutcome.Stored), (under.Outcome, patient.Outcome));
    }

    [Fact]
    public void Too_many_waiting_sends_are_refused()
    {
        WholeCluster cluster = WholeCluster.Started(1, new BrokerOptions
        {
            OffsetsPartitions = 1,
            Limits = new BrokerLimits { UncommittedBytesPerGroup = 100, WaitingProducesPerPartition = 2 },
        });
        GroupId group = cluster.CreateTopic("t").Partitions[0].Group;
        cluster[1].DiskHangs = true;
        ProduceAnswer[] answers = [.. Enumerable.Range(0, 4).Select(_ => cluster.Produce(cluster[1], group, Batches.Plain()))];
        cluster.Settle();

        Assert.Equal([null, null, null, ProduceOutcome.TimedOut], answers.Select(a => a.Outcome));
        cluster[1].DiskHangs = false;
        cluster.Settle();
        Assert.Equal([0L, 1L, 2L, -1L], answers.Select(a => a.BaseOffset));
    }

    [Fact]
    public void A_node_that_had_formed_and_died_before_anything_was_committed_still_lets_the_others_in()
    {
        var cluster = new WholeCluster(3);
        cluster.IsCut = (from, _, _) => from.Value == 1;
        foreach (ClusterNode node in cluster.Nodes)
        {
            node.Start();
        }

        cluster.Pass(2_000);
        Assert.NotEmpty(cluster[1].Parts.Shard.Replicas);
        Assert.Empty(cluster[2].Parts.Shard.Replicas);
        cluster[1].Restart();
        cluster.IsCut = static (_, _, _) => false;

        cluster.Until(() => cluster.Nodes.All(n => n.Broker.IsReady), "all are ready");
    }

    [Fact]
    public void A_node_with_a_damaged_controller_group_does_not_say_that_it_is_empty()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        GroupId controller = cluster[3].Parts.Shard.Replicas.Values.Single(r => r.Name is GroupName.Controller).Group;
        cluster[3].Kill();
        foreach (string path in cluster[3].Medium.Files.Where(f => f.StartsWith("groups/controller", StringComparison.Ordinal)).ToArray())
        {
            cluster[3].Medium[path][^1] ^= 0xFF;
        }

        cluster[3].Start();
        Assert.Contains(cluster[3].Parts.Damaged, d => d.Group == controller);
        cluster.Pass(3_000);

        Assert.Null(cluster[3].Parts.Shard.Find(controller));
        Assert.DoesNotContain(cluster[3].Parts.Shard.Replicas.Values, r => r.IsLeader);
    }

    [Fact]
    public void A_wiped_node_is_refused_and_votes_nowhere()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        cluster[3].Kill();
        cluster[3].Medium = new MemoryDisk();
        cluster[3].Start();

        cluster.Until(() => cluster[3].Broker.RefusedByCluster is not null, "it is told");

        Assert.Contains("another folder", cluster[3].Broker.RefusedByCluster, StringComparison.Ordinal);
        Assert.Empty(cluster[3].Parts.Shard.Replicas);
    }

    [Fact]
    public void A_lost_announcement_is_made_again()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        var answer = new AdminAnswer();
        cluster[3].Broker.Administer(
            new AdminCommand.CreateTopic(
                "t", 1, 1, [[new NodeId(2)]], ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal), ValidateOnly: false),
            cluster.NowMs + 5_000, answer);
        cluster.IsCut = (from, to, _) => from.Value == 2 && to.Value == 1;
        cluster.Pass(400);
        cluster.IsCut = static (_, _, _) => false;
        GroupId group = answer.Result!.Topic!.Partitions[0].Group;
        Assert.NotNull(cluster.LeaderOf(group));

        cluster.Until(() => cluster[1].Broker.Cluster.LeaderOf(group)?.Leader == new NodeId(2), "node 1 hears of it", withinMs: 10_000);
    }

    [Fact]
    public void A_transfer_asked_of_a_node_that_does_not_know_the_partition_yet_is_answered()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        cluster.CreateTopic("t");
        NodeId controller = cluster[1].Broker.Cluster.ControllerLeader!.Value;
        ClusterNode behind = cluster.Nodes.First(n => n.Id != controller);
        cluster.IsCut = (_, to, lane) => to == behind.Id && lane == PeerLane.Append;
        var added = new AdminAnswer();
        cluster[controller.Value].Broker.Administer(new AdminCommand.AddPartitions("t", 2, [], ValidateOnly: false), cluster.NowMs + 5_000, added);
        cluster.Pass(100);
        Assert.Equal(AdminOutcome.Done, added.Result?.Outcome);
        var moved = new AdminAnswer();

        behind.Broker.Administer(new AdminCommand.TransferLeadership("t", 1, behind.Id), cluster.NowMs + 10_000, moved);
        cluster.Pass(100);
        cluster.IsCut = static (_, _, _) => false;

        cluster.Until(() => moved.Result is not null, "it is answered");
        Assert.Equal(AdminOutcome.Done, moved.Result!.Outcome);
    }

    [Fact]
    public void After_a_restart_nothing_is_taken_before_the_topics_settings_are_known()
    {
        WholeCluster cluster = WholeCluster.Started(1);
        GroupId group = cluster.CreateTopic("t", configs: ("max.message.bytes", "100")).Partitions[0].Group;
        cluster.Pass(500);
        cluster[1].Restart();
        ProduceAnswer answer = cluster.Produce(cluster[1], group, Batches.Plain(valueBytes: 200), deadlineMs: 10_000);
        for (int i = 0; i < 300 && answer.Outcome is null or ProduceOutcome.NotLeader; i++)
        {
            cluster.Pass(10);
            if (answer.Result is not null)
            {
                answer = cluster.Produce(cluster[1], group, Batches.Plain(valueBytes: 200), deadlineMs: 10_000);
                cluster.Settle();
            }
        }

        Assert.Equal(ProduceOutcome.TooLarge, answer.Outcome);
    }
}
