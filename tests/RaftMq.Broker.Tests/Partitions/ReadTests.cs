using RaftMq.Broker.Partitions;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;
using RaftMq.Records;
using WholeCluster = RaftMq.Broker.Tests.Support.Cluster;

namespace RaftMq.Broker.Tests.Partitions;

/// <summary>What a reader gets at each place of the log, and when one that waits is woken.</summary>
public sealed class ReadTests
{
    private readonly WholeCluster _cluster = WholeCluster.Started(3);
    private readonly GroupId _group;
    private readonly ClusterNode _leader;

    public ReadTests()
    {
        _group = _cluster.CreateTopic("t").Partitions[0].Group;
        _leader = _cluster.LeaderOf(_group)!;
    }

    [Fact]
    public void Batches_come_whole_and_in_order_and_the_first_may_begin_before_the_offset()
    {
        Store(records: 3);
        Store(records: 2);
        Store(records: 1);

        Assert.Equal([0L, 3L, 5L], BaseOffsets(Read(0)));
        Assert.Equal([3L, 5L], BaseOffsets(Read(4)));
        ReadResult last = Read(5).Result;
        Assert.Equal((ReadOutcome.Ok, 6L, 0L), (last.Outcome, last.HighWatermark, last.LogStartOffset));
        Assert.Equal(last.SizeBytes, last.Batches.Sum(b => b.Length));
    }

    [Fact]
    public void At_the_high_watermark_there_is_nothing_yet_and_above_it_is_out_of_range()
    {
        Store(records: 3);

        Assert.Equal((ReadOutcome.Ok, 0), (Read(3).Outcome, Read(3).BatchCount));
        Assert.Equal((ReadOutcome.OffsetOutOfRange, 3L), (Read(4).Outcome, Read(4).Result.HighWatermark));
        Assert.Equal(ReadOutcome.OffsetOutOfRange, Read(long.MaxValue).Outcome);
        Assert.Equal(ReadOutcome.OffsetOutOfRange, Read(-1).Outcome);
    }

    [Fact]
    public void Below_the_log_start_is_out_of_range_and_says_where_it_starts()
    {
        Store(records: 3);
        Store(records: 3);
        Delete(before: 4);

        Assert.Equal((ReadOutcome.OffsetOutOfRange, 4L), (Read(3).Outcome, Read(3).Result.LogStartOffset));

        // The batch that holds the log start comes whole: consumers skip what is before the offset they asked for.
        Assert.Equal([3L], BaseOffsets(Read(4)));
        Assert.Equal([3L], BaseOffsets(Read(5)));
    }

    [Fact]
    public void With_everything_deleted_the_log_start_reads_as_empty()
    {
        Store(records: 3);
        Delete(before: -1);

        Assert.Equal((ReadOutcome.Ok, 0), (Read(3).Outcome, Read(3).BatchCount));
        Assert.Equal(ReadOutcome.OffsetOutOfRange, Read(2).Outcome);
    }

    [Fact]
    public void Uncommitted_batches_are_not_shown()
    {
        Store(records: 1);
        _cluster.IsCut = (from, _, _) => from == _leader.Id;
        ProduceAnswer pending = _cluster.Produce(_leader, _group, Batches.Plain());
        _cluster.Settle();

        Assert.True(pending.IsAdmitted);
        Assert.Equal([0L], BaseOffsets(Read(0)));
        Assert.Equal((ReadOutcome.Ok, 0, 1L), (Read(1).Outcome, Read(1).BatchCount, Read(1).Result.HighWatermark));

        // Above its own high watermark a leader that was cut off is not sure: no word before a quorum has confirmed it.
        Assert.Null(Read(2).Outcome);
    }

    [Fact]
    public void The_limit_of_bytes_counts_whole_batches()
    {
        int size = Store(records: 1);
        Store(records: 1);
        Store(records: 1);

        Assert.Equal(3, Read(0, bytesMax: 3 * size).BatchCount);
        Assert.Equal(2, Read(0, bytesMax: (3 * size) - 1).BatchCount);
        Assert.Equal(1, Read(0, bytesMax: (2 * size) - 1).BatchCount);
        Assert.Equal(1, Read(0, bytesMax: size).BatchCount);
    }

    [Fact]
    public void A_first_batch_above_the_limit_comes_only_to_who_asked_for_at_least_one()
    {
        int size = Store(records: 1);
        Store(records: 1);

        Assert.Equal(1, Read(0, bytesMax: size - 1).BatchCount);
        Assert.Equal(1, Read(0, bytesMax: 0).BatchCount);
        foreach (int bytesMax in new[] { 0, size - 1 })
        {
            ReadAnswer none = Read(0, bytesMax, atLeastOne: false);
            Assert.Equal((ReadOutcome.Ok, 0, 0), (none.Outcome, none.BatchCount, none.Result.SizeBytes));
        }

        Assert.Equal(1, Read(0, size, atLeastOne: false).BatchCount);
    }

    [Fact]
    public void Another_epoch_than_the_leaders_is_told_which_of_both_is_old()
    {
        Store(records: 1);
        int epoch = _cluster.ReplicaOf(_leader.Id.Value, _group).Term.Value;

        Assert.Equal(ReadOutcome.Ok, Read(0, epoch: epoch).Outcome);
        Assert.Equal(ReadOutcome.FencedLeaderEpoch, Read(0, epoch: epoch - 1).Outcome);
        Assert.Equal(ReadOutcome.UnknownLeaderEpoch, Read(0, epoch: epoch + 1).Outcome);
    }

