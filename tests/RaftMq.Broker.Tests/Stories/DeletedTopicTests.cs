using RaftMq.Broker.Controller;
using RaftMq.Broker.Groups;
using RaftMq.Broker.Peers;
using RaftMq.Broker.Tests.Groups;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;
using WholeCluster = RaftMq.Broker.Tests.Support.Cluster;

namespace RaftMq.Broker.Tests.Stories;

/// <summary>A topic that is deleted takes the offsets of its consumer groups along, and leaves everyone else's.</summary>
public sealed class DeletedTopicTests
{
    private const string Group = "g";

    private readonly WholeCluster _cluster = WholeCluster.Started(3);
    private readonly TopicInfo _doomed;
    private readonly TopicInfo _kept;

    public DeletedTopicTests()
    {
        _doomed = _cluster.CreateTopic("doomed");
        _kept = _cluster.CreateTopic("kept");
        Commit(_doomed, 7);
        Commit(_kept, 8);
        Assert.Equal([("doomed", 7L), ("kept", 8L)], Offsets());
    }

    [Fact]
    public void Its_offsets_are_forgotten_and_a_topic_of_its_name_begins_without()
    {
        Delete();
        _cluster.Pass(1_000);
        Assert.Equal([("kept", 8L)], Offsets());

        Commit(_cluster.CreateTopic("doomed"), 1);
        _cluster.Pass(1_000);
        Assert.Equal([("doomed", 1L), ("kept", 8L)], Offsets());
    }

    [Fact]
    public void Its_offsets_are_forgotten_though_the_groups_coordinator_dies_in_that_moment()
    {
        ClusterNode coordinator = _cluster.LeaderOf(OffsetsGroup)!;
        _cluster.Alter = (from, _, message) => from == coordinator.Id && message is PeerMessage.ForGroup { Message: AppendEntries } lost
            && lost.Group == OffsetsGroup ? null : message;
        Delete();
        _cluster.Until(() => _cluster.Nodes.All(node => !node.Broker.Cluster.Topics.ContainsKey("doomed")), "all have heard of it");
        coordinator.Kill();
        _cluster.Alter = null;
        _cluster.Until(() => _cluster.LeaderOf(OffsetsGroup) is not null, "there is another coordinator");
        _cluster.Pass(1_000);

        Assert.Equal([("kept", 8L)], Offsets());
    }

    private GroupId OffsetsGroup => _cluster.Nodes.First(node => node.IsUp).Broker.Cluster.Topics[OffsetsTopic.Name].Partitions[0].Group;

    private void Delete()
    {
        ClusterNode asked = _cluster.Nodes.First(node => node != _cluster.LeaderOf(OffsetsGroup));
        Assert.Equal(AdminOutcome.Done, _cluster.Administer(asked, new AdminCommand.DeleteTopic("doomed", UInt128.Zero)).Outcome);
    }

    private void Commit(TopicInfo topic, long offset)
    {
        var answer = new Answer<OffsetCommitResult>();
        Ask((coordinator, nowMs) => coordinator.CommitOffsets(
            new OffsetCommitRequest
            {
                Group = new(Group),
                Generation = Generation.None,
                Member = MemberId.None,
                Offsets = [new(topic.Name, topic.Id, 0, offset, -1, "")],
            },
            nowMs,
            answer));
        answer.IsStored();
    }

    /// <summary>All that the group has, of whichever incarnation of a topic.</summary>
    private IEnumerable<(string Topic, long Offset)> Offsets()
    {
        var answer = new Answer<OffsetFetchResult>();
        Ask((coordinator, nowMs) => coordinator.FetchOffsets(new OffsetFetchRequest { Group = new(Group), Offsets = null }, nowMs, answer));
        return Assert.IsType<OffsetFetchResult.Fetched>(answer.Result).Offsets.Select(o => (o.Key.Topic, o.Committed!.Offset));
    }

    private void Ask(Action<GroupCoordinator, long> ask)
    {
        CoordinatorCall call = new(ask);
        _cluster.LeaderOf(OffsetsGroup)!.Broker.WithCoordinator(Group, call);
        _cluster.Pass(200);
        Assert.False(call.WasNotHere);
    }
}
