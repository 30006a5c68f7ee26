using System.Collections.Immutable;
using RaftMq.Broker.Controller;
using RaftMq.Raft;

namespace RaftMq.Broker.Tests.Controller;

/// <summary>When a balance begins and when it does not.</summary>
public sealed class BalanceDecisionTests
{
    private readonly ClusterState _state = new();
    private readonly HashSet<NodeId> _dead = [];
    private readonly BalanceDecisions _decisions;

    public BalanceDecisionTests()
    {
        _decisions = new BalanceDecisions(_state, node => !_dead.Contains(node), static _ => true);
        for (int node = 1; node <= 3; node++)
        {
            _state.Apply(new ClusterCommand.NodeRegistered(new NodeRecord(Replica(node), new BootNumber(1), 1, null, [], 1, 1)));
        }
    }

    [Fact]
    public void It_begins_once_and_can_be_stopped()
    {
        Create(1, 2);
        Create(1, 2);
        Apply(Decide());
        Assert.True(_state.IsBalancing);
        Assert.Contains("under way already", Refused(Decide()), StringComparison.Ordinal);

        Apply(Decide(cancel: true));
        Assert.False(_state.IsBalancing);
        Assert.Equal(AdminOutcome.Done, Decide(cancel: true).Answer?.Outcome);
        Apply(Decide());
    }

    [Fact]
    public void What_is_even_needs_none()
    {
        Create(1, 2, 3);

        Assert.Equal(AdminOutcome.Done, Decide().Answer?.Outcome);
    }

    [Fact]
    public void It_does_not_begin_while_a_node_is_drained_and_holds_something()
    {
        Create(1, 2);
        _state.Apply(new ClusterCommand.NodeDutySet(new NodeId(2), NodeDuty.Draining));
        Assert.Contains("node 2 is being drained", Refused(Decide()), StringComparison.Ordinal);

        _state.Apply(new ClusterCommand.NodeDutySet(new NodeId(2), NodeDuty.Serving));
        _state.Apply(new ClusterCommand.NodeDutySet(new NodeId(3), NodeDuty.Draining));
        Create(1, 2);
        Apply(Decide());
    }

    [Fact]
    public void It_does_not_begin_while_a_node_that_serves_is_down()
    {
        Create(1, 2);
        _dead.Add(new NodeId(3));
        Assert.Contains("node 3 is down", Refused(Decide()), StringComparison.Ordinal);

        _state.Apply(new ClusterCommand.NodeDutySet(new NodeId(3), NodeDuty.Draining));
        Assert.Equal(AdminOutcome.Done, Decide().Answer?.Outcome);
    }

    /// <summary>A step is applied whole; the same set in another order is no movement.</summary>
    [Fact]
    public void A_step_moves_replicas_and_names_leaders()
    {
        Create(1, 2);
        Create(1, 2);
        _state.Apply(new ClusterCommand.PartitionsPlaced(
            [new PlacedPartition(1, 0, [Replica(2), Replica(1)]), new PlacedPartition(2, 0, [Replica(3), Replica(2)])]));

        PartitionInfo turned = _state.TopicById(1)!.Partitions[0];
        PartitionInfo moved = _state.TopicById(2)!.Partitions[0];
        Assert.Equal([Replica(2), Replica(1)], turned.Replicas);
        Assert.False(turned.IsMoving);
        Assert.Equal(0, turned.Epoch);
        Assert.Equal([Replica(3), Replica(2)], moved.Replicas);
        Assert.Equal([Replica(1)], moved.Leaving);
        Assert.True(moved.IsMoving);
    }

    private Decision Decide(bool cancel = false) => _decisions.Decide(new AdminCommand.Balance(cancel));

    private void Apply(Decision decision)
    {
        Assert.True(decision.Command is not null, decision.Answer?.ToString());
        _state.Apply(decision.Command);
    }

    private void Create(params int[] nodes)
    {
        int number = _state.Topics.Count + 1;
        _state.Apply(new ClusterCommand.TopicCreated(new TopicInfo(
            $"t{number}", (UInt128)number, Internal: false, [new PartitionInfo(0, new GroupId((UInt128)number), [.. nodes.Select(Replica)])],
            ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal))));
    }

    private static string Refused(Decision decision)
    {
        Assert.Equal(AdminOutcome.Refused, decision.Answer?.Outcome);
        return decision.Answer!.Message!;
    }

    private static ReplicaId Replica(int node) => new(new NodeId(node), new StoreId((UInt128)node));
}
