using System.Collections.Immutable;
using RaftMq.Broker;
using RaftMq.Broker.Controller;
using RaftMq.Broker.Encoding;
using RaftMq.Broker.Environment;
using RaftMq.Fuzz.Engine;
using RaftMq.Raft;

namespace RaftMq.Fuzz.Formats;

/// <summary>Entries of the controller group: read, written again, applied.</summary>
internal sealed class ClusterCommandFormat : FuzzFormat
{
    public override string Name => "cluster-commands";

    public override IReadOnlyList<string> Parsers =>
    [
        "RaftMq.Broker.Controller.ClusterCommand", "RaftMq.Broker.Controller.ClusterCodec", "RaftMq.Broker.Controller.NodeRecord::Read",
        "RaftMq.Broker.Encoding.ByteReader", "RaftMq.Broker.Controller.ClusterState::Apply",
        "RaftMq.Broker.Controller.NodeRoster",
    ];

    public static ClusterCommand[] All() =>
    [
        new ClusterCommand.ClusterFormed(0xC0FFEE, 1, [.. Samples.Replicas(1, 2, 3)]),
        new ClusterCommand.NodeRegistered(Samples.Node(1)),
        new ClusterCommand.NodeRegistered(Samples.Node(2)),
        new ClusterCommand.NodeRegistered(Samples.Node(3)),
        new ClusterCommand.NodeRegistered(Samples.Node(4)),
        new ClusterCommand.FeatureLevelFinalized(2),
        new ClusterCommand.TopicCreated(Samples.Topic("orders", 5, 2)),
        new ClusterCommand.TopicCreated(Samples.Topic("_internal", 6, 1)),
        new ClusterCommand.PartitionsAdded(5, [Samples.Partition(2, 2, 3, 1)]),
        new ClusterCommand.TopicConfigsSet(5, Samples.Configs),
        new ClusterCommand.PreferredLeaderSet(5, 1, new NodeId(3)),
        new ClusterCommand.ProducerIdsAllocated(1000),
        new ClusterCommand.PartitionMoved(5, 0, [.. Samples.Replicas(2, 3)]),
        new ClusterCommand.PartitionSettled(5, 0, 1, new LogIndex(44), new Term(3)),
        new ClusterCommand.PartitionSettled(5, 0, 1, new LogIndex(45), Term.Zero),
        new ClusterCommand.PartitionMoved(5, 1, [.. Samples.Replicas(3, 2)]),
        new ClusterCommand.PartitionsPlaced([new PlacedPartition(5, 0, [.. Samples.Replicas(3, 2)]), new PlacedPartition(5, 2, [.. Samples.Replicas(3, 1)])]),
        new ClusterCommand.BalanceSet(IsUnderWay: true),
        new ClusterCommand.NodeExpected(new NodeId(7), 5_000, 1_000),
        new ClusterCommand.NodeDutySet(new NodeId(2), NodeDuty.Draining),
        new ClusterCommand.NodeRemoved(Samples.Replica(1)),
        new ClusterCommand.TopicDeleted(6),
        new ClusterCommand.RequestAnswered(Samples.Replica(2), 8, 8, AdminOutcome.TopicExists, "It exists.", Change: null),
        new ClusterCommand.RequestAnswered(Samples.Replica(2), 9, 8, AdminOutcome.Done, null, new ClusterCommand.ProducerIdsAllocated(5)),
    ];

    public static ClusterState State()
    {
        ClusterState state = new();
        foreach (ClusterCommand command in All())
        {
            state.Apply(command);
        }

        return state;
    }

    public override IEnumerable<byte[]> Seeds() => All().Select(command => command.Encode());

    public override void Run(byte[] input)
    {
        ClusterCommand? command = ClusterCommand.TryDecode(input);
        ReadDone();
        if (command is null)
        {
            return;
        }

        byte[] written = command.Encode();
        ClusterCommand? again = ClusterCommand.TryDecode(written);
        Oracle.Holds(again is not null, "what was read can be written and read");
        Oracle.Same(written, again!.Encode(), "what was read is written the same way each time");
        ClusterState state = State();
        try
        {
            state.Apply(command);
        }
        catch (InvariantViolationException)
        {
            // What no leader proposes stops the node, with a sentence.
            return;
        }

        ClusterSnapshotFormat.CheckSnapshot(state);
    }
}

