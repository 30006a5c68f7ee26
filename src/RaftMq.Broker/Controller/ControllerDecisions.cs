using System.Collections.Immutable;
using RaftMq.Raft;

namespace RaftMq.Broker.Controller;

/// <summary>A refusal, a dry answer, or the command to propose.</summary>
internal readonly record struct Decision(ClusterCommand? Command, AdminResult? Answer);

/// <summary>
/// What the controller's leader makes of a request, given the applied state. Pure but for the ids it draws. One request at a time is
/// under way (see <see cref="ControllerMachine"/>), so the applied state is all there is to check against.
/// </summary>
internal sealed class ControllerDecisions(ClusterState state, BrokerOptions options, RandomSource random)
{
    /// <summary>Kafka's own limits for topic names.</summary>
    private const int TopicNameMax = 249;

    /// <summary>One request may not ask for more partitions than this; the cluster may have more.</summary>
    private const int PartitionsPerTopicMax = 10_000;

    public Decision Decide(ControllerRequest request) => request switch
    {
        ControllerRequest.Register register => Register(register.Node),
        ControllerRequest.Administer administer => administer.Command switch
        {
            AdminCommand.CreateTopic create => Create(create),
            AdminCommand.DeleteTopic delete => Delete(delete),
            AdminCommand.AddPartitions add => Add(add),
            AdminCommand.SetTopicConfigs set => SetConfigs(set),
            AdminCommand.TransferLeadership transfer => Transfer(transfer),
            AdminCommand.AllocateProducerIds allocate => Allocate(allocate),
            _ => Refuse(AdminOutcome.Refused, "The controller does not do this."),
        },
        _ => Refuse(AdminOutcome.Refused, "Unknown request."),
    };

    private Decision Register(NodeRecord node)
    {
        if (state.IsFormed && (node.FeatureMin > state.FeatureLevel || node.FeatureMax < state.FeatureLevel))
        {
            return Refuse(AdminOutcome.Refused,
                $"Node {node.Replica.Node.Value} speaks feature levels {node.FeatureMin} to {node.FeatureMax}, the cluster is at "
                + $"{state.FeatureLevel}. Run a version of RaftMq that includes level {state.FeatureLevel}.");
        }

        if (state.Nodes.TryGetValue(node.Replica.Node, out NodeRecord? known))
        {
            if (known.Replica != node.Replica)
            {
                return Refuse(AdminOutcome.Refused,
                    $"Node {node.Replica.Node.Value} is known with another data folder. A folder was emptied or exchanged: bring the "
                    + "old one back; without it the node stays out.");
            }

            // A late word of an earlier life says nothing any more.
            if (known.Equals(node) || known.Boot.Value > node.Boot.Value)
            {
                return new Decision(null, new AdminResult(AdminOutcome.Done));
            }
        }

        return Propose(new ClusterCommand.NodeRegistered(node));
    }

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
            create.Name, random.NextUInt128(), create.Internal, Partitions(replicas, first: 0), create.Configs);
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
            : Propose(new ClusterCommand.PartitionsAdded(topic.Id, Partitions(replicas, topic.Partitions.Length)));
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

        IReadOnlyList<string> faults = TopicConfigs.Refusals(configs, topic.Partitions[0].Replicas.Length);
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

        if (replicationFactor == -1)
        {
            replicationFactor = Math.Min(options.DefaultReplicationFactor, Math.Max(1, state.Nodes.Count));
        }

        if (replicationFactor < 1)
        {
            return Refuse(AdminOutcome.InvalidReplicationFactor, "A partition has at least 1 replica; -1 asks for the default.");
        }

        if (replicationFactor > state.Nodes.Count)
        {
            return Refuse(AdminOutcome.InvalidReplicationFactor,
                $"{replicationFactor} replicas need as many nodes; the cluster has {state.Nodes.Count}.");
        }

        replicas = Placement.Choose([.. state.Nodes.Values], topics, partitions, replicationFactor);
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

            told.Add([.. nodes.Select(n => state.Nodes[n].Replica)]);
        }

        replicas = told.ToImmutable();
        return null;
    }

    private ImmutableArray<PartitionInfo> Partitions(ImmutableArray<ImmutableArray<ReplicaId>> replicas, int first) =>
        [.. replicas.Select((r, i) => new PartitionInfo(first + i, new GroupId(random.NextUInt128()), r))];

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

    private static Decision Refuse(AdminOutcome outcome, string message) => new(null, new AdminResult(outcome, message));
}
