using System.Collections.Immutable;
using RaftMq.Broker.Controller;
using RaftMq.Kafka.Calls;
using RaftMq.Kafka.Errors;
using RaftMq.Kafka.Nodes;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;
using RaftMq.Raft;

namespace RaftMq.Kafka.Handlers;

/// <summary>
/// Metadata, from this node's own copy. Topics that do not exist are created on first use where both the client and the configuration
/// allow it; the answer then waits for the controller, not for the new partitions' leaders, which the client asks for again.
/// </summary>
internal sealed class MetadataHandler(KafkaNode node) : AnsweringHandler<MetadataRequest, MetadataResponse>
{
    /// <summary>From here on an absent topic list means all topics and an empty one none; before, an empty one meant all.</summary>
    private const short FirstVersionWithNull = 1;

    protected override async ValueTask<MetadataResponse> AnswerAsync(
        MetadataRequest message, KafkaRequest request, CancellationToken cancellation)
    {
        bool all = message.Topics is null || (message.Topics.Length == 0 && request.Version < FirstVersionWithNull);
        Dictionary<string, KafkaError>? refused = all || !message.AllowAutoTopicCreation || !node.Broker.Options.AutoCreateTopics
            ? null
            : await CreateMissingAsync(message.Topics!, cancellation);
        var view = new ClusterView(node.Broker.Cluster, request.Session.Info.Listener);
        int operations = message.IncludeTopicAuthorizedOperations ? AllowedOperations.Topic : AllowedOperations.NotAsked;
        return new MetadataResponse
        {
            Brokers = Brokers(view),
            ClusterId = view.Image.ClusterId,
            ControllerId = view.Controller,
            Topics = all ? All(view, operations) : Asked(message.Topics!, view, refused, operations),
            ClusterAuthorizedOperations =
                message.IncludeClusterAuthorizedOperations ? AllowedOperations.Cluster : AllowedOperations.NotAsked,
        };
    }

    private static MetadataResponse.Broker[] Brokers(ClusterView view)
    {
        List<(NodeId Node, ListenerAddress Address, string? Rack)> nodes = view.Nodes();
        var brokers = new MetadataResponse.Broker[nodes.Count];
        for (int i = 0; i < brokers.Length; i++)
        {
            (NodeId id, ListenerAddress address, string? rack) = nodes[i];
            brokers[i] = new MetadataResponse.Broker
            {
                NodeId = id.Value,
                Host = address.Host,
                Port = address.Port,
                Rack = rack,
            };
        }

        return brokers;
    }

    private static MetadataResponse.Topic[] All(ClusterView view, int operations)
    {
        var topics = new MetadataResponse.Topic[view.Image.Topics.Count];
        int next = 0;
        foreach (TopicInfo topic in view.Image.Topics.Values)
        {
            topics[next++] = Known(topic, view, operations);
        }

        return topics;
    }

    private static MetadataResponse.Topic[] Asked(
        MetadataRequest.Topic[] asked, ClusterView view, Dictionary<string, KafkaError>? refused, int operations)
    {
        var topics = new MetadataResponse.Topic[asked.Length];
        for (int i = 0; i < topics.Length; i++)
        {
            topics[i] = asked[i].Name is { } name ? ByName(name, view, refused, operations) : ById(asked[i].TopicId, view, operations);
        }

        return topics;
    }

    private static MetadataResponse.Topic ByName(
        string name, ClusterView view, Dictionary<string, KafkaError>? refused, int operations)
    {
        if (view.Image.Topics.TryGetValue(name, out TopicInfo? topic))
        {
            return Known(topic, view, operations);
        }

        KafkaError error = !TopicNames.IsValid(name) ? KafkaError.InvalidTopic
            : refused is not null && refused.TryGetValue(name, out KafkaError reason) ? reason
            : KafkaError.UnknownTopicOrPartition;
        return new MetadataResponse.Topic { Name = name, Error = error };
    }

    private static MetadataResponse.Topic ById(Guid id, ClusterView view, int operations)
    {
        UInt128 topicId = WireIds.ToTopicId(id);
        foreach (TopicInfo topic in view.Image.Topics.Values)
        {
            if (topic.Id == topicId)
            {
                return Known(topic, view, operations);
            }
        }

        return new MetadataResponse.Topic { Name = null, TopicId = id, Error = KafkaError.UnknownTopicId };
    }

