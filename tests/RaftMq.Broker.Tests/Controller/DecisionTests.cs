using System.Collections.Immutable;
using RaftMq.Broker.Controller;
using RaftMq.Broker.Groups;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;

namespace RaftMq.Broker.Tests.Controller;

/// <summary>What the controller's leader refuses and proposes, and where it places.</summary>
public sealed class DecisionTests
{
    private readonly ClusterState _state = new();
    private readonly ControllerDecisions _decisions;

    public DecisionTests()
    {
        _decisions = new ControllerDecisions(
            _state, new BrokerOptions(), new RandomSource(1), new StoppedClock(), static _ => true, static _ => true);
        _state.Apply(new ClusterCommand.ClusterFormed(5, 1, [Node(1).Replica]));
        for (int n = 1; n <= 3; n++)
        {
            _state.Apply(new ClusterCommand.NodeRegistered(Node(n)));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("ä")]
    public void Names_that_are_none_are_refused(string name) => Assert.Equal(AdminOutcome.InvalidName, Refused(Create(name)));

    [Fact]
    public void The_internal_topic_belongs_to_the_cluster()
    {
        Assert.Equal(AdminOutcome.Refused, Refused(Create(OffsetsTopic.Name)));
        Created(Create(OffsetsTopic.Name) with { Internal = true });

        Assert.Equal(AdminOutcome.Refused, Refused(new AdminCommand.DeleteTopic(OffsetsTopic.Name, UInt128.Zero)));
        Assert.Equal(AdminOutcome.Refused, Refused(new AdminCommand.AddPartitions(OffsetsTopic.Name, 100, [], false)));
    }

    /// <summary>A number with ten million zeros before it is a number, and would be replicated, kept and told with every image of the cluster.</summary>
    [Fact]
    public void Settings_with_endless_names_or_values_are_refused_in_few_words()
    {
        string zeros = new string('0', 10_000_000) + "1";
        ImmutableSortedDictionary<string, string> unknown = Configs([.. Enumerable.Range(0, 10_000).Select(i => ($"no.such.{i}", "1"))]);
        AdminCommand[] commands =
        [
            Create("t") with { Configs = Configs(("retention.ms", zeros)) },
            Create("t") with { Configs = Configs((zeros, "1")) },
            Create("t") with { Configs = Configs(("message.timestamp.type", zeros)) },
            Create("t") with { Configs = unknown },
        ];
        foreach (AdminCommand command in commands)
        {
            AdminResult answer = Decide(command).Answer!;
            Assert.Equal(AdminOutcome.InvalidConfig, answer.Outcome);
            Assert.InRange(answer.Message!.Length, 1, 5_000);
        }

        Assert.InRange(Decide(new AdminCommand.DeleteTopic(zeros, UInt128.Zero)).Answer!.Message!.Length, 1, 5_000);
    }

    [Theory]
    [InlineData("min.insync.replicas", "4")]
    [InlineData("min.insync.replicas", "0")]
    [InlineData("cleanup.policy", "compact")]
    [InlineData("cleanup.policy", "compact,delete")]
    [InlineData("no.such.setting", "1")]
    [InlineData("retention.ms", "-2")]
    [InlineData("segment.bytes", "1")]
    [InlineData("max.message.bytes", "104857601")]
    [InlineData("message.timestamp.type", "Now")]
    public void Settings_that_can_not_be_met_are_refused_by_name(string name, string value)
    {
        Decision decision = Decide(Create("t") with { Configs = Configs((name, value)) });

        Assert.Equal(AdminOutcome.InvalidConfig, decision.Answer?.Outcome);
        Assert.Contains(name, decision.Answer!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void More_replicas_than_nodes_are_refused()
    {
        Assert.Equal(AdminOutcome.InvalidReplicationFactor, Refused(Create("t", replicas: 4)));
        Assert.Equal(AdminOutcome.InvalidReplicationFactor, Refused(Create("t", replicas: 0)));
        Assert.Equal(AdminOutcome.InvalidPartitions, Refused(Create("t", partitions: 0)));
        Assert.Equal(AdminOutcome.InvalidPartitions, Refused(Create("t", partitions: 10_001)));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(3)]
    [InlineData(-1)]
    public void A_number_of_partitions_can_only_grow(int count)
    {
        _state.Apply(Decide(Create("t", partitions: 4)).Command!);

        AdminResult refused = Decide(new AdminCommand.AddPartitions("t", count, [], ValidateOnly: false)).Answer!;
        Assert.Equal((AdminOutcome.InvalidPartitions, "'t' has 4 partitions; the number can only grow."), (refused.Outcome, refused.Message));
    }

    [Theory]
    [InlineData(4, 3, 3)]
    [InlineData(7, 5, 3)]
    [InlineData(1, 1, 1)]
    public void Without_a_wish_a_topic_is_as_the_operator_says_with_as_many_replicas_as_there_are_nodes_at_most(
        int partitions, int replicas, int replicasMade)
    {
        var decisions = new ControllerDecisions(
            _state, new BrokerOptions { DefaultPartitions = partitions, DefaultReplicationFactor = replicas }, new RandomSource(1),
            new StoppedClock(), static _ => true, static _ => true);
        Decision decision = decisions.Decide(new ControllerRequest.Administer(Create("t", partitions: -1, replicas: -1)));

        TopicInfo topic = Assert.IsType<ClusterCommand.TopicCreated>(decision.Command).Topic;
        Assert.Equal(partitions, topic.Partitions.Length);
        Assert.All(topic.Partitions, partition => Assert.Equal(replicasMade, partition.Replicas.Length));
    }

    [Fact]
    public void A_topic_that_exists_is_not_made_again()
    {
        TopicInfo topic = Created(Create("t"));

        Assert.Equal(AdminOutcome.TopicExists, Refused(Create("t")));
        Assert.Equal(AdminOutcome.UnknownTopic, Refused(new AdminCommand.DeleteTopic("t", topic.Id + 1)));
        Assert.IsType<ClusterCommand.TopicDeleted>(Decide(new AdminCommand.DeleteTopic("", topic.Id)).Command);
    }

    [Fact]
    public void Partitions_are_added_as_many_as_were_asked_for_or_none()
    {
        Created(Create("t", partitions: 1));
        ImmutableArray<NodeId> three = [new(1), new(2), new(3)];

        Assert.Equal(AdminOutcome.InvalidPartitions, Refused(new AdminCommand.AddPartitions("t", 1, [], false)));
        Assert.Equal(AdminOutcome.InvalidPartitions, Refused(new AdminCommand.AddPartitions("t", int.MaxValue, [], false)));
        Assert.Equal(AdminOutcome.InvalidAssignment, Refused(new AdminCommand.AddPartitions("t", 3, [three], false)));
        Assert.Equal(AdminOutcome.InvalidAssignment, Refused(new AdminCommand.AddPartitions("t", 2, [[new(1)]], false)));
        Assert.Equal(AdminOutcome.InvalidAssignment, Refused(new AdminCommand.AddPartitions("t", 2, [[new(1), new(1), new(2)]], false)));
        Assert.Equal(AdminOutcome.InvalidAssignment, Refused(new AdminCommand.AddPartitions("t", 2, [[new(1), new(2), new(9)]], false)));
        var added = (ClusterCommand.PartitionsAdded)Decide(new AdminCommand.AddPartitions("t", 3, [three, three], false)).Command!;
        Assert.Equal([1, 2], added.Partitions.Select(p => p.Number));
    }

    [Fact]
    public void A_node_outside_of_the_feature_level_is_told_both_versions()
    {
        AdminResult? answer = _decisions.Decide(new ControllerRequest.Register(Node(4) with { FeatureMin = 2, FeatureMax = 3 })).Answer;

        Assert.Equal(AdminOutcome.Refused, answer?.Outcome);
        Assert.Contains("2 to 3", answer!.Message, StringComparison.Ordinal);
        Assert.Contains("at 1", answer.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, 7, AdminOutcome.Done)]
    [InlineData(2, 8, AdminOutcome.Refused)] // The same start once more: of another copy of the folder.
    [InlineData(1, 8, AdminOutcome.Refused)] // An older copy.
    [InlineData(3, 8, null)]
    public void A_start_that_the_cluster_has_seen_of_another_copy_of_the_folder_is_refused(long boot, ulong startId, AdminOutcome? outcome)
    {
        _state.Apply(new ClusterCommand.NodeRegistered(Node(2) with { Boot = new BootNumber(2), StartId = 7 }));

        Decision decision = _decisions.Decide(new ControllerRequest.Register(Node(2) with { Boot = new BootNumber(boot), StartId = startId }));

        Assert.Equal(outcome, decision.Answer?.Outcome);
        Assert.Equal(outcome is null, decision.Command is ClusterCommand.NodeRegistered);
        if (outcome == AdminOutcome.Refused)
        {
            Assert.Contains("older copy", decision.Answer!.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_node_with_another_folder_is_refused()
    {
        NodeRecord other = Node(2) with { Replica = new ReplicaId(new NodeId(2), new StoreId(99)) };

        Assert.Equal(AdminOutcome.Refused, _decisions.Decide(new ControllerRequest.Register(other)).Answer?.Outcome);
        Assert.Equal(AdminOutcome.Done, _decisions.Decide(new ControllerRequest.Register(Node(2))).Answer?.Outcome);
    }

    [Fact]
    public void Producer_ids_are_never_handed_out_twice()
    {
        long first = _state.Apply(Decide(new AdminCommand.AllocateProducerIds(1_000)).Command!).Number;
        long second = _state.Apply(Decide(new AdminCommand.AllocateProducerIds(10)).Command!).Number;

        Assert.Equal(first + 1_000, second);
        Assert.Equal(AdminOutcome.Refused, Refused(new AdminCommand.AllocateProducerIds(0)));
    }

    [Fact]
    public void Replicas_and_leaders_are_spread_over_nodes_and_racks()
    {
        var random = new RandomSource(3);
        for (int round = 0; round < 300; round++)
        {
            int racks = random.Next(1, 5);
            int perRack = random.Next(1, 4);
            NodeRecord[] nodes = [.. Enumerable.Range(0, racks * perRack).Select(i => Node(i + 1) with { Rack = $"r{i % racks}" })];
            int factor = random.Next(1, Math.Min(nodes.Length, 5) + 1);
            ImmutableArray<ImmutableArray<ReplicaId>> placed = Placement.Choose(nodes, [], random.Next(1, 40), factor, static _ => true);

            foreach (ImmutableArray<ReplicaId> replicas in placed)
            {
                Assert.Equal(factor, replicas.Distinct().Count());
                Assert.Equal(
                    Math.Min(factor, racks),
                    replicas.Select(r => nodes.Single(n => n.Replica == r).Rack).Distinct(StringComparer.Ordinal).Count());
            }

            int[] leads = [.. nodes.Select(n => placed.Count(r => r[0] == n.Replica))];
            Assert.InRange(leads.Max() - leads.Min(), 0, 1);
        }
    }

    [Fact]
    public void What_was_meant_for_a_former_topic_of_that_name_is_refused()
    {
        UInt128 former = Created(Create("t")).Id;
        _state.Apply(new ClusterCommand.TopicDeleted(former));
        AdminCommand[] commands =
        [
            new AdminCommand.DeleteTopic("t", UInt128.Zero),
            new AdminCommand.AddPartitions("t", 4, [], ValidateOnly: false),
            new AdminCommand.SetTopicConfigs("t", ImmutableSortedDictionary<string, string?>.Empty.Add("retention.ms", "1000"), Replace: false, ValidateOnly: false),
            new AdminCommand.TransferLeadership("t", 0, new NodeId(1)),
            new AdminCommand.Reassign("t", 0, [new NodeId(1)]),
        ];
        UInt128 next = Created(Create("t")).Id;

        foreach (AdminCommand command in commands)
        {
            Assert.Equal(AdminOutcome.UnknownTopic, _decisions.Decide(new ControllerRequest.Administer(command, former)).Answer?.Outcome);
            Assert.NotNull(_decisions.Decide(new ControllerRequest.Administer(command, next)).Command);
            Assert.NotNull(_decisions.Decide(new ControllerRequest.Administer(command)).Command);
        }
    }

    private static NodeRecord Node(int id) =>
        new(new ReplicaId(new NodeId(id), new StoreId((UInt128)(id * 10))), new BootNumber(1), 1, null, [], 1, 1);

    private static AdminCommand.CreateTopic Create(string name, int partitions = 2, int replicas = 3) =>
        new(name, partitions, replicas, [], Configs(), ValidateOnly: false);

    private static ImmutableSortedDictionary<string, string> Configs(params (string Name, string Value)[] configs) =>
        configs.ToImmutableSortedDictionary(c => c.Name, c => c.Value, StringComparer.Ordinal);

    private Decision Decide(AdminCommand command) => _decisions.Decide(new ControllerRequest.Administer(command));

    private AdminOutcome? Refused(AdminCommand command)
    {
        Decision decision = Decide(command);
        Assert.Null(decision.Command);
        return decision.Answer?.Outcome;
    }

    private TopicInfo Created(AdminCommand.CreateTopic create)
    {
        Decision decision = Decide(create);
        Assert.True(decision.Command is not null, decision.Answer?.Message);
        _state.Apply(decision.Command!);
        return _state.Topics[create.Name];
    }
}
