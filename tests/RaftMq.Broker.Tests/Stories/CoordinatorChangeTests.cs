using RaftMq.Broker.Groups;
using RaftMq.Broker.Peers;
using RaftMq.Broker.Tests.Groups;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;
using WholeCluster = RaftMq.Broker.Tests.Support.Cluster;

namespace RaftMq.Broker.Tests.Stories;

/// <summary>What clients ask of a coordinator while its leadership settles or goes elsewhere waits, as they do not ask again for long.</summary>
public sealed class CoordinatorChangeTests
{
    private readonly WholeCluster _cluster = WholeCluster.Started(3);
    private readonly UInt128 _topic;
    private readonly GroupId _offsets;
    private readonly ClusterNode _coordinator;

    public CoordinatorChangeTests()
    {
        _topic = _cluster.CreateTopic("t").Id;
        Answer<OffsetCommitResult> first = new();
        _cluster[1].Broker.WithCoordinator("g", Commit(1, first));
        _cluster.Until(() => _cluster[1].Broker.Cluster.Topics.ContainsKey(OffsetsTopic.Name), "there are coordinators");
        _offsets = _cluster[1].Broker.Cluster.Topics[OffsetsTopic.Name].Partitions[0].Group;
        _cluster.Until(() => _cluster.LeaderOf(_offsets) is not null, "one leads");
        _cluster.Pass(500);
        _coordinator = _cluster.LeaderOf(_offsets)!;
    }

    [Fact]
    public void A_commit_waits_while_leadership_is_handed_over_to_a_node_that_does_not_take_it()
    {
        HandOver(isHeard: false);
        Answer<OffsetCommitResult> answer = new();
        CoordinatorCall call = Commit(2, answer);
        _coordinator.Broker.WithCoordinator("g", call);
        _cluster.Pass(20);
        Assert.True(answer.IsWaiting);

        _cluster.Pass(2_000);
        Assert.False(call.WasNotHere);
        answer.IsStored();
    }

    [Fact]
    public void A_commit_that_waits_is_told_where_to_go_once_another_node_leads()
    {
        HandOver(isHeard: true);
        Answer<OffsetCommitResult> answer = new();
        CoordinatorCall call = Commit(2, answer);
        _coordinator.Broker.WithCoordinator("g", call);
        _cluster.Pass(1_000);
        Assert.NotEqual(_coordinator, _cluster.LeaderOf(_offsets));
        Assert.True(answer.IsWaiting);
        Assert.True(call.WasNotHere);
    }

    [Fact]
    public void A_commit_waits_for_a_new_leader_that_does_not_serve_yet()
    {
        ClusterNode next = LeaderThatDoesNotServe();
        Answer<OffsetCommitResult> answer = new();
        CoordinatorCall call = Commit(2, answer);
        next.Broker.WithCoordinator("g", call);
        _cluster.Pass(30);
        Assert.True(answer.IsWaiting);
        Assert.False(call.WasNotHere);

        _cluster.Alter = null;
        _cluster.Pass(1_000);
        answer.IsStored();
    }

    [Fact]
    public void No_call_waits_for_longer_than_its_limit()
    {
        ClusterNode next = LeaderThatDoesNotServe();
        Answer<OffsetCommitResult> answer = new();
        CoordinatorCall call = Commit(2, answer);
        next.Broker.WithCoordinator("g", call);
        _cluster.Until(() => call.WasNotHere, "it is told", withinMs: new GroupLimits().CallHeldMsMax + 100);
    }

    /// <summary>It wins, and its first entry reaches nobody for now.</summary>
    private ClusterNode LeaderThatDoesNotServe()
    {
        ClusterNode next = _cluster.Nodes.First(node => node != _coordinator);
        HandOver(isHeard: true);
        _cluster.Alter = (from, _, message) => from == next.Id && IsOf<AppendEntries>(message) ? null : message;
        _cluster.Until(() => _cluster.ReplicaOf(next.Id.Value, _offsets).IsLeader, "it leads");
        return next;
    }

    private void HandOver(bool isHeard)
    {
        _cluster.Alter = (_, _, message) => !isHeard && IsOf<TimeoutNow>(message) ? null : message;
        ClusterNode to = _cluster.Nodes.First(node => node != _coordinator);
        Assert.IsType<ChangeResult.Started>(_cluster.ReplicaOf(_coordinator.Id.Value, _offsets).TransferLeadership(to.Id));
    }

    private bool IsOf<T>(PeerMessage message)
        where T : RaftMessage => message is PeerMessage.ForGroup { Message: T } said && said.Group == _offsets;

    private CoordinatorCall Commit(long offset, IReply<OffsetCommitResult> answer) => new((coordinator, nowMs) => coordinator.CommitOffsets(
        new OffsetCommitRequest
        {
            Group = new("g"),
            Generation = Generation.None,
            Member = MemberId.None,
            Offsets = [new("t", _topic, 0, offset, -1, "")],
        },
        nowMs,
        answer));
}