/// <summary>The controller group's state as checkpoints hold it.</summary>
internal sealed class ClusterSnapshotFormat : FuzzFormat
{
    public override string Name => "cluster-snapshot";

    public override IReadOnlyList<string> Parsers =>
    [
        "RaftMq.Broker.Controller.ClusterState::TryReadSnapshot", "RaftMq.Broker.Controller.ClusterCodec",
        "RaftMq.Broker.Controller.NodeRecord::Read", "RaftMq.Broker.Encoding.ByteReader", "RaftMq.Broker.Controller.NodeRoster::Read",
        "RaftMq.Broker.Controller.NodeRoster::ReadDuty",
    ];

    public static void CheckSnapshot(ClusterState state)
    {
        byte[] written = Write(state);
        ClusterState again = new();
        Oracle.Holds(again.TryReadSnapshot(written), "a state that was written can be read");
        Oracle.Same(written, Write(again), "a state is written the same way each time");
    }

    public override IEnumerable<byte[]> Seeds() => [Write(new ClusterState()), Write(ClusterCommandFormat.State())];

    public override void Run(byte[] input)
    {
        ClusterState state = new();
        bool read = state.TryReadSnapshot(input);
        ReadDone();
        if (read)
        {
            CheckSnapshot(state);
        }
        else
        {
            Oracle.Holds(state.Nodes.IsEmpty && state.Topics.IsEmpty && !state.IsFormed, "a refused snapshot leaves the state as it was");
        }
    }

    private static byte[] Write(ClusterState state)
    {
        ByteWriter writer = new();
        state.WriteSnapshot(writer);
        return writer.ToArray();
    }
}

/// <summary>What nodes, and clients through them, ask of the controller's leader: read, decided, and the decision written and applied.</summary>
internal sealed class ControllerRequestFormat : FuzzFormat
{
    public override string Name => "controller-requests";

    public override IReadOnlyList<string> Parsers =>
    [
        "RaftMq.Broker.Controller.AdminCodec", "RaftMq.Broker.Controller.ClusterCodec", "RaftMq.Broker.Controller.NodeRecord::Read",
        "RaftMq.Broker.Encoding.ByteReader", "RaftMq.Broker.Controller.ControllerDecisions", "RaftMq.Broker.Controller.NodeDecisions", "RaftMq.Broker.Controller.TopicConfigs*",
    ];

    /// <summary>Placement of up to ten thousand partitions is the work that was asked for.</summary>
    public override long AllocatedBytesMax(int inputBytes) => (64L * inputBytes) + (64 << 10);

    public override IReadOnlyList<byte[]> Tokens => [.. TopicConfigs.All.Keys.Append("orders").Append("fresh").Select(System.Text.Encoding.UTF8.GetBytes)];

    public static ControllerDecisions Decisions(ClusterState state) =>
        new(state, new BrokerOptions(), new RandomSource(3), new StillClock(), static node => node.Value != 3, static _ => true);

    public override IEnumerable<byte[]> Seeds()
    {
        AdminCommand[] commands =
        [
            new AdminCommand.CreateTopic("fresh", 3, 2, [], Samples.Configs, ValidateOnly: false),
            new AdminCommand.CreateTopic("fresh", 1, 2, [], Samples.Configs, ValidateOnly: false),
            new AdminCommand.CreateTopic("told", -1, -1, [[new NodeId(1), new NodeId(2)], [new NodeId(2), new NodeId(3)]], Samples.Configs, ValidateOnly: true),
            new AdminCommand.DeleteTopic("orders", 0),
            new AdminCommand.DeleteTopic("", 5),
            new AdminCommand.AddPartitions("orders", 5, [], ValidateOnly: false),
            new AdminCommand.AddPartitions("orders", 4, [[new NodeId(1), new NodeId(2), new NodeId(3)]], ValidateOnly: true),
            new AdminCommand.SetTopicConfigs(
                "orders", ImmutableSortedDictionary.CreateRange(StringComparer.Ordinal, [new KeyValuePair<string, string?>("retention.ms", "5"), new("segment.ms", null)]),
                Replace: false, ValidateOnly: false),
            new AdminCommand.TransferLeadership("orders", 1, new NodeId(2)),
            new AdminCommand.AllocateProducerIds(1000),
            new AdminCommand.Reassign("orders", 0, [new NodeId(3), new NodeId(4)]),
            new AdminCommand.Reassign("orders", 1, null),
            new AdminCommand.ExpectNode(new NodeId(8)),
            new AdminCommand.DrainNode(new NodeId(3), Cancel: false),
            new AdminCommand.DrainNode(new NodeId(2), Cancel: true),
            new AdminCommand.RemoveNode(new NodeId(3), Lost: true),
            new AdminCommand.RemoveNode(new NodeId(4), Lost: false),
            new AdminCommand.Balance(Cancel: false),
            new AdminCommand.Balance(Cancel: true),
        ];
        yield return AdminCodec.Encode(new ControllerRequest.Register(Samples.Node(4)));
        yield return AdminCodec.Encode(new ControllerRequest.Register(Samples.Node(7)));
        yield return AdminCodec.Encode(new ControllerRequest.Settled(5, 1, 1, new LogIndex(77), Term.Zero));
        yield return AdminCodec.Encode(new ControllerRequest.Settled(5, 1, 1, new LogIndex(77), new Term(3)));
        foreach (AdminCommand command in commands)
        {
            var request = new ControllerRequest.Administer(
                command, command.TopicByName is null ? UInt128.Zero : 5, command.NodeByNumber is { } node ? ClusterCommandFormat.State().Known(node) : null);
            yield return AdminCodec.Encode(request);
            yield return AdminCodec.Encode(new ControllerRequest.Once(7, 8, request));
        }
    }

