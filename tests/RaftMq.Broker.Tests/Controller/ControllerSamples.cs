using System.Collections.Immutable;
using RaftMq.Broker.Controller;
using RaftMq.Raft;

namespace RaftMq.Broker.Tests.Controller;

/// <summary>What the controller stores and what nodes ask of it: one of each kind by its name in the golden files, and random ones.</summary>
internal static class ControllerSamples
{
    public static readonly NodeRecord Racked = new(
        Replica(1, 11), new BootNumber(3), 0xF1F2F3F4F5F6F7F8, "r-ä", [new ListenerAddress("kafka", "h1", 9092), new ListenerAddress("http", "h1", 8080)], 1, 2);

    public static readonly NodeRecord Plain = new(Replica(2, 22), new BootNumber(1), 7, null, [], 1, 1);

    public static readonly TopicInfo Orders = new(
        "orders", new UInt128(0x0123456789ABCDEF, 5), Internal: false,
        [
            new PartitionInfo(0, new GroupId(100), [Replica(1, 11), Replica(2, 22)]),
            new PartitionInfo(1, new GroupId(101), [Replica(2, 22)]),
        ],
        Configs(("max.message.bytes", "100"), ("retention.ms", "-1")));

    public static readonly TopicInfo Offsets = new(
        "__consumer_offsets", 6, Internal: true, [new PartitionInfo(0, new GroupId(102), [Replica(1, 11)])], Configs());

    public static readonly (string Name, ClusterCommand Command)[] Commands =
    [
        ("cluster-formed", new ClusterCommand.ClusterFormed(77, 1, [Replica(1, 11), Replica(2, 22)])),
        ("node-registered", new ClusterCommand.NodeRegistered(Racked)),
        ("feature-level-finalized", new ClusterCommand.FeatureLevelFinalized(2)),
        ("topic-created", new ClusterCommand.TopicCreated(Orders)),
        ("topic-deleted", new ClusterCommand.TopicDeleted(5)),
        ("partitions-added", new ClusterCommand.PartitionsAdded(5, Orders.Partitions)),
        ("topic-configs-set", new ClusterCommand.TopicConfigsSet(5, Orders.Configs)),
        ("preferred-leader-set", new ClusterCommand.PreferredLeaderSet(5, 1, new NodeId(2))),
        ("producer-ids-allocated", new ClusterCommand.ProducerIdsAllocated(1000)),
        ("partition-moved", new ClusterCommand.PartitionMoved(5, 1, [Replica(2, 22)])),
        ("partition-settled", new ClusterCommand.PartitionSettled(5, 1, 3, new LogIndex(77), Term.Zero)),
        ("partition-settled-in-term", new ClusterCommand.PartitionSettled(5, 1, 3, new LogIndex(77), new Term(4))),
        ("replica-made-anew", new ClusterCommand.ReplicaMadeAnew(5, 1, Replica(2, 22))),
        ("partitions-placed", new ClusterCommand.PartitionsPlaced(
            [new PlacedPartition(5, 1, [Replica(1, 11)]), new PlacedPartition(5, 0, [Replica(2, 22), Replica(1, 11)])])),
        ("balance-set", new ClusterCommand.BalanceSet(IsUnderWay: true)),
        ("node-expected", new ClusterCommand.NodeExpected(new NodeId(3), 2_000, 1_000)),
        ("node-duty-set", new ClusterCommand.NodeDutySet(new NodeId(2), NodeDuty.Draining)),
        ("node-removed", new ClusterCommand.NodeRemoved(Replica(2, 22))),
        ("request-answered", new ClusterCommand.RequestAnswered(Replica(2, 22), 9, 6, AdminOutcome.TopicExists, "no ä", Change: null)),
        ("request-carried-out", new ClusterCommand.RequestAnswered(
            Replica(2, 22), 9, 6, AdminOutcome.Done, null, new ClusterCommand.ProducerIdsAllocated(1000))),
    ];

