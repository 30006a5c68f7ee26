using System.Collections.Immutable;
using RaftMq.Broker.Controller;
using RaftMq.Kafka.Configs;
using RaftMq.Kafka.Nodes;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Kafka.Handlers;

/// <summary>IncrementalAlterConfigs: only the named settings of a topic change.</summary>
internal sealed class IncrementalAlterConfigsHandler(KafkaNode node)
    : AnsweringHandler<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>
{
    // The protocol's operations.
    private const sbyte Set = 0;
    private const sbyte Delete = 1;
    private const sbyte Append = 2;
    private const sbyte Subtract = 3;

    private readonly ConfigChanges changes = new(node);

    protected override async ValueTask<IncrementalAlterConfigsResponse> AnswerAsync(
        IncrementalAlterConfigsRequest message, KafkaRequest request, CancellationToken cancellation)
    {
        ClusterImage cluster = node.Broker.Cluster;
        ConfigChange[] asked = Array.ConvertAll(message.Resources, resource => Change(resource, cluster));
        (KafkaError Error, string? Message)[] results = await changes.ApplyAsync(asked, message.ValidateOnly, cancellation);
        return new IncrementalAlterConfigsResponse
        {
            Responses = results.Select((result, i) => new IncrementalAlterConfigsResponse.Response
            {
                Error = result.Error,
                ErrorMessage = result.Message,
                ResourceType = asked[i].ResourceType,
                ResourceName = asked[i].ResourceName,
            }).ToArray(),
        };
    }

    private static ConfigChange Change(IncrementalAlterConfigsRequest.Resource resource, ClusterImage cluster)
    {
        TopicInfo? topic = resource.ResourceType == ConfigResource.Topic
            ? cluster.Topics.GetValueOrDefault(resource.ResourceName)
            : null;
        var values = new SortedDictionary<string, string?>(StringComparer.Ordinal);
        string? refusal = null;
        foreach (IncrementalAlterConfigsRequest.Config config in resource.Configs)
        {
            if (values.ContainsKey(config.Name))
            {
                refusal = $"'{config.Name}' is named twice";
            }
            else if (TryCompute(config, topic, out string? value, out string? fault))
            {
                values.Add(config.Name, value);
            }
            else
            {
                refusal = fault;
            }
        }

        return new ConfigChange(
            resource.ResourceType,
            resource.ResourceName,
            values.ToImmutableSortedDictionary(StringComparer.Ordinal),
            Replace: false,
            refusal);
    }

    private static bool TryCompute(
        IncrementalAlterConfigsRequest.Config config, TopicInfo? topic, out string? value, out string? fault)
    {
        value = null;
        fault = null;
        switch (config.ConfigOperation)
        {
            case Set when config.Value is not null:
                value = config.Value;
                return true;
            case Delete:
                return true;
            case Append or Subtract when config.Value is not null:
                return TryEditList(config, topic, out value, out fault);
            case Set or Append or Subtract:
                fault = $"'{config.Name}' needs a value";
                return false;
            default:
                fault = $"there is no operation {config.ConfigOperation} on settings";
                return false;
        }
    }

    private static bool TryEditList(
        IncrementalAlterConfigsRequest.Config config, TopicInfo? topic, out string? value, out string? fault)
    {
        value = null;
        if (!TopicConfigs.All.TryGetValue(config.Name, out TopicConfigDefinition? definition) || definition.Type != ConfigType.List)
        {
            fault = $"'{config.Name}' is not a list; it can be set or deleted";
            return false;
        }

        string current = topic is null ? definition.Default : TopicConfigs.Value(topic, config.Name);
        List<string> items = [.. current.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];
        foreach (string item in config.Value!.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            items.Remove(item);
            if (config.ConfigOperation == Append)
            {
                items.Add(item);
            }
        }

        value = string.Join(',', items);
        fault = null;
        return true;
    }
}
