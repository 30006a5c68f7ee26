using RaftMq.Broker.Controller;
using RaftMq.Broker.Partitions;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;
using WholeCluster = RaftMq.Broker.Tests.Support.Cluster;

namespace RaftMq.Broker.Tests.Partitions;

/// <summary>Deletion on request: the log start is a decision of the log, answered when it is committed.</summary>
public sealed class DeleteRecordsTests
{
    private const int UncommittedBytes = 500;

    private readonly WholeCluster _cluster = WholeCluster.Started(3, new BrokerOptions
    {
        OffsetsPartitions = 1,
        Limits = new BrokerLimits { UncommittedBytesPerGroup = UncommittedBytes },
    });

    private readonly GroupId _group;
    private readonly ClusterNode _leader;

    public DeleteRecordsTests()
    {
        _group = _cluster.CreateTopic("t").Partitions[0].Group;
        _leader = _cluster.LeaderOf(_group)!;
        for (int i = 0; i < 5; i++)
        {
            ProduceAnswer answer = _cluster.Produce(_leader, _group, Batches.Plain());
            _cluster.Settle();
            Assert.Equal(ProduceOutcome.Stored, answer.Outcome);
        }
    }

    [Fact]
    public void The_log_start_rises_on_every_replica_and_never_falls()
    {
        Assert.Equal((AdminOutcome.Done, 3L), Answered(Delete(3)));
        Assert.Equal((AdminOutcome.Done, 3L), Answered(Delete(1)));
        Assert.Equal((AdminOutcome.Done, 5L), Answered(Delete(-1)));

        _cluster.Pass(300);
        Assert.All(_cluster.Nodes, node => Assert.Equal(5, StateOn(node).LogStart));
    }

    /// <summary>The files still hold what is gone, and it is young enough too (O-13).</summary>
    [Fact]
    public void A_time_is_sought_in_what_is_left()
    {
        Assert.Equal((AdminOutcome.Done, 3L), Answered(Delete(3)));
        OffsetResult? found = null;

        _leader.Broker.FindOffset(_group, OffsetQuery.AtTimestamp, timestampMs: 0, leaderEpoch: -1, result => found = result);
        _cluster.Settle();

        Assert.Equal((ReadOutcome.Ok, 3L), (found?.Outcome, found?.Offset));
    }

    /// <summary>Of a file that holds younger ones which are gone (O-13, KIP-734).</summary>
    [Fact]
    public void The_youngest_is_sought_in_what_is_left()
    {
        foreach (int age in (int[])[50, 20, 30])
        {
            _cluster.Produce(_leader, _group, Batches.Plain(timestampMs: Batches.TimestampMs + age));
            _cluster.Settle();
        }

        Assert.Equal((5L, Batches.TimestampMs + 50), Youngest());
        Assert.Equal((AdminOutcome.Done, 6L), Answered(Delete(6)));
        Assert.Equal((7L, Batches.TimestampMs + 30), Youngest());
        Assert.Equal((AdminOutcome.Done, 8L), Answered(Delete(-1)));
        Assert.Equal((-1L, -1L), Youngest());
    }

    private (long Offset, long TimestampMs) Youngest()
    {
        OffsetResult? found = null;
        _leader.Broker.FindOffset(_group, OffsetQuery.MaxTimestamp, timestampMs: -1, leaderEpoch: -1, result => found = result);
        _cluster.Settle();
        Assert.Equal(ReadOutcome.Ok, found?.Outcome);
        return (found!.Value.Offset, found.Value.TimestampMs);
    }

    [Theory]
    [InlineData(6)]
    [InlineData(long.MaxValue)]
    [InlineData(-2)]
    [InlineData(long.MinValue)]
    public void An_offset_that_names_no_place_of_the_log_is_out_of_range_and_deletes_nothing(long before)
    {
        Assert.Equal(AdminOutcome.OffsetOutOfRange, Delete(before).Result?.Outcome);
        Assert.Equal(0, StateOn(_leader).LogStart);
    }

    [Fact]
    public void Another_node_than_the_leader_says_so()
    {
        var answer = new AdminAnswer();
        _cluster.Nodes.First(n => n != _leader).Broker.Administer(
            new AdminCommand.DeleteRecords("t", 0, 3), _cluster.NowMs + 1_000, answer);
        var unknown = new AdminAnswer();
        _leader.Broker.Administer(new AdminCommand.DeleteRecords("t", 9, 3), _cluster.NowMs + 1_000, unknown);
        _cluster.Settle();

        Assert.Equal(AdminOutcome.NotLeader, answer.Result?.Outcome);
        Assert.Equal(AdminOutcome.UnknownPartition, unknown.Result?.Outcome);
    }

    [Fact]
    public void Without_a_quorum_each_is_answered_at_its_own_deadline_not_at_the_one_before_it()
    {
        _cluster.IsCut = (from, _, lane) => from == _leader.Id && lane == Broker.Environment.PeerLane.Append;
        AdminAnswer patient = Delete(4, deadlineMs: 5_000);
        AdminAnswer hasty = Delete(2, deadlineMs: 200);
        _cluster.Pass(100);
        Assert.Null(hasty.Result);

        _cluster.Pass(200);

        Assert.Equal(AdminOutcome.TimedOut, hasty.Result?.Outcome);
        Assert.Null(patient.Result);
        _cluster.IsCut = static (_, _, _) => false;
        _cluster.Until(() => patient.Result is not null, "the quorum is there again");
        Assert.Equal((AdminOutcome.Done, 4L), Answered(patient));
    }