    public static readonly (string Name, ControllerRequest Request)[] Requests =
    [
        ("register", new ControllerRequest.Register(Racked)),
        ("create-topic", Administer(new AdminCommand.CreateTopic(
            "orders", 2, -1, [[new NodeId(1), new NodeId(2)], [new NodeId(2)]], Orders.Configs, ValidateOnly: true))),
        ("delete-topic", Administer(new AdminCommand.DeleteTopic("orders", 5))),
        ("add-partitions", Administer(new AdminCommand.AddPartitions("orders", 4, [], ValidateOnly: false))),
        ("set-topic-configs", Administer(new AdminCommand.SetTopicConfigs(
            "orders", Changes(("retention.ms", "-1"), ("retention.bytes", null)), Replace: true, ValidateOnly: false))),
        ("transfer-leadership", Administer(new AdminCommand.TransferLeadership("orders", 1, new NodeId(2)))),
        ("transfer-leadership-of-topic", new ControllerRequest.Administer(new AdminCommand.TransferLeadership("orders", 1, new NodeId(2)), TopicId: 5)),
        ("once", new ControllerRequest.Once(0xF1F2F3F4F5F6F7F8, 6, new ControllerRequest.Administer(new AdminCommand.AllocateProducerIds(1000)))),
        ("once-of-topic", new ControllerRequest.Once(
            7, 6, new ControllerRequest.Administer(new AdminCommand.TransferLeadership("orders", 1, new NodeId(2)), TopicId: 5))),
        ("allocate-producer-ids", Administer(new AdminCommand.AllocateProducerIds(1000))),
        ("reassign", Administer(new AdminCommand.Reassign("orders", 1, [new NodeId(2), new NodeId(1)]))),
        ("settled", new ControllerRequest.Settled(5, 1, 3, new LogIndex(77), Term.Zero)),
        ("settled-in-term", new ControllerRequest.Settled(5, 1, 3, new LogIndex(77), new Term(4))),
        ("make-anew", new ControllerRequest.MakeAnew(5, 1, 3, Replica(2, 22))),
        ("expect-node", Administer(new AdminCommand.ExpectNode(new NodeId(3)))),
        ("drain-node", Administer(new AdminCommand.DrainNode(new NodeId(2), Cancel: true))),
        ("balance", Administer(new AdminCommand.Balance(Cancel: true))),
        ("remove-node", Administer(new AdminCommand.RemoveNode(new NodeId(2), Lost: true))),
        ("remove-node-of-folder", new ControllerRequest.Administer(
            new AdminCommand.RemoveNode(new NodeId(2), Lost: true), Node: new NodeAsKnown(new StoreId(22), ExpectedUntilMs: 0))),
        ("once-of-expected-node", new ControllerRequest.Once(7, 6, new ControllerRequest.Administer(
            new AdminCommand.RemoveNode(new NodeId(3), Lost: false), Node: new NodeAsKnown(Folder: null, ExpectedUntilMs: 2_000)))),
        ("drain-node-unknown", new ControllerRequest.Administer(
            new AdminCommand.DrainNode(new NodeId(3), Cancel: false), Node: new NodeAsKnown(Folder: null, ExpectedUntilMs: 0))),
    ];

    public static readonly (string Name, ControllerResponse Response)[] Responses =
    [
        ("answer-done", new ControllerResponse(new AdminResult(AdminOutcome.Done, null, 42, Orders), new LogIndex(9))),
        ("answer-refused", new ControllerResponse(new AdminResult(AdminOutcome.Refused, "no ä"), LogIndex.Zero)),
    ];

    /// <summary>The state that the golden snapshot holds.</summary>
    public static ClusterState State()
    {
        ClusterState state = StateOfVersion2();
        state.Apply(new ClusterCommand.PartitionSettled(Orders.Id, 0, 0, new LogIndex(9), new Term(4)));
        return state;
    }

