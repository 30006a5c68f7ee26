using RaftMq.Broker.Controller;
using RaftMq.Kafka.Calls;
using RaftMq.Kafka.Errors;
using RaftMq.Kafka.Handlers;
using RaftMq.Kafka.Nodes;
using RaftMq.Kafka.Wire;

namespace RaftMq.Kafka.Configs;

/// <summary>Carries changes of settings to the controller, which judges the values. Only topics can be changed.</summary>
internal sealed class ConfigChanges(KafkaNode node)
{
    /// <summary>One result per change, in their order. A resource named twice is refused both times.</summary>
    public Task<(KafkaError Error, string? Message)[]> ApplyAsync(
        ConfigChange[] changes, bool validateOnly, CancellationToken cancellation)
    {
        HashSet<(sbyte, string)> twice = changes
            .GroupBy(change => (change.ResourceType, change.ResourceName))
            .Where(same => same.Skip(1).Any())
            .Select(same => same.Key)
            .ToHashSet();
        return InTurn.RunAsync(
            changes,
            node.Limits.AdminCommandsAtOnceMax,
            change => twice.Contains((change.ResourceType, change.ResourceName))
                ? Task.FromResult<(KafkaError, string?)>((KafkaError.InvalidRequest, "the request names this resource twice"))
                : ApplyAsync(change, validateOnly, cancellation));
    }

    private async Task<(KafkaError Error, string? Message)> ApplyAsync(
        ConfigChange change, bool validateOnly, CancellationToken cancellation)
    {
        if (change.ResourceType == ConfigResource.Broker)
        {
            return (KafkaError.InvalidRequest, "settings of nodes are changed in their configuration, not by a client");
        }

        if (change.ResourceType != ConfigResource.Topic)
        {
            return (KafkaError.InvalidRequest, $"there are no settings for resources of type {change.ResourceType}");
        }

        if (change.Refusal is not null)
        {
            return (KafkaError.InvalidConfig, change.Refusal);
        }

        if (InternalTopics.IsReserved(node.Broker.Cluster, change.ResourceName))
        {
            return (KafkaError.InvalidTopic, InternalTopics.Reserved);
        }

        AdminResult result = await AdminCall.RunAsync(
            node.Broker,
            new AdminCommand.SetTopicConfigs(change.ResourceName, change.Values, change.Replace, validateOnly),
            node.AdminDeadlineMs(node.Limits.AdminTimeoutMsDefault),
            cancellation);
        return (ErrorMap.Of(result.Outcome), result.Message);
    }
}
