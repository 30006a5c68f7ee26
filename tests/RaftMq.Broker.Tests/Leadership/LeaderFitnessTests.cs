using RaftMq.Broker.Leadership;
using RaftMq.Broker.Peers;
using RaftMq.Raft;

namespace RaftMq.Broker.Tests.Leadership;

public sealed class LeaderFitnessTests
{
    private static readonly NodeId Self = new(1);
    private static readonly NodeId Other = new(2);
    private static readonly GroupId Orders = new(1);
    private static readonly GroupId Ledger = new(2);

    private readonly LeaderFitness _fitness = new(Self);

    [Fact]
    public void Faults_of_a_node_are_those_of_all_its_replicas()
    {
        _fitness.SetNode(LeaderFaults.SlowDisk, nowMs: 0);
        _fitness.SetGroup(Orders, LeaderFaults.Damaged, has: true);

        Assert.Equal(LeaderFaults.SlowDisk | LeaderFaults.Damaged, _fitness.Of(Self, Orders));
        Assert.Equal(LeaderFaults.SlowDisk, _fitness.Of(Self, Ledger));
        Assert.Equal(LeaderFaults.None, _fitness.Of(Other, Orders));
    }

    [Fact]
    public void What_a_node_says_takes_the_place_of_what_it_said_before()
    {
        _fitness.Heard(Other, new PeerMessage.Faults(LeaderFaults.None, [new GroupFaults(Orders, LeaderFaults.Damaged)]), nowMs: 0);
        Assert.Equal(LeaderFaults.Damaged, _fitness.Of(Other, Orders));

        _fitness.Heard(Other, new PeerMessage.Faults(LeaderFaults.Stopping, []), nowMs: 0);
        Assert.Equal(LeaderFaults.Stopping, _fitness.Of(Other, Orders));

        _fitness.Heard(Other, new PeerMessage.Faults(LeaderFaults.None, []), nowMs: 0);
        Assert.Equal(LeaderFaults.None, _fitness.Of(Other, Orders));
    }

    [Fact]
    public void Only_changes_are_news()
    {
        Assert.False(_fitness.TakeNews());
        _fitness.SetGroup(Orders, LeaderFaults.Damaged, has: true);
        Assert.True(_fitness.TakeNews());
        Assert.False(_fitness.TakeNews());
        _fitness.SetGroup(Orders, LeaderFaults.Damaged, has: true);
        _fitness.SetGroup(Orders, LeaderFaults.DiskFull, has: false);
        _fitness.SetNode(LeaderFaults.None, nowMs: 0);
        _fitness.Removed(Ledger);
        Assert.False(_fitness.TakeNews());

        _fitness.SetGroup(Orders, LeaderFaults.DiskFull, has: true);
        _fitness.SetGroup(Orders, LeaderFaults.Damaged, has: false);
        Assert.True(_fitness.TakeNews());
        Assert.Equal([new GroupFaults(Orders, LeaderFaults.DiskFull)], _fitness.Announcement.Groups);
        _fitness.Removed(Orders);
        Assert.True(_fitness.TakeNews());
        Assert.Empty(_fitness.Announcement.Groups);
    }

    [Fact]
    public void Faults_are_told_as_clauses() => Assert.Equal(
        "its disk does not keep up and its data of this partition is damaged",
        (LeaderFaults.Damaged | LeaderFaults.SlowDisk).Describe());
}
