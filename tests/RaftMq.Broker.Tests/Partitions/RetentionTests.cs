using RaftMq.Broker.Controller;
using RaftMq.Broker.Partitions;
using RaftMq.Broker.Shards;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;
using WholeCluster = RaftMq.Broker.Tests.Support.Cluster;

namespace RaftMq.Broker.Tests.Partitions;

/// <summary>Retention is the leader's decision, made through the log: all replicas start at the same offset, and whole segments go.</summary>
public sealed class RetentionTests
{
    private const int SegmentBytes = 16 << 10;
    private const int BatchBytes = 4_000;

    private readonly WholeCluster _cluster = WholeCluster.Started(3);
    private GroupId _group;

    [Fact]
    public void Segments_go_once_their_newest_record_is_too_old()
    {
        Create(("retention.ms", "60000"));
        long firstMs = Fill(100);
        _cluster.Pass(30_000);
        long secondMs = Fill(100);
        Assert.True(secondMs - firstMs >= 30_000);
        Assert.All(_cluster.Nodes, node => Assert.Equal(0, StateOn(node).LogStart));

        _cluster.Until(() => StateOn(Leader).LogStart > 0, "the first half is too old", withinMs: 60_000);
        _cluster.Pass(3_000);

        // All of the first hundred but what shares a segment with the second.
        long start = StateOn(Leader).LogStart;
        Assert.InRange(start, 90, 100);
        Assert.True(Leader.UnixMs - firstMs > 60_000);
        AssertCutTo(start);

        // Then the second hundred, what is in no segment yet included.
        _cluster.Pass(60_000);
        AssertAllGone();

        // The log goes on behind them.
        Fill(3);
        Assert.Equal([200L, 201L, 202L], BaseOffsets(200, bytesMax: 1 << 20));
    }

    [Fact]
    public void A_few_old_records_go_though_they_fill_no_segment()
    {
        Create(("retention.ms", "60000"));
        Fill(3);
        _cluster.Pass(55_000);
        Assert.Equal(0, StateOn(Leader).LogStart);
        _cluster.Pass(10_000);

        Assert.All(_cluster.Nodes, node => Assert.Equal((3L, 3L), (StateOn(node).LogStart, StateOn(node).HighWatermark)));
    }

    [Fact]
    public void A_log_whose_records_are_all_gone_goes_on_in_a_new_segment_ten_minutes_after_the_last()
    {
        WholeCluster alone = WholeCluster.Started(1);
        GroupId group = alone.CreateTopic("t", configs: ("retention.ms", "1000")).Partitions[0].Group;
        Replica replica = alone.ReplicaOf(1, group);
        for (int i = 0; i < 22; i++)
        {
            alone.Produce(alone[1], group, Batches.Plain(timestampMs: alone[1].UnixMs));
            alone.Pass(30_000);
            Assert.Equal(i + 1, ((Partition)replica.Machine).State.LogStart);
        }

        Assert.Equal(2, SegmentsBegun(replica));
    }

    [Fact]
    public void One_young_record_keeps_the_newest_segment()
    {
        Create(("retention.ms", "60000"));
        Fill(3);
        _cluster.Pass(55_000);
        Fill(1);
        _cluster.Pass(30_000);

        Assert.Equal(0, StateOn(Leader).LogStart);
    }

    [Fact]
    public void What_was_written_just_now_can_be_read_however_old_it_says_it_is()
    {
        Create(("retention.ms", "604800000"));
        _cluster.Produce(Leader, _group, Batches.Plain(timestampMs: 1_000));
        AssertOnlyRecordGoes(keptMs: 290_000, withinMs: 20_000);
    }

    [Fact]
    public void Records_without_a_timestamp_are_as_old_as_their_arrival()
    {
        Create(("retention.ms", "60000"));
        _cluster.Produce(Leader, _group, Batches.Plain(timestampMs: -1));
        AssertOnlyRecordGoes(keptMs: 55_000, withinMs: 10_000);
    }

    [Fact]
    public void Old_records_begin_no_segment_each()
    {
        Create(("retention.ms", "-1"), ("segment.ms", "60000"));
        long lastYear = Leader.UnixMs - 31_536_000_000;
        for (int i = 0; i < 100; i++)
        {
            _cluster.Produce(Leader, _group, Batches.Plain(valueBytes: 100, timestampMs: lastYear + i));
        }

        _cluster.Settle();
        Assert.Equal(100, StateOn(Leader).HighWatermark);

        // The no-op of the leader, which is of today, began one; one more for the step to last year would be fair.
        Assert.InRange(SegmentsBegun(ReplicaOn(Leader)), 1, 2);
    }

