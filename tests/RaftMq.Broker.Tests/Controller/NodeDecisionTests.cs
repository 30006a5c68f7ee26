using System.Collections.Immutable;
using RaftMq.Broker.Controller;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;

namespace RaftMq.Broker.Tests.Controller;

/// <summary>Which nodes the controller's leader lets in and lets go.</summary>
public sealed class NodeDecisionTests
{
    private readonly ClusterState _state = new();
    private readonly StoppedClock _clock = new();
    private readonly HashSet<NodeId> _dead = [];
    private readonly NodeDecisions _decisions;

    public NodeDecisionTests()
    {
        _decisions = new NodeDecisions(_state, _clock, node => !_dead.Contains(node));
        _state.Apply(new ClusterCommand.ClusterFormed(5, 1, [Node(1).Replica, Node(2).Replica, Node(3).Replica]));
    }

    [Fact]
    public void First_voters_register_unasked_and_nobody_else_does()
    {
        Registered(Node(1));
        Registered(Node(2));

        Assert.Equal(AdminOutcome.NotExpected, _decisions.Register(Node(4)).Answer?.Outcome);
        Assert.Equal(AdminOutcome.NotExpected, _decisions.Register(Node(3, store: 99)).Answer?.Outcome);
        Registered(Node(3));
    }

    [Fact]
    public void An_expected_node_is_bound_to_the_first_folder_it_comes_with()
    {
        Register(1, 2, 3);
        Apply(_decisions.Expect(new NodeId(4)));
        Registered(Node(4, store: 44));

        Assert.Equal(AdminOutcome.Refused, _decisions.Register(Node(4, store: 45)).Answer?.Outcome);
        Registered(Node(4, store: 44) with { Boot = new BootNumber(2) });
        Assert.Empty(_state.Roster.Expected);
    }

    [Fact]
    public void An_expectation_ends_after_a_day_or_when_it_is_taken_back()
    {
        Register(1, 2, 3);
        Apply(_decisions.Expect(new NodeId(4)));
        Apply(_decisions.Expect(new NodeId(5)));
        Apply(_decisions.Remove(new AdminCommand.RemoveNode(new NodeId(5), Lost: false)));
        Assert.Equal(AdminOutcome.NotExpected, _decisions.Register(Node(5)).Answer?.Outcome);

        _clock.UnixMs += 24 * 3_600_000L - 1;
        Assert.NotNull(_decisions.Register(Node(4)).Command);
        _clock.UnixMs++;
        Assert.Equal(AdminOutcome.NotExpected, _decisions.Register(Node(4)).Answer?.Outcome);

        Apply(_decisions.Expect(new NodeId(6)));
        Assert.Equal([new NodeId(6)], _state.Roster.Expected.Keys);
    }

    [Fact]
    public void Only_so_many_are_expected_and_only_so_many_are_in()
    {
        Register(1, 2, 3);
        for (int n = 0; n < NodeRoster.ExpectedMax; n++)
        {
            Apply(_decisions.Expect(new NodeId(10 + n)));
        }

        Assert.Contains("expected already", Refused(_decisions.Expect(new NodeId(50))), StringComparison.Ordinal);
        Apply(_decisions.Expect(new NodeId(10)));
        for (int n = 0; n < NodeRoster.ExpectedMax; n++)
        {
            Registered(Node(10 + n));
        }

        for (int n = 0; n < NodeDecisions.NodesMax - 3 - NodeRoster.ExpectedMax; n++)
        {
            Apply(_decisions.Expect(new NodeId(30 + n)));
            Registered(Node(30 + n));
        }

        Assert.Contains("at most", Refused(_decisions.Expect(new NodeId(99))), StringComparison.Ordinal);
        Assert.Contains("already", Refused(_decisions.Expect(new NodeId(1))), StringComparison.Ordinal);
        Refused(_decisions.Expect(new NodeId(1_000_000)));
    }