    /// <summary>What of it version 2 can hold.</summary>
    public static ClusterState StateOfVersion2()
    {
        ClusterState state = StateOfVersion1();
        state.Apply(new ClusterCommand.BalanceSet(IsUnderWay: true));
        state.Apply(new ClusterCommand.RequestAnswered(Replica(2, 22), 7, 7, AdminOutcome.TopicExists, "no ä", Change: null));
        state.Apply(new ClusterCommand.RequestAnswered(Replica(2, 22), 9, 7, AdminOutcome.Done, null, new ClusterCommand.ProducerIdsAllocated(5)));
        return state;
    }

    /// <summary>What of it version 1 can hold.</summary>
    public static ClusterState StateOfVersion1()
    {
        var state = new ClusterState();
        state.Apply(new ClusterCommand.ClusterFormed(77, 1, [Replica(1, 11), Replica(2, 22)]));
        state.Apply(new ClusterCommand.NodeRegistered(Plain));
        state.Apply(new ClusterCommand.NodeRegistered(Racked));
        state.Apply(new ClusterCommand.TopicCreated(Orders));
        state.Apply(new ClusterCommand.TopicCreated(Offsets));
        state.Apply(new ClusterCommand.ProducerIdsAllocated(1000));
        state.Apply(new ClusterCommand.NodeRegistered(Plain with { Replica = Replica(3, 33) }));
        state.Apply(new ClusterCommand.NodeRemoved(Replica(3, 33)));
        state.Apply(new ClusterCommand.NodeExpected(new NodeId(3), 2_000, 1_000));
        state.Apply(new ClusterCommand.NodeDutySet(new NodeId(2), NodeDuty.Draining));
        return state;
    }

    /// <summary>A command that a leader could have decided on, given the state.</summary>
    public static ClusterCommand RandomCommand(RandomSource random, ClusterState state)
    {
        if (!random.OneIn(3))
        {
            return RandomChange(random, state);
        }

        long number = random.Next(100);
        return new ClusterCommand.RequestAnswered(
            Replica(random.Next(1, 6), 1), number, Math.Max(0, number - random.Next(20)),
            random.OneIn(2) ? AdminOutcome.Done : AdminOutcome.Refused, random.OneIn(2) ? null : RandomText(random),
            random.OneIn(2) ? null : RandomChange(random, state));
    }

    private static ClusterCommand RandomChange(RandomSource random, ClusterState state)
    {
        TopicInfo[] topics = [.. state.Topics.Values];
        UInt128 topic = topics.Length == 0 || random.OneIn(5) ? random.NextUInt128() : topics[random.Next(topics.Length)].Id;
        int partitions = state.TopicById(topic)?.Partitions.Length ?? 0;
        switch (random.Next(17))
        {
            case 0:
                return new ClusterCommand.ClusterFormed(random.NextUInt128(), random.Next(1, 3), Replicas(random));
            case 1:
                return new ClusterCommand.NodeRegistered(RandomNode(random));
            case 2:
                return new ClusterCommand.FeatureLevelFinalized(random.Next(1, 10));
            case 3:
                TopicInfo made = RandomTopic(random);
                return state.Topics.TryGetValue(made.Name, out TopicInfo? there)
                    ? new ClusterCommand.TopicDeleted(there.Id)
                    : new ClusterCommand.TopicCreated(made);
            case 4:
                return new ClusterCommand.TopicDeleted(topic);
            case 5:
                return new ClusterCommand.PartitionsAdded(topic, Partitions(random));
            case 6:
                return new ClusterCommand.TopicConfigsSet(topic, RandomConfigs(random));
            case 7:
                return partitions == 0
                    ? new ClusterCommand.ProducerIdsAllocated(random.Next(1, 100))
                    : new ClusterCommand.PreferredLeaderSet(topic, random.Next(partitions), new NodeId(random.Next(1, 6)));
            case 8 when partitions > 0:
                return new ClusterCommand.PartitionMoved(topic, random.Next(partitions), [Replica(random.Next(1, 6), 1), .. Replicas(random)]);
            case 9 when partitions > 0:
                int settled = random.Next(partitions);
                int epoch = state.TopicById(topic)!.Partitions[settled].Epoch - (random.OneIn(4) ? 1 : 0);
                return new ClusterCommand.PartitionSettled(topic, settled, epoch, new LogIndex(random.Next(1000)), new Term(random.Next(1000)));
            case 10:
                return new ClusterCommand.NodeExpected(new NodeId(random.Next(1, 6)), random.NextInt64(1_000), random.NextInt64(1_000));
            case 11:
                return new ClusterCommand.NodeDutySet(new NodeId(random.Next(1, 6)), (NodeDuty)random.Next(3));
            case 12:
                NodeRecord[] nodes = [.. state.Nodes.Values];
                return new ClusterCommand.NodeRemoved(
                    nodes.Length == 0 || random.OneIn(5) ? RandomNode(random).Replica : nodes[random.Next(nodes.Length)].Replica);
            case 13 when partitions > 0:
                return new ClusterCommand.ReplicaMadeAnew(topic, random.Next(partitions), Replica(random.Next(1, 6), 1));
            case 14 when partitions > 0:
                return new ClusterCommand.PartitionsPlaced(
                    [.. Many(random, 4, () => new PlacedPartition(topic, random.Next(partitions), [Replica(random.Next(1, 6), 1), .. Replicas(random)]))]);
            case 15:
                return new ClusterCommand.BalanceSet(random.OneIn(2));
            default:
                return new ClusterCommand.ProducerIdsAllocated(random.Next(1, 100_000));
        }
    }

