using RaftMq.Broker.Controller;
using RaftMq.Broker.Groups;
using RaftMq.Broker.Partitions;
using RaftMq.Broker.Shards;
using RaftMq.Broker.Space;
using RaftMq.Broker.Tests.Groups;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Space;
using WholeCluster = RaftMq.Broker.Tests.Support.Cluster;

namespace RaftMq.Broker.Tests.Stories;

/// <summary>Nodes whose disks have less room than they keep (D-14). Here the disks only say so: how writers fare without room is the store's own tests'.</summary>
public sealed class FullDiskTests
{
    private const long MiB = 1 << 20;

    private static readonly BrokerOptions Options = new()
    {
        OffsetsPartitions = 1,
        Space = new SpaceLimits { FreeBytesMin = 64 * MiB, FreeBytesLow = 128 * MiB },
    };

    [Fact]
    public void A_leader_without_room_hands_over_and_the_next_one_takes_records()
    {
        (WholeCluster cluster, GroupId group) = Started();
        ClusterNode full = cluster.LeaderOf(group)!;
        Fill(full);
        cluster.Pass(600);
        cluster.Until(() => cluster.LeaderOf(group) is { } other && other != full, "another one leads", withinMs: 2_000);

        Assert.Equal(ProduceOutcome.Stored, Produce(cluster, group));
        Assert.Contains(full.Events, told => told.Name == "DiskFull" && told.Text.Contains("disk.free.bytes.min", StringComparison.Ordinal));
        NodeStatus status = StatusOf(cluster, full);
        Assert.Equal((RoomLevel.Short, 10 * MiB), (status.Room, status.FreeBytes));
    }

    [Fact]
    public void A_minority_without_room_takes_no_records_stops_nobody_and_has_all_once_it_has_room()
    {
        (WholeCluster cluster, GroupId group) = Started();
        ClusterNode full = cluster.Nodes.First(n => n != cluster.LeaderOf(group));
        Fill(full);
        cluster.Pass(2_000);
        LogIndex before = cluster.ReplicaOf(full.Id.Value, group).Log.LastIndex;
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal(ProduceOutcome.Stored, Produce(cluster, group));
        }