    private static MetadataResponse.Topic Known(TopicInfo topic, ClusterView view, int operations)
    {
        var partitions = new MetadataResponse.Partition[topic.Partitions.Length];
        for (int i = 0; i < partitions.Length; i++)
        {
            partitions[i] = Partition(topic.Partitions[i], view);
        }

        return new MetadataResponse.Topic
        {
            Name = topic.Name,
            TopicId = WireIds.ToGuid(topic.Id),
            IsInternal = topic.Internal,
            Partitions = partitions,
            TopicAuthorizedOperations = operations,
        };
    }

    private static MetadataResponse.Partition Partition(PartitionInfo info, ClusterView view)
    {
        ImmutableArray<ReplicaId> placed = info.Placed;
        var replicas = new int[placed.Length];
        List<int>? offline = null;
        for (int i = 0; i < replicas.Length; i++)
        {
            NodeId replica = placed[i].Node;
            replicas[i] = replica.Value;
            if (!view.Lives(replica))
            {
                (offline ??= []).Add(replica.Value);
            }
        }

        LeaderInfo? leader = view.Image.LeaderOf(info.Group);
        KafkaError error = leader is null || !view.Lives(leader.Value.Leader) ? KafkaError.LeaderNotAvailable
            : view.AddressOf(leader.Value.Leader) is null ? KafkaError.ListenerNotFound
            : KafkaError.None;
        return new MetadataResponse.Partition
        {
            Error = error,
            Index = info.Number,
            LeaderId = error == KafkaError.None ? leader!.Value.Leader.Value : -1,
            LeaderEpoch = leader?.Epoch ?? -1,
            ReplicaNodes = replicas,
            IsrNodes = leader is { InSync.IsDefault: false } ? Numbers(leader.Value.InSync) : [],
            OfflineReplicas = offline?.ToArray() ?? [],
        };
    }

    private static int[] Numbers(ImmutableArray<NodeId> nodes)
    {
        var numbers = new int[nodes.Length];
        for (int i = 0; i < numbers.Length; i++)
        {
            numbers[i] = nodes[i].Value;
        }

        return numbers;
    }

    /// <returns>Why topics could not be created, for those that are still missing.</returns>
    private async ValueTask<Dictionary<string, KafkaError>?> CreateMissingAsync(
        MetadataRequest.Topic[] asked, CancellationToken cancellation)
    {
        ClusterImage cluster = node.Broker.Cluster;
        Dictionary<string, Task<AdminResult>?>? missing = null;
        long deadlineMs = node.Clock.MonotonicMs + node.Limits.AutoCreateTimeoutMs;
        int created = 0;
        foreach (MetadataRequest.Topic topic in asked)
        {
            if (topic.Name is not { } name || cluster.Topics.ContainsKey(name) || !TopicNames.IsValid(name)
                || missing?.ContainsKey(name) == true)
            {
                continue;
            }

            missing ??= new Dictionary<string, Task<AdminResult>?>(StringComparer.Ordinal);
            missing[name] = created++ < node.Limits.AutoCreatesPerRequestMax
                ? AdminCall.RunAsync(node.Broker, Creation(name), deadlineMs, cancellation)
                : null;
        }

        return missing is null ? null : await ReasonsAsync(missing);
    }

    private AdminCommand.CreateTopic Creation(string name)
    {
        bool offsets = string.Equals(name, Broker.Groups.OffsetsTopic.Name, StringComparison.Ordinal);
        return new AdminCommand.CreateTopic(
            name,
            offsets ? node.Broker.Options.OffsetsPartitions : -1,
            -1,
            [],
            ImmutableSortedDictionary<string, string>.Empty,
            ValidateOnly: false,
            Internal: offsets);
    }

    private static async ValueTask<Dictionary<string, KafkaError>> ReasonsAsync(Dictionary<string, Task<AdminResult>?> creations)
    {
        var reasons = new Dictionary<string, KafkaError>(StringComparer.Ordinal);
        foreach ((string name, Task<AdminResult>? creation) in creations)
        {
            AdminOutcome outcome = creation is null ? AdminOutcome.TimedOut : (await creation).Outcome;

            // Not (yet) decided, or decided and on its way to this node: the client asks again.
            reasons[name] = outcome is AdminOutcome.Done or AdminOutcome.TopicExists or AdminOutcome.TimedOut or AdminOutcome.NotController
                ? KafkaError.LeaderNotAvailable
                : ErrorMap.Of(outcome);
        }

        return reasons;
    }
}