    [Fact]
    public void One_whose_deadline_is_past_already_is_not_proposed()
    {
        AdminAnswer answer = Delete(4, deadlineMs: 0);
        _cluster.Pass(200);

        Assert.Equal(AdminOutcome.TimedOut, answer.Result?.Outcome);
        Assert.Equal(0, StateOn(_leader).LogStart);
    }

    [Fact]
    public void A_leader_that_is_deposed_answers_that_it_does_not_lead()
    {
        _cluster.IsCut = (from, to, _) => from == _leader.Id || to == _leader.Id;
        AdminAnswer answer = Delete(4, deadlineMs: 60_000);

        _cluster.Until(() => answer.Result is not null, "leadership is lost");

        Assert.Equal(AdminOutcome.NotLeader, answer.Result!.Outcome);
        _cluster.IsCut = static (_, _, _) => false;
        _cluster.Until(() => _cluster.LeaderOf(_group) is not null, "another leads");

        // What the old leader had proposed does not count for a later leadership: asked again, it is proposed again.
        ClusterNode next = _cluster.LeaderOf(_group)!;
        var again = new AdminAnswer();
        next.Broker.Administer(new AdminCommand.DeleteRecords("t", 0, 4), _cluster.NowMs + 5_000, again);
        _cluster.Until(() => again.Result is not null, "it is done there");
        Assert.Equal((AdminOutcome.Done, 4L), Answered(again));
    }

    [Fact]
    public void A_leader_that_was_cut_off_does_not_call_an_offset_out_of_range_that_the_next_one_has()
    {
        _cluster.IsCut = (from, to, _) => from == _leader.Id || to == _leader.Id;
        AdminAnswer answer = Delete(6, deadlineMs: 60_000);
        _cluster.Pass(300);
        Assert.Null(answer.Result);

        _cluster.Until(() => answer.Result is not null, "it finds out");

        Assert.Equal(AdminOutcome.NotLeader, answer.Result!.Outcome);
    }

    [Fact]
    public void Without_room_it_is_proposed_as_soon_as_there_is_some()
    {
        // The appends are lost, so what is proposed stays uncommitted and fills all the room there is.
        _cluster.IsCut = (from, _, lane) => from == _leader.Id && lane == Broker.Environment.PeerLane.Append;
        ProduceAnswer full = _cluster.Produce(_leader, _group, Batches.Plain(valueBytes: UncommittedBytes), deadlineMs: 60_000);
        ProduceAnswer behind = _cluster.Produce(_leader, _group, Batches.Plain(valueBytes: UncommittedBytes), deadlineMs: 60_000);
        _cluster.Settle();
        Assert.True(full.IsAdmitted);
        Assert.False(behind.IsAdmitted);
        LogIndex last = _cluster.ReplicaOf(_leader.Id.Value, _group).Log.LastIndex;
        AdminAnswer answer = Delete(4, deadlineMs: 60_000);
        _cluster.Pass(300);
        Assert.Equal(last, _cluster.ReplicaOf(_leader.Id.Value, _group).Log.LastIndex);
        Assert.Null(answer.Result);

        _cluster.IsCut = static (_, _, _) => false;
        _cluster.Until(() => answer.Result is not null, "there is room again");

        Assert.Equal((AdminOutcome.Done, 4L), Answered(answer));
        _cluster.Until(() => behind.Result is not null, "the send behind it has its turn too");
        Assert.Equal((ProduceOutcome.Stored, ProduceOutcome.Stored), (full.Outcome, behind.Outcome));
    }

    [Fact]
    public void One_that_waits_is_proposed_once()
    {
        _cluster.IsCut = (from, _, lane) => from == _leader.Id && lane == Broker.Environment.PeerLane.Append;
        LogIndex last = _cluster.ReplicaOf(_leader.Id.Value, _group).Log.LastIndex;
        AdminAnswer[] answers = [Delete(4, 60_000), Delete(3, 60_000), Delete(4, 60_000)];
        _cluster.Pass(1_500);

        Assert.Equal(last.Next, _cluster.ReplicaOf(_leader.Id.Value, _group).Log.LastIndex);
        _cluster.IsCut = static (_, _, _) => false;
        _cluster.Until(() => answers.All(a => a.Result is not null), "all are answered");
        Assert.All(answers, a => Assert.Equal((AdminOutcome.Done, 4L), Answered(a)));
    }

    [Fact]
    public void Too_many_that_wait_are_refused()
    {
        _cluster.IsCut = (from, _, lane) => from == _leader.Id && lane == Broker.Environment.PeerLane.Append;
        AdminAnswer[] answers = [.. Enumerable.Range(0, PendingDeletes.WaitingMax).Select(_ => Delete(4, 60_000))];

        Assert.Equal(AdminOutcome.TimedOut, Delete(4, 60_000).Result?.Outcome);
        Assert.DoesNotContain(answers, a => a.Result is not null);
    }

    private static (AdminOutcome Outcome, long LogStart) Answered(AdminAnswer answer) => (answer.Result!.Outcome, answer.Result.Number);

    private PartitionState StateOn(ClusterNode node) => ((Partition)node.Parts.Shard.Find(_group)!.Machine).State;

    private AdminAnswer Delete(long before, int deadlineMs = 5_000)
    {
        var answer = new AdminAnswer();
        _leader.Broker.Administer(new AdminCommand.DeleteRecords("t", 0, before), _cluster.NowMs + deadlineMs, answer);
        _cluster.Settle();
        return answer;
    }
}