    public static ControllerRequest RandomRequest(RandomSource random) =>
        RandomPlainRequest(random) is ControllerRequest.Administer administer && random.OneIn(2)
            ? new ControllerRequest.Once(random.NextUInt64(), random.NextInt64(long.MaxValue), administer)
            : RandomPlainRequest(random);

    private static ControllerRequest RandomPlainRequest(RandomSource random) => random.Next(14) switch
    {
        13 => Administer(new AdminCommand.Balance(random.OneIn(2))),
        12 => new ControllerRequest.MakeAnew(
            random.NextUInt128(), random.Next(int.MaxValue), random.Next(100), Replica(random.Next(100), random.NextUInt128())),
        0 => new ControllerRequest.Register(RandomNode(random)),
        1 => Administer(new AdminCommand.CreateTopic(
            RandomText(random), random.Next(int.MaxValue), -1, RandomAssignments(random), RandomConfigs(random), random.OneIn(2), random.OneIn(2))),
        2 => Administer(new AdminCommand.DeleteTopic(RandomText(random), random.NextUInt128())),
        3 => Administer(new AdminCommand.AddPartitions(
            RandomText(random), random.Next(int.MaxValue), RandomAssignments(random), random.OneIn(2))),
        4 => Administer(new AdminCommand.SetTopicConfigs(
            RandomText(random),
            RandomConfigs(random).ToImmutableSortedDictionary(c => c.Key, c => random.OneIn(2) ? null : c.Value, StringComparer.Ordinal),
            random.OneIn(2), random.OneIn(2))),
        6 => new ControllerRequest.Settled(
            random.NextUInt128(), random.Next(int.MaxValue), random.Next(100), new LogIndex(random.NextInt64(long.MaxValue)), new Term(random.Next(int.MaxValue))),
        7 => Administer(new AdminCommand.Reassign(
            RandomText(random), random.Next(int.MaxValue),
            random.OneIn(3) ? null : [.. Many(random, 5, () => new NodeId(random.Next(9)))])),
        5 => new ControllerRequest.Administer(
            new AdminCommand.TransferLeadership(RandomText(random), random.Next(int.MaxValue), new NodeId(random.Next(100))),
            random.OneIn(2) ? random.NextUInt128() : 0),
        8 => Administer(new AdminCommand.ExpectNode(new NodeId(random.Next(100)))),
        9 => new ControllerRequest.Administer(new AdminCommand.DrainNode(new NodeId(random.Next(100)), random.OneIn(2)), Node: RandomAsKnown(random)),
        10 => new ControllerRequest.Administer(new AdminCommand.RemoveNode(new NodeId(random.Next(100)), random.OneIn(2)), Node: RandomAsKnown(random)),
        _ => Administer(new AdminCommand.AllocateProducerIds(random.Next(int.MaxValue))),
    };

