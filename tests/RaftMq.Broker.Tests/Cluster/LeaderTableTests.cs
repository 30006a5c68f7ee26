using RaftMq.Broker.Cluster;
using RaftMq.Broker.Controller;
using RaftMq.Broker.Peers;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;
using WholeCluster = RaftMq.Broker.Tests.Support.Cluster;

namespace RaftMq.Broker.Tests.Cluster;

/// <summary>Who leads what, as nodes hear it: late, repeated, out of order.</summary>
public sealed class LeaderTableTests
{
    private static readonly GroupId Group = new(9);
    private readonly LeaderTable _table = new();

    public LeaderTableTests() => _table.Place([Group]);

    [Fact]
    public void A_newer_epoch_replaces_an_older_one_and_never_the_other_way_round()
    {
        Assert.True(Learn(1, epoch: 4));
        Assert.True(Learn(2, epoch: 5));
        Assert.False(Learn(1, epoch: 4));
        Assert.False(Learn(3, epoch: 3));

        Assert.Equal((new NodeId(2), 5), Leader());
    }

    [Fact]
    public void An_older_epoch_does_not_come_back_when_the_newer_leader_is_gone()
    {
        Learn(1, epoch: 4);
        Learn(2, epoch: 5);
        Assert.True(_table.Forget(Group, 5));
        Assert.Null(Leader());

        Assert.False(Learn(1, epoch: 4));
        Assert.Null(Leader());
        Assert.True(Learn(2, epoch: 5));
        Assert.Equal((new NodeId(2), 5), Leader());
    }

    [Fact]
    public void Who_has_not_heard_of_the_newer_leader_does_not_forget_it()
    {
        Learn(2, epoch: 5);

        Assert.False(_table.Forget(Group, 4));
        Assert.Equal((new NodeId(2), 5), Leader());
        Assert.False(_table.Forget(new GroupId(8), 4));
    }

    [Fact]
    public void The_same_word_again_is_no_news_but_another_in_sync_set_is()
    {
        Assert.True(Learn(1, epoch: 4, inSync: [1, 2]));
        Assert.False(Learn(1, epoch: 4, inSync: [1, 2]));
        Assert.True(Learn(1, epoch: 4, inSync: [1]));
        Assert.Equal([new NodeId(1)], _table.Image[Group].InSync);
    }

    [Fact]
    public void A_late_word_on_a_deleted_group_does_not_stay()
    {
        Learn(1, epoch: 4);
        Assert.True(_table.Place([]));
        Assert.Empty(_table.Image);

        Assert.False(Learn(1, epoch: 4, nowMs: 100));
        Assert.Empty(_table.Image);
        Assert.Equal(1, _table.EarlyCount);
        _table.Tick(100 + LeaderTable.EarlyKeptMs);
        Assert.Equal(0, _table.EarlyCount);
    }

    [Fact]
    public void A_word_on_a_group_whose_creation_was_not_heard_of_yet_waits_for_it()
    {
        var made = new GroupId(10);
        Assert.False(Learn(1, epoch: 4, group: made));
        Assert.False(Learn(2, epoch: 5, group: made));
        Assert.False(Learn(1, epoch: 4, group: made));
        _table.Tick(LeaderTable.EarlyKeptMs - 1);

        Assert.True(_table.Place([Group, made]));

        Assert.Equal((new NodeId(2), 5), Leader(made));
        Assert.Equal(0, _table.EarlyCount);
        Assert.False(_table.Place([Group, made]));
    }

    [Fact]
    public void Words_kept_aside_are_bounded()
    {
        for (int i = 0; i < LeaderTable.EarlyMax + 10; i++)
        {
            Learn(1, epoch: 1, group: new GroupId((UInt128)(1_000 + i)));
        }

        Assert.Equal(LeaderTable.EarlyMax, _table.EarlyCount);
    }

    [Fact]
    public void A_deleted_topics_leader_is_forgotten_though_a_node_that_was_away_still_announces_it()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        GroupId doomed = cluster.CreateTopic("doomed").Partitions[0].Group;
        ClusterNode leader = cluster.LeaderOf(doomed)!;
        ReplicaId replica = leader.Parts.Shard.Context.Self.Replica;
        cluster.Administer(cluster[1], new AdminCommand.DeleteTopic("doomed", UInt128.Zero));
        cluster.Until(() => cluster.Nodes.All(n => n.Parts.Shard.Find(doomed) is null), "it is gone");
        Assert.All(cluster.Nodes, n => Assert.False(n.Broker.Cluster.Leaders.ContainsKey(doomed)));

        ClusterNode other = cluster.Nodes.First(n => n != leader);
        WholeCluster.Inject(
            new PeerSender(replica, leader.Parts.Shard.Context.Self.Boot), other,
            new PeerMessage.Leading([new GroupLead(doomed, 1, [replica.Node])]));
        cluster.Pass(50);

        Assert.False(other.Broker.Cluster.Leaders.ContainsKey(doomed));
    }

    [Fact]
    public void Leaders_are_known_again_everywhere_after_all_nodes_have_started_anew()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        GroupId[] groups = [.. cluster.CreateTopic("t", partitions: 5).Partitions.Select(p => p.Group)];
        cluster.Pass(500);
        foreach (ClusterNode node in cluster.Nodes)
        {
            node.Kill();
        }

        foreach (ClusterNode node in cluster.Nodes)
        {
            node.Start();
        }

        cluster.Until(
            () => groups.All(g => cluster.LeaderOf(g) is { } leader
                && cluster.Nodes.All(n => n.Broker.Cluster.LeaderOf(g)?.Leader == leader.Id)),
            "every node knows every leader");
    }

    private bool Learn(int leader, int epoch, int[]? inSync = null, GroupId? group = null, long nowMs = 0) => _table.Learn(
        group ?? Group, new LeaderInfo(new NodeId(leader), epoch, [.. (inSync ?? [leader]).Select(n => new NodeId(n))]), nowMs);

    private (NodeId Leader, int Epoch)? Leader(GroupId? group = null) =>
        _table.Image.TryGetValue(group ?? Group, out LeaderInfo known) ? (known.Leader, known.Epoch) : null;
}
