using System.Collections.Immutable;
using RaftMq.Broker;
using RaftMq.Broker.Controller;
using RaftMq.Kafka.Calls;
using RaftMq.Kafka.Configs;
using RaftMq.Kafka.Errors;
using RaftMq.Kafka.Nodes;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;
using RaftMq.Raft;

namespace RaftMq.Kafka.Handlers;

/// <summary>CreateTopics. Any node takes it; the answer comes when the topic is durable in the controller group and known here.</summary>
internal sealed class CreateTopicsHandler(KafkaNode node) : AnsweringHandler<CreateTopicsRequest, CreateTopicsResponse>
{
    protected override async ValueTask<CreateTopicsResponse> AnswerAsync(
        CreateTopicsRequest message, KafkaRequest request, CancellationToken cancellation)
    {
        long deadlineMs = node.AdminDeadlineMs(message.TimeoutMs);
        HashSet<string> twice = message.Topics
            .GroupBy(topic => topic.Name, StringComparer.Ordinal)
            .Where(same => same.Skip(1).Any())
            .Select(same => same.Key)
            .ToHashSet(StringComparer.Ordinal);
        return new CreateTopicsResponse
        {
            Topics = await InTurn.RunAsync(
                message.Topics,
                node.Limits.AdminCommandsAtOnceMax,
                topic => twice.Contains(topic.Name)
                    ? Task.FromResult(Refused(topic.Name, KafkaError.InvalidRequest, "the request names this topic twice"))
                    : CreateAsync(topic, message.ValidateOnly, deadlineMs, cancellation)),
        };
    }

    private static CreateTopicsResponse.Topic Refused(string name, KafkaError error, string? message) =>
        new() { Name = name, Error = error, ErrorMessage = message, Configs = null };

    private static CreateTopicsResponse.Topic Created(string name, TopicInfo? topic, BrokerOptions options) => topic is null
        ? new CreateTopicsResponse.Topic { Name = name, Configs = null }
        : new CreateTopicsResponse.Topic
        {
            Name = name,
            TopicId = WireIds.ToGuid(topic.Id),
            NumPartitions = topic.Partitions.Length,
            ReplicationFactor = (short)topic.Partitions[0].Replicas.Length,
            Configs = ConfigEntries.OfTopic(topic, options).Select(entry => new CreateTopicsResponse.Config
            {
                Name = entry.Name,
                Value = entry.Value,
                ReadOnly = entry.ReadOnly,
                ConfigSource = (sbyte)entry.Source,
            }).ToArray(),
        };

    /// <summary>The wanted replicas in the order of the partitions, which must be numbered from 0 without a gap.</summary>
    private static bool TryOrder(
        CreateTopicsRequest.Assignment[] assignments, out ImmutableArray<ImmutableArray<NodeId>> ordered)
    {
        var partitions = new ImmutableArray<NodeId>[assignments.Length];
        foreach (CreateTopicsRequest.Assignment assignment in assignments)
        {
            if ((uint)assignment.Index >= (uint)partitions.Length || !partitions[assignment.Index].IsDefault)
            {
                ordered = [];
                return false;
            }

            partitions[assignment.Index] = [.. assignment.BrokerIds.Select(id => new NodeId(id))];
        }

        ordered = [.. partitions];
        return true;
    }

    private async Task<CreateTopicsResponse.Topic> CreateAsync(
        CreateTopicsRequest.Topic topic, bool validateOnly, long deadlineMs, CancellationToken cancellation)
    {
        if (InternalTopics.IsReserved(node.Broker.Cluster, topic.Name))
        {
            return Refused(topic.Name, KafkaError.InvalidTopic, InternalTopics.Reserved);
        }

        if (topic.Assignments.Length > 0 && (topic.NumPartitions != -1 || topic.ReplicationFactor != -1))
        {
            return Refused(
                topic.Name, KafkaError.InvalidRequest, "with assignments, the numbers of partitions and replicas must both be -1");
        }

        if (!TryOrder(topic.Assignments, out ImmutableArray<ImmutableArray<NodeId>> assignments))
        {
            return Refused(
                topic.Name, KafkaError.InvalidReplicaAssignment, "the assignments must number the partitions from 0 without a gap");
        }

        var configs = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (CreateTopicsRequest.Config config in topic.Configs)
        {
            if (config.Value is null)
            {
                return Refused(topic.Name, KafkaError.InvalidConfig, $"'{config.Name}' has no value; leave it out for the default");
            }

            configs[config.Name] = config.Value;
        }

        AdminResult result = await AdminCall.RunAsync(
            node.Broker,
            new AdminCommand.CreateTopic(
                topic.Name,
                topic.NumPartitions,
                topic.ReplicationFactor,
                assignments,
                configs.ToImmutableSortedDictionary(StringComparer.Ordinal),
                validateOnly),
            deadlineMs,
            cancellation);
        return result.Outcome == AdminOutcome.Done
            ? Created(topic.Name, result.Topic ?? node.Broker.Cluster.Topics.GetValueOrDefault(topic.Name), node.Broker.Options)
            : Refused(topic.Name, ErrorMap.Of(result.Outcome), result.Message);
    }
}