    public static ControllerResponse RandomResponse(RandomSource random) => new(
        new AdminResult(
            Enum.GetValues<AdminOutcome>()[random.Next(Enum.GetValues<AdminOutcome>().Length)],
            random.OneIn(2) ? null : RandomText(random), random.NextInt64(long.MaxValue), random.OneIn(2) ? null : RandomTopic(random)),
        new LogIndex(random.NextInt64(long.MaxValue)));

    /// <summary>Every field, lists included.</summary>
    public static string Describe(ClusterCommand command) => command switch
    {
        ClusterCommand.ClusterFormed c => $"{c with { Voters = [] }} {string.Join(',', c.Voters.Select(Describe))}",
        ClusterCommand.NodeRegistered c => $"NodeRegistered {Describe(c.Node)}",
        ClusterCommand.TopicCreated c => $"TopicCreated {Describe(c.Topic)}",
        ClusterCommand.PartitionsAdded c => $"PartitionsAdded {c.TopicId} {string.Join(';', c.Partitions.Select(Describe))}",
        ClusterCommand.PartitionMoved c => $"{c with { Replicas = [] }} {string.Join(',', c.Replicas.Select(Describe))}",
        ClusterCommand.PartitionsPlaced c =>
            $"PartitionsPlaced {string.Join(';', c.Placed.Select(p => $"{p.TopicId}/{p.Partition} {Describe(p.Replicas)}"))}",
        ClusterCommand.TopicConfigsSet c => $"TopicConfigsSet {c.TopicId} {string.Join(',', c.Configs)}",
        ClusterCommand.RequestAnswered c => $"{c with { Change = null }} {(c.Change is null ? "" : Describe(c.Change))}",
        _ => command.ToString(),
    };

    /// <inheritdoc cref="Describe(ClusterCommand)"/>
    public static string Describe(ControllerRequest request) => request switch
    {
        ControllerRequest.Register r => $"Register {Describe(r.Node)}",
        ControllerRequest.Administer { Command: AdminCommand.CreateTopic c } =>
            $"{c with { Assignments = [], Configs = Configs() }} {Describe(c.Assignments)} {string.Join(',', c.Configs)}",
        ControllerRequest.Administer { Command: AdminCommand.AddPartitions c } =>
            $"{c with { Assignments = [] }} {Describe(c.Assignments)}",
        ControllerRequest.Administer { Command: AdminCommand.Reassign c } =>
            $"{c with { To = null }} {(c.To is { } to ? string.Join(',', to) : "-")}",
        ControllerRequest.Administer { Command: AdminCommand.SetTopicConfigs c } =>
            $"{c with { Changes = Changes() }} {string.Join(',', c.Changes)}",
        _ => request.ToString(),
    };

    /// <inheritdoc cref="Describe(ClusterCommand)"/>
    public static string Describe(ControllerResponse response) =>
        $"{response.Result with { Topic = null }} {(response.Result.Topic is { } topic ? Describe(topic) : "-")} {response.AppliedAt}";

    private static string Describe(NodeRecord node) =>
        $"{Describe(node.Replica)} {node.Boot.Value} {node.StartId} {node.Rack ?? "-"} {node.FeatureMin} {node.FeatureMax} {string.Join(',', node.Listeners)}";

    private static string Describe(TopicInfo topic) =>
        $"{topic.Name} {topic.Id} {topic.Internal} {string.Join(';', topic.Partitions.Select(Describe))} {string.Join(',', topic.Configs)}";

