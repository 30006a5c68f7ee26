using RaftMq.Broker.Cluster;
using RaftMq.Raft;

namespace RaftMq.Broker.Tests.Cluster;

public sealed class PeerLivenessTests
{
    private static readonly NodeId Node = new(2);
    private static readonly ReplicaId Replica = new(Node, new StoreId(5));
    private static readonly BootNumber Boot = new(7);

    private readonly PeerLiveness _liveness = new();

    public PeerLivenessTests() => _liveness.Heard(Replica, Boot, nowMs: 1_000);

    [Fact]
    public void Node_whose_connection_broke_is_not_alive_until_it_is_heard_again()
    {
        Assert.True(_liveness.Doubt(Node));
        Assert.False(_liveness.IsAlive(Node));
        Assert.False(_liveness.Doubt(Node));

        Assert.True(_liveness.Heard(Replica, Boot, nowMs: 1_005));
        Assert.True(_liveness.IsAlive(Node));
        Assert.False(_liveness.Heard(Replica, Boot, nowMs: 1_010));
    }

    [Fact]
    public void Node_that_refuses_after_its_connection_broke_is_news_still()
    {
        _liveness.Doubt(Node);

        Assert.True(_liveness.Lost(Node));
        Assert.False(_liveness.Doubt(Node));
        Assert.False(_liveness.Lost(Node));
    }

    [Fact]
    public void Doubted_node_that_is_not_heard_is_silent_in_the_end()
    {
        List<NodeId> silent = [];
        _liveness.Doubt(Node);
        _liveness.FindSilent(1_000 + PeerLiveness.SilentAfterMs, silent);
        Assert.Empty(silent);
        Assert.Equal(0, _liveness.SilentForMs(Node, 1_500, startMs: 0));

        _liveness.FindSilent(1_001 + PeerLiveness.SilentAfterMs, silent);
        Assert.Equal([Node], silent);
        Assert.Equal(700, _liveness.SilentForMs(Node, 1_700, startMs: 0));
    }

    [Fact]
    public void Another_folder_s_starts_are_counted_anew()
    {
        Assert.False(_liveness.Heard(Replica, new BootNumber(6), nowMs: 1_010));

        Assert.True(_liveness.Heard(new ReplicaId(Node, new StoreId(6)), new BootNumber(1), nowMs: 1_020));
        Assert.True(_liveness.IsAlive(Node));
        _liveness.Lost(Node);
        Assert.True(_liveness.Heard(new ReplicaId(Node, new StoreId(6)), new BootNumber(1), nowMs: 1_030));
    }

    [Fact]
    public void Node_never_heard_cannot_be_doubted() => Assert.False(_liveness.Doubt(new NodeId(9)));
}