    [Fact]
    public void A_segment_ends_once_it_is_as_old_as_its_topic_says()
    {
        Create(("segment.ms", "60000"));
        Fill(1);
        int before = SegmentsBegun(ReplicaOn(Leader));
        _cluster.Pass(55_000);
        Fill(1);
        Assert.Equal(before, SegmentsBegun(ReplicaOn(Leader)));

        _cluster.Pass(10_000);
        Fill(1);
        Assert.Equal(before + 1, SegmentsBegun(ReplicaOn(Leader)));
    }

    [Fact]
    public void The_oldest_segments_go_while_there_are_too_many_bytes()
    {
        CreateFilled(("retention.bytes", $"{5 * SegmentBytes}"));
        _cluster.Pass(5_000);

        long start = StateOn(Leader).LogStart;
        Assert.InRange(start, 100, 199);
        AssertCutTo(start);
        Assert.All(_cluster.Nodes, node => Assert.InRange(ReplicaOn(node).Log.SegmentBytes, 4 * SegmentBytes, 6 * SegmentBytes));
    }

    [Fact]
    public void Without_limits_nothing_goes()
    {
        CreateFilled(("retention.ms", "-1"), ("retention.bytes", "-1"));
        _cluster.Pass(90_000);

        Assert.All(_cluster.Nodes, node => Assert.Equal((0L, 0L), (StateOn(node).LogStart, ReplicaOn(node).Log.BaseIndex.Value)));
        Assert.Equal([0L], BaseOffsets(0));
    }

    [Fact]
    public void Settings_that_change_count_from_the_next_look_on()
    {
        CreateFilled(("retention.ms", "-1"));
        _cluster.Pass(5_000);
        Assert.Equal(0, StateOn(Leader).LogStart);

        AdminResult set = _cluster.Administer(_cluster[1], new AdminCommand.SetTopicConfigs(
            "t", System.Collections.Immutable.ImmutableSortedDictionary<string, string?>.Empty.Add("retention.ms", "1000"), Replace: false, ValidateOnly: false));
        Assert.Equal(AdminOutcome.Done, set.Outcome);
        _cluster.Pass(5_000);

        AssertAllGone();
    }

    [Fact]
    public void A_replica_that_is_cut_off_keeps_all_until_it_hears_of_the_decision()
    {
        CreateFilled(("retention.ms", "20000"));
        ClusterNode away = _cluster.Nodes.First(n => n != Leader);
        _cluster.Pass(500);
        _cluster.IsCut = (from, to, _) => from == away.Id || to == away.Id;
        _cluster.Pass(30_000);
        long start = StateOn(Leader).LogStart;
        Assert.Equal(200, start);
        Assert.Equal((0L, 0L), (StateOn(away).LogStart, ReplicaOn(away).Log.LogStartOffset));

        _cluster.IsCut = static (_, _, _) => false;
        _cluster.Until(() => StateOn(away).LogStart == start, "it hears of it");
        _cluster.Pass(3_000);

        AssertAllGone();
    }

    [Fact]
    public void Without_a_quorum_nothing_is_decided_and_the_log_does_not_grow()
    {
        CreateFilled(("retention.ms", "20000"));
        ClusterNode leader = Leader;
        _cluster.Pass(500);
        LogIndex last = ReplicaOn(leader).Log.LastIndex;
        _cluster.IsCut = (from, _, lane) => from == leader.Id && lane == Broker.Environment.PeerLane.Append;
        _cluster.Pass(30_000);

        Assert.Equal(0, StateOn(leader).LogStart);
        Assert.Equal(leader, Leader);
        Assert.Equal(last.Next, ReplicaOn(leader).Log.LastIndex);
    }

    [Fact]
    public void The_log_start_outlives_restarts_and_leaders()
    {
        CreateFilled(("retention.ms", "20000"));
        _cluster.Pass(30_000);
        long start = StateOn(Leader).LogStart;
        Assert.Equal(200, start);
        RestartAll();
        _cluster.Until(() => _cluster.LeaderOf(_group) is not null, "it is led again");
        _cluster.Pass(3_000);

        AssertAllGone();
    }