        cluster.Pass(1_000);
        Assert.Equal(before, cluster.ReplicaOf(full.Id.Value, group).Log.LastIndex);
        full.Medium.Free = null;
        cluster.Pass(2_000);
        Assert.Equal(cluster.ReplicaOf(cluster.LeaderOf(group)!.Id.Value, group).Log.LastIndex, cluster.ReplicaOf(full.Id.Value, group).Log.LastIndex);
        Assert.Contains(full.Events, told => told.Name == "DiskHasRoom");
    }

    [Fact]
    public void With_a_majority_without_room_the_leader_refuses_records_and_all_else_goes_on()
    {
        (WholeCluster cluster, GroupId group) = Started();
        Assert.Equal(ProduceOutcome.Stored, Produce(cluster, group));
        ClusterNode leader = cluster.LeaderOf(group)!;
        foreach (ClusterNode other in cluster.Nodes.Where(n => n != leader))
        {
            Fill(other);
        }

        cluster.Pass(2_000);
        Assert.Equal(leader, cluster.LeaderOf(group));
        ProduceAnswer refused = cluster.Produce(leader, group, Batches.Plain());
        cluster.Pass(10);
        Assert.Equal(ProduceOutcome.DiskFull, refused.Outcome);
        Assert.Contains("too many of the partition's replicas", refused.Result!.Value.Message, StringComparison.Ordinal);

        ReadAnswer read = ReadAnswer.To(leader, group, offset: 0);
        cluster.Pass(100);
        Assert.Equal(ReadOutcome.Ok, read.Outcome);

        var committed = new Answer<OffsetCommitResult>();
        GroupId offsets = leader.Broker.Cluster.Topics[OffsetsTopic.Name].Partitions[0].Group;
        TopicInfo topic = leader.Broker.Cluster.Topics["t"];
        cluster.LeaderOf(offsets)!.Broker.WithCoordinator("g", new CoordinatorCall((coordinator, nowMs) => coordinator.CommitOffsets(
            new OffsetCommitRequest
            {
                Group = new("g"),
                Generation = Generation.None,
                Member = MemberId.None,
                Offsets = [new("t", topic.Id, 0, 1, -1, "")],
            },
            nowMs,
            committed)));
        cluster.Pass(500);
        committed.IsStored();

        // An entry of the same log: the full ones take it, as the group needs them for it.
        AdminAnswer deleted = new();
        leader.Broker.Administer(new AdminCommand.DeleteRecords("t", 0, 1), cluster.NowMs + 5_000, deleted);
        cluster.Until(() => deleted.Result is not null, "records are deleted", withinMs: 5_000);
        Assert.Equal(AdminOutcome.Done, deleted.Result!.Outcome);
        Assert.Equal(AdminOutcome.Done, cluster.Administer(leader, new AdminCommand.DeleteTopic("u", UInt128.Zero)).Outcome);

        cluster.Nodes.First(n => n != leader).Medium.Free = null;
        cluster.Pass(6_000);
        Assert.Equal(ProduceOutcome.Stored, Produce(cluster, group));
    }

    [Fact]
    public void A_journal_without_room_is_told_as_a_full_disk_and_not_as_a_slow_or_full_journal()
    {
        (WholeCluster cluster, GroupId group) = Started();
        ClusterNode full = cluster.LeaderOf(group)!;
        ShardJournal journal = full.Parts.Shard.Context.Journal;
        IJournal real = journal.Journal;
        ProduceAnswer[] waiting = [.. Enumerable.Range(0, 2).Select(_ => cluster.Produce(full, group, Batches.Plain()))];
        journal.Journal = new FullJournal(real) { HasNoRoom = true };
        cluster.Until(() => cluster.LeaderOf(group) is { } other && other != full, "another one leads", withinMs: 3_000);
        cluster.Pass(3_000);

        NodeStatus status = StatusOf(cluster, full);
        Assert.Equal((false, false, RoomLevel.Short), (status.IsJournalFull, status.IsDiskSlow, status.Room));
        Assert.Single(full.Events, told => told.Name == "DiskFull");
        Assert.DoesNotContain(full.Events, told => told.Name == "DiskSlow");
        Assert.All(waiting, answer => Assert.NotNull(answer.Outcome));

        journal.Journal = real;
        cluster.Pass(8_000);
        Assert.Equal(RoomLevel.Enough, StatusOf(cluster, full).Room);
        Assert.Single(full.Events, told => told.Name == "DiskHasRoom");
    }

    [Fact]
    public void What_waits_for_a_journal_is_refused_at_once_when_that_has_no_room()
    {
        WholeCluster cluster = WholeCluster.Started(1, Options with { Limits = new BrokerLimits { JournalQueueBytes = 64 << 10 } });
        GroupId group = cluster.CreateTopic("t").Partitions[0].Group;
        cluster[1].DiskHangs = true;
        ProduceAnswer[] answers = [.. Enumerable.Range(0, 20).Select(_ => cluster.Produce(cluster[1], group, Batches.Plain(valueBytes: 8_000), deadlineMs: 60_000))];
        cluster.Pass(100);
        Assert.False(answers[^1].IsAdmitted);
        ShardJournal journal = cluster[1].Parts.Shard.Context.Journal;
        journal.Journal = new FullJournal(journal.Journal) { HasNoRoom = true };
        cluster.Pass(100);
        Assert.Equal(ProduceOutcome.DiskFull, answers[^1].Outcome);
    }

    [Fact]
    public void A_follower_without_room_takes_records_while_the_group_needs_it()
    {
        (WholeCluster cluster, GroupId group) = Started();
        ClusterNode leader = cluster.LeaderOf(group)!;
        ClusterNode[] others = [.. cluster.Nodes.Where(n => n != leader)];
        Fill(others[0]);
        cluster.Pass(2_000);
        LogIndex before = cluster.ReplicaOf(others[0].Id.Value, group).Log.LastIndex;

        // On its way when the only other one with room dies: it must come to its end.
        cluster.IsCut = (from, to, _) => from == others[1].Id || to == others[1].Id;
        ProduceAnswer underWay = cluster.Produce(leader, group, Batches.Plain(), deadlineMs: 20_000);
        cluster.Until(() => underWay.Outcome == ProduceOutcome.Stored, "the record is committed by the full one", withinMs: 15_000);
        Assert.True(cluster.ReplicaOf(others[0].Id.Value, group).Log.LastIndex > before);

        // And no further ones, since the leader hears only of a full one.
        Assert.Equal(ProduceOutcome.DiskFull, Produce(cluster, group));
    }

    [Fact]
    public void A_duplicate_of_a_stored_batch_is_acknowledged_on_a_full_disk()
    {
        WholeCluster cluster = WholeCluster.Started(1, Options);
        GroupId group = cluster.CreateTopic("t").Partitions[0].Group;
        byte[] batch = Batches.Idempotent(7, 0);
        ProduceAnswer first = cluster.Produce(cluster[1], group, batch);
        cluster.Pass(100);
        Fill(cluster[1]);
        cluster.Pass(1_000);

        ProduceAnswer again = cluster.Produce(cluster[1], group, batch);
        ProduceAnswer other = cluster.Produce(cluster[1], group, Batches.Plain());
        cluster.Pass(100);
        Assert.Equal((ProduceOutcome.Stored, first.BaseOffset), (again.Outcome, again.BaseOffset));
        Assert.Equal(ProduceOutcome.DiskFull, other.Outcome);
    }

    [Fact]
    public void New_partitions_go_to_nodes_with_room_and_none_is_moved_to_one_without()
    {
        WholeCluster cluster = WholeCluster.Started(4, Options);
        Fill(cluster[2]);
        cluster.Pass(6_000);
        TopicInfo topic = cluster.CreateTopic("t", partitions: 6, replicas: 3);
        Assert.DoesNotContain(topic.Partitions.SelectMany(p => p.Replicas), r => r.Node == cluster[2].Id);

        AdminResult moved = cluster.Administer(cluster[1], new AdminCommand.Reassign("t", 0, [new NodeId(1), new NodeId(2), new NodeId(3)]));
        Assert.Equal(AdminOutcome.InvalidAssignment, moved.Outcome);
        Assert.Contains("The disk of node 2 is full", moved.Message, StringComparison.Ordinal);

        // With too few others a full one is better than none.
        Assert.Contains(cluster.CreateTopic("all", replicas: 4).Partitions[0].Replicas, r => r.Node == cluster[2].Id);
    }

    [Fact]
    public void A_start_on_a_full_disk_refuses_records_from_its_first_moment()
    {
        WholeCluster cluster = WholeCluster.Started(1, Options);
        GroupId group = cluster.CreateTopic("t").Partitions[0].Group;
        Fill(cluster[1]);
        cluster[1].Restart();
        Assert.Equal(RoomLevel.Short, StatusOf(cluster, cluster[1]).Room);
        cluster.Until(() => cluster.LeaderOf(group) is not null, "it leads");
        Assert.Equal(ProduceOutcome.DiskFull, Produce(cluster, group));
    }

    [Fact]
    public void The_reserve_is_made_while_there_is_room()
    {
        WholeCluster cluster = WholeCluster.Started(1, Options with { Space = Options.Space with { ReserveBytes = 3 * MiB } });
        cluster.Pass(1_000);
        Assert.Equal(3 * MiB, cluster[1].Medium[ReserveFile.Path].Count);
        Assert.Equal(3 * MiB, StatusOf(cluster, cluster[1]).ReserveBytes);
    }

    private static (WholeCluster Cluster, GroupId Group) Started()
    {
        WholeCluster cluster = WholeCluster.Started(3, Options);
        cluster.CreateTopic("u");
        return (cluster, cluster.CreateTopic("t").Partitions[0].Group);
    }

    private static void Fill(ClusterNode node) => node.Medium.Free = static () => 10 * MiB;

    private static ProduceOutcome? Produce(WholeCluster cluster, GroupId group)
    {
        ProduceAnswer answer = cluster.Produce(cluster.LeaderOf(group)!, group, Batches.Plain());
        cluster.Pass(500);
        return answer.Outcome;
    }

    private static NodeStatus StatusOf(WholeCluster cluster, ClusterNode node)
    {
        NodeStatus? status = null;
        node.Broker.CollectStatus(taken => status = taken);
        cluster.Settle();
        return status!;
    }
}