    [Fact]
    public void A_node_that_holds_replicas_is_removed_only_when_it_is_dead_and_lost()
    {
        Register(1, 2, 3);
        CreateTopic(1, 2);

        Assert.Contains("holds 1 replicas", Refused(Remove(2)), StringComparison.Ordinal);
        Assert.Contains("is alive", Refused(Remove(2, lost: true)), StringComparison.Ordinal);
        _dead.Add(new NodeId(2));
        Assert.Contains("holds 1 replicas", Refused(Remove(2)), StringComparison.Ordinal);
        Apply(Remove(2, lost: true));

        Assert.Equal(NodeDuty.Leaving, _state.Roster.DutyOf(new NodeId(2)));
        Assert.Equal(AdminOutcome.Done, Remove(2).Answer?.Outcome);
        Apply(Remove(3));
        Assert.Contains("last one", Refused(Drain(1)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_removed_folder_never_comes_back_but_its_number_may()
    {
        Register(1, 2, 3);
        _state.Apply(new ClusterCommand.NodeRemoved(Node(2).Replica));

        Assert.Contains("was removed", Refused(_decisions.Register(Node(2))), StringComparison.Ordinal);
        Assert.Equal(AdminOutcome.NotExpected, _decisions.Register(Node(2, store: 77)).Answer?.Outcome);
        Apply(_decisions.Expect(new NodeId(2)));
        Assert.Contains("was removed", Refused(_decisions.Register(Node(2))), StringComparison.Ordinal);
        Registered(Node(2, store: 77));
    }

    [Fact]
    public void A_drained_node_takes_no_new_replicas_until_it_serves_again()
    {
        Register(1, 2, 3);
        Apply(Drain(2));
        Assert.Equal(AdminOutcome.Done, Drain(2).Answer?.Outcome);
        var topics = new ControllerDecisions(_state, new BrokerOptions(), new RandomSource(1), _clock, static _ => true, static _ => true);

        TopicInfo placed = topics.Decide(Create(-1, [])).Command is ClusterCommand.TopicCreated created ? created.Topic : null!;
        Assert.DoesNotContain(placed.Partitions, p => p.Replicas.Any(r => r.Node.Value == 2));
        Assert.Equal(AdminOutcome.InvalidReplicationFactor, topics.Decide(Create(3, [])).Answer?.Outcome);
        Assert.Equal(AdminOutcome.InvalidAssignment, topics.Decide(Create(-1, [[new NodeId(1), new NodeId(2)]])).Answer?.Outcome);

        Apply(_decisions.Drain(new AdminCommand.DrainNode(new NodeId(2), Cancel: true)));
        Assert.NotNull(topics.Decide(Create(3, [])).Command);
        Assert.Equal(AdminOutcome.UnknownNode, Drain(9).Answer?.Outcome);
        Apply(Drain(1));
        Apply(Drain(2));
        Assert.Contains("last one", Refused(Drain(3)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_request_about_a_node_meets_nothing_else_that_has_its_number_later()
    {
        Register(1, 2, 3);
        var all = new ControllerDecisions(_state, new BrokerOptions(), new RandomSource(1), _clock, static _ => false, static _ => true);
        NodeAsKnown nothing = _state.Known(new NodeId(4));
        Apply(_decisions.Expect(new NodeId(4)));
        NodeAsKnown expected = _state.Known(new NodeId(4));
        Registered(Node(4, store: 44));
        NodeAsKnown first = _state.Known(new NodeId(4));
        _state.Apply(new ClusterCommand.NodeRemoved(Node(4, store: 44).Replica));
        NodeAsKnown[] former = [nothing, expected, first];
        Assert.Equal(AdminOutcome.UnknownNode, Decide(new AdminCommand.RemoveNode(new NodeId(4), Lost: true), first).Answer?.Outcome);

        _clock.UnixMs++;
        Apply(_decisions.Expect(new NodeId(4)));
        NodeAsKnown expectedAgain = _state.Known(new NodeId(4));
        Assert.All(former, meant => Refused(Decide(new AdminCommand.RemoveNode(new NodeId(4), Lost: false), meant)));
        Assert.NotNull(Decide(new AdminCommand.RemoveNode(new NodeId(4), Lost: false), expectedAgain).Command);

        Registered(Node(4, store: 45));
        Assert.All([.. former, expectedAgain], meant => Refused(Decide(new AdminCommand.RemoveNode(new NodeId(4), Lost: true), meant)));
        Assert.All([.. former, expectedAgain], meant => Refused(Decide(new AdminCommand.DrainNode(new NodeId(4), Cancel: false), meant)));
        Assert.NotNull(Decide(new AdminCommand.DrainNode(new NodeId(4), Cancel: false), _state.Known(new NodeId(4))).Command);
        Assert.NotNull(Decide(new AdminCommand.RemoveNode(new NodeId(4), Lost: true), _state.Known(new NodeId(4))).Command);

        Decision Decide(AdminCommand command, NodeAsKnown meant) => all.Decide(new ControllerRequest.Administer(command, Node: meant));
    }

    [Fact]
    public void The_oldest_of_too_many_removed_folders_is_forgotten()
    {
        for (int n = 0; n <= NodeRoster.RemovedMax; n++)
        {
            _state.Apply(new ClusterCommand.NodeRegistered(Node(9, store: n + 1)));
            _state.Apply(new ClusterCommand.NodeRemoved(Node(9, store: n + 1).Replica));
        }

        Assert.Equal(NodeRoster.RemovedMax, _state.Roster.Removed.Length);
        Assert.DoesNotContain(Node(9, store: 1).Replica, _state.Roster.Removed);
    }

    private static ControllerRequest.Administer Create(int replicas, ImmutableArray<ImmutableArray<NodeId>> assignments) => new(
        new AdminCommand.CreateTopic(
            "t", 4, replicas, assignments, ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal), ValidateOnly: false));

    private Decision Remove(int node, bool lost = false) => _decisions.Remove(new AdminCommand.RemoveNode(new NodeId(node), lost));

    private Decision Drain(int node) => _decisions.Drain(new AdminCommand.DrainNode(new NodeId(node), Cancel: false));

    private void Register(params int[] nodes)
    {
        foreach (int node in nodes)
        {
            Registered(Node(node));
        }
    }

    private void Registered(NodeRecord node)
    {
        Apply(_decisions.Register(node));
        Assert.Equal(node, _state.Nodes[node.Replica.Node]);
    }

    private void Apply(Decision decision)
    {
        Assert.True(decision.Command is not null, decision.Answer?.ToString());
        _state.Apply(decision.Command);
    }

    private void CreateTopic(params int[] nodes) => _state.Apply(new ClusterCommand.TopicCreated(new TopicInfo(
        "t", 1, Internal: false, [new PartitionInfo(0, new GroupId(5), [.. nodes.Select(n => Node(n).Replica)])],
        ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal))));

    private static string Refused(Decision decision)
    {
        Assert.Equal(AdminOutcome.Refused, decision.Answer?.Outcome);
        return decision.Answer!.Message!;
    }

    private static NodeRecord Node(int node, int store = 0) => new(
        new ReplicaId(new NodeId(node), new StoreId((UInt128)(store == 0 ? node : store))), new BootNumber(1), 1, null, [], 1, 1);
}