    [Fact]
    public void Followers_and_strangers_say_so()
    {
        ClusterNode follower = _cluster.Nodes.First(n => n != _leader);
        ReadAnswer elsewhere = ReadAnswer.To(follower, _group, 0);
        ReadAnswer unknown = ReadAnswer.To(_leader, new GroupId(1), 0);
        _cluster.Settle();

        Assert.Equal(ReadOutcome.NotLeader, elsewhere.Outcome);
        Assert.Equal(ReadOutcome.UnknownPartition, unknown.Outcome);
    }

    [Fact]
    public void A_waiter_is_woken_once_by_the_commit_that_passes_its_offset()
    {
        WaitingReader first = Wait(0);
        WaitingReader second = Wait(1);
        Store(records: 1);
        Assert.Equal((1, 0), (first.Woken, second.Woken));

        Store(records: 1);
        Store(records: 1);

        Assert.Equal((1, 1), (first.Woken, second.Woken));
        Assert.Equal(1, Wait(2).Woken);
    }

    [Fact]
    public void A_batch_that_is_not_committed_wakes_nobody()
    {
        WaitingReader waiter = Wait(0);
        _cluster.IsCut = (from, _, _) => from == _leader.Id;
        _cluster.Produce(_leader, _group, Batches.Plain());
        _cluster.Pass(100);
        Assert.Equal(0, waiter.Woken);

        _cluster.IsCut = static (_, _, _) => false;
        _cluster.Until(() => waiter.Woken == 1, "the commit wakes it");
    }

    [Fact]
    public void A_leader_that_is_deposed_wakes_its_waiters()
    {
        WaitingReader waiter = Wait(0);
        _cluster.IsCut = (from, to, _) => from == _leader.Id || to == _leader.Id;

        _cluster.Until(() => waiter.Woken > 0, "losing the quorum wakes it");

        Assert.False(_cluster.ReplicaOf(_leader.Id.Value, _group).IsServing);
        Assert.Equal(1, Wait(0).Woken);
    }

    [Fact]
    public void A_leader_that_hears_of_a_newer_one_serves_nothing_more_in_the_same_turn()
    {
        Broker.Shards.Replica replica = _cluster.ReplicaOf(_leader.Id.Value, _group);
        ClusterNode other = _cluster.Nodes.First(n => n != _leader);
        Assert.True(replica.IsServing);

        replica.Step(other.Parts.Shard.Context.Self, new Heartbeat(replica.Term.Next, LogIndex.Zero, ReadRound: 0));

        Assert.False(replica.IsServing);
    }

    [Fact]
    public void A_deleted_partition_wakes_its_waiters()
    {
        WaitingReader waiter = Wait(0);

        _cluster.Administer(_leader, new Broker.Controller.AdminCommand.DeleteTopic("t", UInt128.Zero));
        _cluster.Pass(100);

        Assert.NotEqual(0, waiter.Woken);
        Assert.Equal(1, Wait(0).Woken);
    }

    [Fact]
    public void Who_stops_waiting_is_not_woken()
    {
        WaitingReader gone = Wait(0);
        WaitingReader stays = Wait(0);
        _leader.Broker.StopWaiting(_group, gone);
        Store(records: 1);

        Assert.Equal((0, 1), (gone.Woken, stays.Woken));
    }

    [Fact]
    public void A_waiter_may_wait_again_while_it_is_woken()
    {
        var waiters = new ReadWaiters();
        var again = new Again(waiters);
        waiters.Add(0, again);
        waiters.Add(5, new WaitingReader());

        waiters.WakeBelow(1);
        Assert.Equal((1, 2), (again.Woken, waiters.Count));
        waiters.WakeAll();

        Assert.Equal((2, 1), (again.Woken, waiters.Count));
        waiters.Remove(again);
        Assert.Equal(0, waiters.Count);
    }

    private sealed class Again(ReadWaiters waiters) : IReadWaiter
    {
        public int Woken { get; private set; }

        public void Wake()
        {
            Woken++;
            waiters.Add(10, this);
        }
    }

    private static IEnumerable<long> BaseOffsets(ReadAnswer answer)
    {
        Assert.Equal(ReadOutcome.Ok, answer.Outcome);
        return answer.Result.Batches.Select(b => RecordBatchHeader.TryRead(b.Span, out RecordBatchHeader batch) ? batch.BaseOffset : -1);
    }

    private ReadAnswer Read(long offset, int bytesMax = 1 << 20, bool atLeastOne = true, int epoch = -1)
    {
        ReadAnswer answer = ReadAnswer.To(_leader, _group, offset, bytesMax, atLeastOne, epoch);
        _cluster.Settle();
        return answer;
    }

    private WaitingReader Wait(long offset)
    {
        var waiter = new WaitingReader();
        _leader.Broker.WaitForRecords(_group, offset, waiter);
        _cluster.Settle();
        return waiter;
    }

    private int Store(int records)
    {
        byte[] batch = Batches.Plain(records);
        ProduceAnswer answer = _cluster.Produce(_leader, _group, batch);
        _cluster.Settle();
        Assert.Equal(ProduceOutcome.Stored, answer.Outcome);
        return batch.Length;
    }

    private void Delete(long before)
    {
        var answer = new AdminAnswer();
        _leader.Broker.Administer(new Broker.Controller.AdminCommand.DeleteRecords("t", 0, before), _cluster.NowMs + 1_000, answer);
        _cluster.Settle();
        Assert.Equal(Broker.Controller.AdminOutcome.Done, answer.Result?.Outcome);
    }
}