    public override void Run(byte[] input)
    {
        ControllerRequest? request = AdminCodec.TryDecodeRequest(input);
        ReadDone();
        if (request is null)
        {
            return;
        }

        byte[] written = AdminCodec.Encode(request);
        ControllerRequest? again = AdminCodec.TryDecodeRequest(written);
        Oracle.Holds(again is not null, "what was read can be written and read");
        Oracle.Same(written, AdminCodec.Encode(again!), "what was read is written the same way each time");
        request = request is ControllerRequest.Once once ? once.Request : request;
        if (request is ControllerRequest.Administer { Command: AdminCommand.CreateTopic { Partitions: > 100 } or AdminCommand.AddPartitions { TotalCount: > 100 } })
        {
            // Allowed, and slow.
            return;
        }

        ClusterState state = ClusterCommandFormat.State();
        Decision decision = Decisions(state).Decide(request);
        Oracle.Holds(decision.Command is null != (decision.Answer is null), "a request is answered or proposed");
        if (decision.Command is { } command)
        {
            byte[] entry = command.Encode();
            ClusterCommand? decoded = ClusterCommand.TryDecode(entry);
            Oracle.Holds(decoded is not null, "what a leader proposes every node can read");
            state.Apply(decoded!);
            ClusterSnapshotFormat.CheckSnapshot(state);
        }
        else
        {
            byte[] answer = AdminCodec.Encode(new ControllerResponse(decision.Answer!, LogIndex.Zero));
            Oracle.Holds(AdminCodec.TryDecodeResponse(answer) is not null, "an answer can be read");
        }
    }
}

/// <summary>The answers of the controller's leader.</summary>
internal sealed class ControllerResponseFormat : FuzzFormat
{
    public override string Name => "controller-responses";

    public override IReadOnlyList<string> Parsers =>
        ["RaftMq.Broker.Controller.AdminCodec::TryDecodeResponse", "RaftMq.Broker.Controller.ClusterCodec", "RaftMq.Broker.Encoding.ByteReader"];

    public override IEnumerable<byte[]> Seeds() =>
    [
        AdminCodec.Encode(new ControllerResponse(new AdminResult(AdminOutcome.Done), new LogIndex(4))),
        AdminCodec.Encode(new ControllerResponse(new AdminResult(AdminOutcome.InvalidName, "größe"), LogIndex.Zero)),
        AdminCodec.Encode(new ControllerResponse(new AdminResult(AdminOutcome.Done, null, 77, Samples.Topic("orders", 5, 3)), new LogIndex(9))),
    ];

    public override void Run(byte[] input)
    {
        ControllerResponse? response = AdminCodec.TryDecodeResponse(input);
        ReadDone();
        if (response is not null)
        {
            byte[] written = AdminCodec.Encode(response);
            ControllerResponse? again = AdminCodec.TryDecodeResponse(written);
            Oracle.Holds(again is not null, "what was read can be written and read");
            Oracle.Same(written, AdminCodec.Encode(again!), "what was read is written the same way each time");
        }
    }
}

internal sealed class StillClock : IClock
{
    public long MonotonicMs => 2_000;

    public long UnixMs => 2_000;
}