    private void RestartAll()
    {
        foreach (ClusterNode node in _cluster.Nodes)
        {
            node.Kill();
        }

        foreach (ClusterNode node in _cluster.Nodes)
        {
            node.Start();
        }
    }

    private ClusterNode Leader => _cluster.LeaderOf(_group)!;

    private void Create(params (string Name, string Value)[] configs) => _group = _cluster.CreateTopic(
        "t", configs: [("segment.bytes", $"{SegmentBytes}"), .. configs]).Partitions[0].Group;

    /// <summary>With 200 records.</summary>
    private void CreateFilled(params (string Name, string Value)[] configs)
    {
        Create(configs);
        Fill(200);
    }

    private Replica ReplicaOn(ClusterNode node) => _cluster.ReplicaOf(node.Id.Value, _group);

    private static int SegmentsBegun(Replica replica) => Enumerable.Range(1, (int)replica.Log.LastIndex.Value).Count(
        index => replica.Log.Tail.HeaderAt(new LogIndex(index)).Flags.HasFlag(Storage.Log.EntryFlags.StartsSegment));

    private PartitionState StateOn(ClusterNode node) => ((Partition)ReplicaOn(node).Machine).State;

    /// <summary>Stores batches of one record each and returns the last one's time.</summary>
    private long Fill(int batches)
    {
        long timeMs = 0;
        for (int i = 0; i < batches; i++)
        {
            timeMs = Leader.UnixMs;
            ProduceAnswer answer = _cluster.Produce(Leader, _group, Batches.Plain(valueBytes: BatchBytes, timestampMs: timeMs));
            _cluster.Settle();
            Assert.Equal(ProduceOutcome.Stored, answer.Outcome);
        }

        return timeMs;
    }

    private List<long> BaseOffsets(long offset, int bytesMax = 1)
    {
        ReadAnswer answer = ReadAnswer.To(Leader, _group, offset, bytesMax: bytesMax);
        _cluster.Settle();
        Assert.Equal(ReadOutcome.Ok, answer.Outcome);
        return [.. answer.Result.Batches.Select(b => Records.RecordBatchHeader.TryRead(b.Span, out Records.RecordBatchHeader h) ? h.BaseOffset : -1)];
    }

    /// <summary>The only record is there after a time, and gone within some more.</summary>
    private void AssertOnlyRecordGoes(int keptMs, int withinMs)
    {
        _cluster.Pass(keptMs);
        Assert.Equal(0, StateOn(Leader).LogStart);
        _cluster.Pass(withinMs);
        Assert.Equal(1, StateOn(Leader).LogStart);
    }

    /// <summary>No record is left on any replica; files of the last segments may be.</summary>
    private void AssertAllGone()
    {
        Assert.All(_cluster.Nodes, node => Assert.Equal((200L, 200L), (StateOn(node).LogStart, StateOn(node).HighWatermark)));
        ReadAnswer below = ReadAnswer.To(Leader, _group, 199);
        _cluster.Settle();
        Assert.Equal((ReadOutcome.OffsetOutOfRange, 200L), (below.Outcome, below.Result.LogStartOffset));
        Assert.Empty(BaseOffsets(200));
    }

    /// <summary>All replicas start at that offset, what is below is refused and its files are gone; the rest is there.</summary>
    private void AssertCutTo(long start)
    {
        foreach (ClusterNode node in _cluster.Nodes)
        {
            Replica replica = ReplicaOn(node);
            Assert.Equal((start, start), (StateOn(node).LogStart, replica.Log.LogStartOffset));
            Assert.True(replica.Log.BaseIndex > LogIndex.Zero);
            long bytes = node.Medium.Files
                .Where(f => f.StartsWith(replica.Log.Folder, StringComparison.Ordinal) && f.EndsWith(".log", StringComparison.Ordinal))
                .Sum(f => (long)node.Medium[f].Count);
            Assert.InRange(bytes, 1, (StateOn(node).HighWatermark - start + (2 * SegmentBytes / BatchBytes)) * (BatchBytes + 200));
        }

        ReadAnswer below = ReadAnswer.To(Leader, _group, start - 1);
        _cluster.Settle();
        Assert.Equal((ReadOutcome.OffsetOutOfRange, start), (below.Outcome, below.Result.LogStartOffset));
        Assert.Equal([start], BaseOffsets(start));
    }
}
