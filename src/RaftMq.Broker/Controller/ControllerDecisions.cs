using System.Collections.Immutable;
using RaftMq.Broker.Environment;
using RaftMq.Broker.Groups;
using RaftMq.Raft;

namespace RaftMq.Broker.Controller;

/// <summary>A refusal, a dry answer, or the command to propose.</summary>
internal readonly record struct Decision(ClusterCommand? Command, AdminResult? Answer);

/// <summary>
/// What the controller's leader makes of a request, given the applied state. Pure but for the ids it draws. One request at a time is
/// under way (see <see cref="ControllerMachine"/>), so the applied state is all there is to check against.
/// </summary>
internal sealed class ControllerDecisions(
    ClusterState state, BrokerOptions options, RandomSource random, IClock clock, Func<NodeId, bool> isAlive,
    Func<NodeId, bool> hasRoom)
{
    /// <summary>Kafka's own limits for topic names.</summary>
    private const int TopicNameMax = 249;

    /// <summary>While a set gives way to another one both are members, and a group has at most 32.</summary>
    private const int ReplicasMax = 15;

    /// <summary>A refusal repeats what was asked for, which may be as long as a request.</summary>
    private const int MessageCharsMax = 4000;

    /// <summary>One request may not ask for more partitions than this; the cluster may have more.</summary>
    private const int PartitionsPerTopicMax = 10_000;

    private readonly NodeDecisions _nodes = new(state, clock, isAlive);
    private readonly BalanceDecisions _balance = new(state, isAlive, hasRoom);

    public Decision Decide(ControllerRequest request) => request switch
    {
        ControllerRequest.Register register => _nodes.Register(register.Node),
        ControllerRequest.Settled settled => Settled(settled),
        ControllerRequest.MakeAnew anew => MakeAnew(anew),
        ControllerRequest.Administer { Command.TopicByName: { } name } asked when IsOfFormerTopic(name, asked.TopicId) =>
            Refuse(AdminOutcome.UnknownTopic, $"The topic '{name}' that was meant is not there any more."),
        ControllerRequest.Administer { Command.NodeByNumber: { } node, Node: { } meant } when _nodes.IsAnotherThan(meant, node) =>
            Refuse(AdminOutcome.Refused,
                $"Node {node.Value} is not what the node that was asked knew: it was removed, expected, or came with a new folder meanwhile. Look at "
                + "`raftmq node list`, then ask again."),
        ControllerRequest.Administer administer => administer.Command switch
        {
            AdminCommand.CreateTopic create => Create(create),
            AdminCommand.DeleteTopic delete => Delete(delete),
            AdminCommand.AddPartitions add => Add(add),
            AdminCommand.SetTopicConfigs set => SetConfigs(set),
            AdminCommand.TransferLeadership transfer => Transfer(transfer),
            AdminCommand.AllocateProducerIds allocate => Allocate(allocate),
            AdminCommand.Reassign reassign => Reassign(reassign),
            AdminCommand.ExpectNode expect => _nodes.Expect(expect.Node),
            AdminCommand.DrainNode drain => _nodes.Drain(drain),
            AdminCommand.RemoveNode remove => _nodes.Remove(remove),
            AdminCommand.Balance balance => _balance.Decide(balance),
            _ => Refuse(AdminOutcome.Refused, "The controller does not do this."),
        },
        _ => Refuse(AdminOutcome.Refused, "Unknown request."),
    };

    private bool IsOfFormerTopic(string name, UInt128 id) =>
        id != 0 && !PlantedBug.LateCopyMeetsNextTopic && state.Topics.GetValueOrDefault(name)?.Id != id;

    private Decision Create(AdminCommand.CreateTopic create)
    {
        if (NameFault(create.Name) is { } nameFault)
        {
            return Refuse(AdminOutcome.InvalidName, nameFault);
        }

        if (state.Topics.ContainsKey(create.Name))
        {
            return Refuse(AdminOutcome.TopicExists, $"Topic '{create.Name}' exists already.");
        }

        if (create.Name == Groups.OffsetsTopic.Name && !create.Internal)
        {
            return Refuse(AdminOutcome.Refused, $"'{create.Name}' is internal to RaftMq, which creates it by itself.");
        }

        Decision? placed = Place(
            create.Assignments, create.Partitions == -1 ? options.DefaultPartitions : create.Partitions,
            create.ReplicationFactor, state.Topics.Values, out ImmutableArray<ImmutableArray<ReplicaId>> replicas);
        if (placed is { } refused)
        {
            return refused;
        }

        IReadOnlyList<string> faults = TopicConfigs.Refusals(create.Configs, replicas[0].Length);
        if (faults.Count > 0)
        {
            return Refuse(AdminOutcome.InvalidConfig, string.Join(" ", faults));
        }

        var topic = new TopicInfo(
            create.Name, random.NextUInt128(), create.Internal, Partitions(create.Name, replicas, first: 0), create.Configs);
        return create.ValidateOnly
            ? new Decision(null, new AdminResult(AdminOutcome.Done, Topic: topic))
            : Propose(new ClusterCommand.TopicCreated(topic));
    }

    private Decision Delete(AdminCommand.DeleteTopic delete)
    {
        TopicInfo? topic = delete.Name.Length > 0 ? state.Topics.GetValueOrDefault(delete.Name) : state.TopicById(delete.Id);
        if (topic is null || (delete.Id != UInt128.Zero && topic.Id != delete.Id))
        {
            return Refuse(AdminOutcome.UnknownTopic, $"There is no topic '{delete.Name}'.");
        }

        return topic.Internal
            ? Refuse(AdminOutcome.Refused, $"'{topic.Name}' is internal to RaftMq and can't be deleted.")
            : Propose(new ClusterCommand.TopicDeleted(topic.Id));
    }

    private Decision Add(AdminCommand.AddPartitions add)
    {
        if (!state.Topics.TryGetValue(add.Topic, out TopicInfo? topic))
        {
            return Refuse(AdminOutcome.UnknownTopic, $"There is no topic '{add.Topic}'.");
        }

        if (topic.Internal)
        {
            return Refuse(AdminOutcome.Refused,
                $"'{add.Topic}' is internal to RaftMq: with another number of partitions, groups would lose their offsets.");
        }

        int more = add.TotalCount - topic.Partitions.Length;
        if (more <= 0)
        {
            return Refuse(AdminOutcome.InvalidPartitions,
                $"'{add.Topic}' has {topic.Partitions.Length} partitions; the number can only grow.");
        }

        if (add.TotalCount > PartitionsPerTopicMax)
        {
            return Refuse(AdminOutcome.InvalidPartitions, $"A topic has between 1 and {PartitionsPerTopicMax} partitions.");
        }

        int replicationFactor = topic.Partitions[0].Replicas.Length;
        if (add.Assignments.Length > 0
            && (add.Assignments.Length != more || add.Assignments.Any(nodes => nodes.Length != replicationFactor)))
        {
            return Refuse(AdminOutcome.InvalidAssignment,
                $"{more} partitions are to be added, so {more} assignments of {replicationFactor} nodes each are needed.");
        }

        Decision? placed = Place(
            add.Assignments, more, replicationFactor, state.Topics.Values,
            out ImmutableArray<ImmutableArray<ReplicaId>> replicas);
        if (placed is { } refused)
        {
            return refused;
        }

        return add.ValidateOnly
            ? new Decision(null, new AdminResult(AdminOutcome.Done, Topic: topic))
            : Propose(new ClusterCommand.PartitionsAdded(topic.Id, Partitions(topic.Name, replicas, topic.Partitions.Length)));
    }

    private Decision SetConfigs(AdminCommand.SetTopicConfigs set)
    {
        if (!state.Topics.TryGetValue(set.Topic, out TopicInfo? topic))
        {
            return Refuse(AdminOutcome.UnknownTopic, $"There is no topic '{set.Topic}'.");
        }

        ImmutableSortedDictionary<string, string> configs = set.Replace ? topic.Configs.Clear() : topic.Configs;
        foreach ((string name, string? value) in set.Changes)
        {
            configs = value is null ? configs.Remove(name) : configs.SetItem(name, value);
        }

        // The smallest of them: a movement may have given each partition another number of replicas.
        IReadOnlyList<string> faults = TopicConfigs.Refusals(configs, topic.Partitions.Min(static p => p.Replicas.Length));
        string? unknown = set.Changes.Keys.FirstOrDefault(name => !TopicConfigs.All.ContainsKey(name));
        if (faults.Count > 0 || unknown is not null)
        {
            return Refuse(AdminOutcome.InvalidConfig,
                faults.Count > 0 ? string.Join(" ", faults) : $"There is no topic setting '{unknown}'.");
        }

        return set.ValidateOnly
            ? new Decision(null, new AdminResult(AdminOutcome.Done))
            : Propose(new ClusterCommand.TopicConfigsSet(topic.Id, configs));
    }

    private Decision Transfer(AdminCommand.TransferLeadership transfer)
    {
        if (!state.Topics.TryGetValue(transfer.Topic, out TopicInfo? topic))
        {
            return Refuse(AdminOutcome.UnknownTopic, $"There is no topic '{transfer.Topic}'.");
        }

        if ((uint)transfer.Partition >= (uint)topic.Partitions.Length)
        {
            return Refuse(AdminOutcome.UnknownPartition,
                $"'{transfer.Topic}' has partitions 0 to {topic.Partitions.Length - 1}.");
        }

        ImmutableArray<ReplicaId> replicas = topic.Partitions[transfer.Partition].Replicas;
        return replicas.Any(r => r.Node == transfer.To)
            ? Propose(new ClusterCommand.PreferredLeaderSet(topic.Id, transfer.Partition, transfer.To))
            : Refuse(AdminOutcome.NotReplica,
                $"Node {transfer.To.Value} holds no replica of {transfer.Topic}/{transfer.Partition}; "
                + $"nodes {string.Join(", ", replicas.Select(r => r.Node.Value))} do.");
    }

    private Decision Reassign(AdminCommand.Reassign reassign)
    {
        if (!state.Topics.TryGetValue(reassign.Topic, out TopicInfo? topic))
        {
            return Refuse(AdminOutcome.UnknownTopic, $"There is no topic '{reassign.Topic}'.");
        }

        if ((uint)reassign.Partition >= (uint)topic.Partitions.Length)
        {
            return Refuse(AdminOutcome.UnknownPartition,
                $"'{reassign.Topic}' has partitions 0 to {topic.Partitions.Length - 1}.");
        }

        PartitionInfo partition = topic.Partitions[reassign.Partition];
        if (reassign.To is not { } nodes)
        {
            return partition.IsMoving
                ? Move(topic, partition, partition.Before)
                : Refuse(AdminOutcome.NotMoving, $"No movement of {reassign.Topic}/{reassign.Partition} is under way.");
        }

        if (nodes.IsEmpty || nodes.Length > ReplicasMax || nodes.Distinct().Count() != nodes.Length)
        {
            return Refuse(AdminOutcome.InvalidAssignment, $"A partition has between 1 and {ReplicasMax} replicas, each on another node.");
        }

        if (nodes.Any(n => !state.Nodes.ContainsKey(n)))
        {
            return Refuse(AdminOutcome.InvalidAssignment, $"Unknown node in {string.Join(", ", nodes.Select(n => n.Value))}.");
        }

        if (nodes.Any(n => state.Roster.DutyOf(n) != NodeDuty.Serving && !partition.IsPlacedOn(n)))
        {
            return Refuse(AdminOutcome.InvalidAssignment,
                $"Of nodes {string.Join(", ", nodes.Select(n => n.Value))} one is being drained: it takes no new replicas.");
        }

        return nodes.FirstOrDefault(n => !hasRoom(n) && !partition.IsPlacedOn(n), new NodeId(-1)) is { Value: >= 0 } full
            ? Refuse(AdminOutcome.InvalidAssignment, $"The disk of node {full.Value} is full: it takes no new replicas until there is room.")
            : Move(topic, partition, [.. nodes.Select(n => state.Nodes[n].Replica)]);
    }

    private static Decision Move(TopicInfo topic, PartitionInfo partition, ImmutableArray<ReplicaId> to)
    {
        if (TopicConfigs.Refusals(topic.Configs, to.Length) is [var fault, ..])
        {
            return Refuse(AdminOutcome.InvalidAssignment, fault);
        }

        return partition.Replicas.SequenceEqual(to)
            ? new Decision(null, new AdminResult(AdminOutcome.Done))
            : Propose(new ClusterCommand.PartitionMoved(topic.Id, partition.Number, to));
    }

    private Decision Settled(ControllerRequest.Settled settled)
    {
        bool isNews = state.TopicById(settled.TopicId) is { } topic
            && (uint)settled.Partition < (uint)topic.Partitions.Length
            && topic.Partitions[settled.Partition] is var partition
            && partition.Epoch == settled.Epoch
            && (partition.IsMoving || settled.At > partition.SettledAt);
        return isNews
            ? Propose(new ClusterCommand.PartitionSettled(settled.TopicId, settled.Partition, settled.Epoch, settled.At, settled.Term))
            : new Decision(null, new AdminResult(AdminOutcome.Done));
    }

    /// <summary>What the replica has counts until its group went on without it. A word on an earlier placement says nothing.</summary>
    private Decision MakeAnew(ControllerRequest.MakeAnew anew)
    {
        bool isDue = state.TopicById(anew.TopicId) is { } topic
            && (uint)anew.Partition < (uint)topic.Partitions.Length
            && topic.Partitions[anew.Partition] is var partition
            && partition.Epoch == anew.Epoch && !partition.IsMoving && !partition.IsReturnDue
            && partition.Replicas.Length > 1 && partition.Replicas.Contains(anew.Replica);
        Probe.ReachedWhen(isDue, RareBranch.ReplicaMadeAnew);
        return isDue
            ? Propose(new ClusterCommand.ReplicaMadeAnew(anew.TopicId, anew.Partition, anew.Replica))
            : new Decision(null, new AdminResult(AdminOutcome.Done));
    }

    private static Decision Allocate(AdminCommand.AllocateProducerIds allocate) => allocate.Count is > 0 and <= 100_000
        ? Propose(new ClusterCommand.ProducerIdsAllocated(allocate.Count))
        : Refuse(AdminOutcome.Refused, "Between 1 and 100,000 producer ids at a time.");

    /// <summary>Null when replicas were found, else the refusal.</summary>
    private Decision? Place(
        ImmutableArray<ImmutableArray<NodeId>> assignments, int partitions, int replicationFactor,
        IEnumerable<TopicInfo> topics, out ImmutableArray<ImmutableArray<ReplicaId>> replicas)
    {
        replicas = [];
        if (assignments.Length is > 0 and <= PartitionsPerTopicMax)
        {
            return PlaceAsTold(assignments, out replicas);
        }

        if (partitions is < 1 or > PartitionsPerTopicMax || assignments.Length > 0)
        {
            return Refuse(AdminOutcome.InvalidPartitions, $"A topic has between 1 and {PartitionsPerTopicMax} partitions.");
        }

        NodeRecord[] serving = [.. state.Nodes.Values.Where(n => state.Roster.DutyOf(n.Replica.Node) == NodeDuty.Serving)];
        if (replicationFactor == -1)
        {
            replicationFactor = Math.Min(options.DefaultReplicationFactor, Math.Max(1, serving.Length));
        }

        if (replicationFactor < 1)
        {
            return Refuse(AdminOutcome.InvalidReplicationFactor, "A partition has at least 1 replica; -1 asks for the default.");
        }

        if (replicationFactor > serving.Length)
        {
            return Refuse(AdminOutcome.InvalidReplicationFactor,
                $"{replicationFactor} replicas need as many nodes; the cluster has {state.Nodes.Count}"
                + (serving.Length < state.Nodes.Count ? $", of which {state.Nodes.Count - serving.Length} are drained." : "."));
        }

        replicas = Placement.Choose(serving, topics, partitions, replicationFactor, hasRoom);
        return null;
    }

    private Decision? PlaceAsTold(
        ImmutableArray<ImmutableArray<NodeId>> assignments, out ImmutableArray<ImmutableArray<ReplicaId>> replicas)
    {
        replicas = [];
        ImmutableArray<ImmutableArray<ReplicaId>>.Builder told = ImmutableArray.CreateBuilder<ImmutableArray<ReplicaId>>();
        foreach (ImmutableArray<NodeId> nodes in assignments)
        {
            if (nodes.IsEmpty || nodes.Length != assignments[0].Length || nodes.Distinct().Count() != nodes.Length)
            {
                return Refuse(AdminOutcome.InvalidAssignment,
                    "Every partition needs the same number of replicas, at least one, each on another node.");
            }

            if (nodes.Any(n => !state.Nodes.ContainsKey(n)))
            {
                return Refuse(AdminOutcome.InvalidAssignment,
                    $"Unknown node in {string.Join(", ", nodes.Select(n => n.Value))}.");
            }

            if (nodes.FirstOrDefault(n => state.Roster.DutyOf(n) != NodeDuty.Serving, new NodeId(-1)) is { Value: >= 0 } drained)
            {
                return Refuse(AdminOutcome.InvalidAssignment, $"Node {drained.Value} is being drained: it takes no new replicas.");
            }

            told.Add([.. nodes.Select(n => state.Nodes[n].Replica)]);
        }

        replicas = told.ToImmutable();
        return null;
    }

    private ImmutableArray<PartitionInfo> Partitions(string topic, ImmutableArray<ImmutableArray<ReplicaId>> replicas, int first) =>
        [.. replicas.Select((r, i) => new PartitionInfo(first + i, NewGroup(topic, first + i), r))];

    /// <summary>Never one that was there before: a topic that is made anew must not meet its old records (R-16).</summary>
    private GroupId NewGroup(string topic, int partition) => PlantedBug.OldIncarnationReplayed
        ? new GroupId(StableHash.Compute(System.Text.Encoding.UTF8.GetBytes($"{topic}-{partition}")))
        : new GroupId(random.NextUInt128());

    private static string? NameFault(string name)
    {
        if (name.Length is 0 or > TopicNameMax || name is "." or "..")
        {
            return $"A topic's name has 1 to {TopicNameMax} characters and is not '.' or '..'.";
        }

        return name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-')
            ? null
            : $"'{name}' is no topic name: letters, digits, '.', '_' and '-' are.";
    }

    private static Decision Propose(ClusterCommand command) => new(command, null);

    private static Decision Refuse(AdminOutcome outcome, string message) => new(
        null, new AdminResult(outcome, message.Length <= MessageCharsMax ? message : message[..MessageCharsMax] + "..."));
}