    private static string Describe(PartitionInfo partition) =>
        $"{partition.Number} {partition.Group} {Describe(partition.Replicas)} {Describe(partition.Leaving)} {Describe(partition.Before)} "
        + $"{Describe(partition.Founding)} {Describe(partition.Founders)} {Describe(partition.Returning)} {partition.Epoch} {partition.SettledAt} {partition.SettledTerm}";

    private static string Describe(ImmutableArray<ReplicaId> replicas) => $"({string.Join(',', replicas.Select(Describe))})";

    private static string Describe(ReplicaId replica) => $"{replica.Node}/{replica.Store}";

    private static string Describe(ImmutableArray<ImmutableArray<NodeId>> assignments) =>
        string.Join(';', assignments.Select(nodes => string.Join(',', nodes)));

    private static ControllerRequest.Administer Administer(AdminCommand command) => new(command);

    private static ReplicaId Replica(int node, UInt128 store) => new(new NodeId(node), new StoreId(store));

    private static ImmutableSortedDictionary<string, string> Configs(params (string Name, string Value)[] configs) =>
        configs.ToImmutableSortedDictionary(c => c.Name, c => c.Value, StringComparer.Ordinal);

    private static ImmutableSortedDictionary<string, string?> Changes(params (string Name, string? Value)[] changes) =>
        changes.ToImmutableSortedDictionary(c => c.Name, c => c.Value, StringComparer.Ordinal);

    private static NodeRecord RandomNode(RandomSource random) => new(
        Replica(random.Next(1, 6), random.NextUInt128()), new BootNumber(random.Next(1, 1_000)), random.NextUInt64(), random.OneIn(2) ? null : RandomText(random),
        [.. Many(random, 4, () => new ListenerAddress(RandomText(random), RandomText(random), random.Next(65_536)))],
        random.Next(1, 3), random.Next(3, 9));

    private static NodeAsKnown? RandomAsKnown(RandomSource random) => random.Next(4) switch
    {
        0 => null,
        1 => new NodeAsKnown(Folder: null, ExpectedUntilMs: 0),
        2 => new NodeAsKnown(Folder: null, random.NextInt64(long.MaxValue)),
        _ => new NodeAsKnown(new StoreId(random.NextUInt128()), ExpectedUntilMs: 0),
    };

    private static TopicInfo RandomTopic(RandomSource random) => new(
        $"t{random.Next(20)}", random.NextUInt128(), random.OneIn(4), Partitions(random), RandomConfigs(random));

    private static ImmutableArray<PartitionInfo> Partitions(RandomSource random) =>
        [.. Enumerable.Range(0, random.Next(1, 5)).Select(n => new PartitionInfo(n, new GroupId(random.NextUInt128()), Replicas(random))
        {
            Leaving = Replicas(random),
            Before = Replicas(random),
            Founding = Replicas(random),
            Founders = Replicas(random),
            Returning = Replicas(random),
            Epoch = random.Next(100),
            SettledAt = new LogIndex(random.Next(100)),
        })];

    private static ImmutableArray<ReplicaId> Replicas(RandomSource random) =>
        [.. Many(random, 4, () => Replica(random.Next(1, 6), random.NextUInt128()))];

    private static ImmutableArray<ImmutableArray<NodeId>> RandomAssignments(RandomSource random) =>
        [.. Many(random, 4, () => ImmutableArray.CreateRange(Many(random, 4, () => new NodeId(random.Next(9)))))];

    private static ImmutableSortedDictionary<string, string> RandomConfigs(RandomSource random) => Configs(
        [.. Many(random, 5, () => RandomText(random)).Distinct(StringComparer.Ordinal).Select(name => (name, RandomText(random)))]);

    private static string RandomText(RandomSource random) =>
        string.Concat(Many(random, 8, () => new[] { "a", "Z", "0", "-", ".", "ä", "漢", "😀" }[random.Next(8)]));

    private static IEnumerable<TItem> Many<TItem>(RandomSource random, int exclusiveMax, Func<TItem> make) =>
        Enumerable.Range(0, random.Next(exclusiveMax)).Select(_ => make());
}
