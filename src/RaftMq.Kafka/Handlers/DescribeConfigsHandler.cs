using System.Globalization;
using RaftMq.Broker.Controller;
using RaftMq.Kafka.Configs;
using RaftMq.Kafka.Nodes;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Kafka.Handlers;

/// <summary>DescribeConfigs of topics, and of this node (a client asks the node it wants to know about).</summary>
internal sealed class DescribeConfigsHandler(KafkaNode node) : AnsweringHandler<DescribeConfigsRequest, DescribeConfigsResponse>
{
    protected override ValueTask<DescribeConfigsResponse> AnswerAsync(
        DescribeConfigsRequest message, KafkaRequest request, CancellationToken cancellation)
    {
        ClusterImage cluster = node.Broker.Cluster;
        return new(new DescribeConfigsResponse
        {
            Results = Array.ConvertAll(message.Resources, resource => Describe(resource, message, cluster)),
        });
    }

    private static DescribeConfigsResponse.Result Described(
        DescribeConfigsRequest.Resource resource, DescribeConfigsRequest message, List<ConfigEntry> entries)
    {
        IEnumerable<ConfigEntry> chosen = resource.ConfigurationKeys is { Length: > 0 } keys
            ? entries.Where(entry => keys.Contains(entry.Name, StringComparer.Ordinal))
            : entries;
        return new DescribeConfigsResponse.Result
        {
            ResourceType = resource.ResourceType,
            ResourceName = resource.ResourceName,
            Configs = chosen.Select(entry => Config(entry, message)).ToArray(),
        };
    }

    private static DescribeConfigsResponse.Config Config(ConfigEntry entry, DescribeConfigsRequest message) => new()
    {
        Name = entry.Name,
        Value = entry.Value,
        ReadOnly = entry.ReadOnly,
        IsDefault = entry.Source == ConfigSource.Default,
        ConfigSource = (sbyte)entry.Source,
        IsSensitive = false,
        Synonyms = message.IncludeSynonyms ? Synonyms(entry) : [],
        ConfigType = entry.TypeCode,
        Documentation = message.IncludeDocumentation ? entry.Documentation : null,
    };

    /// <summary>The values that would hold if the ones before were not set, in that order.</summary>
    private static DescribeConfigsResponse.Synonym[] Synonyms(ConfigEntry entry)
    {
        var synonyms = new List<DescribeConfigsResponse.Synonym>(3);
        if (entry.Source == ConfigSource.DynamicTopic || (entry.Source == ConfigSource.StaticBroker && entry.Node is null))
        {
            synonyms.Add(new() { Name = entry.Name, Value = entry.Value, Source = (sbyte)entry.Source });
        }

        if (entry.Node is { } node)
        {
            synonyms.Add(new() { Name = node.Name, Value = node.Value, Source = (sbyte)ConfigSource.StaticBroker });
        }

        if (entry.Default is not null)
        {
            synonyms.Add(new() { Name = entry.Name, Value = entry.Default, Source = (sbyte)ConfigSource.Default });
        }

        return [.. synonyms];
    }

    private static DescribeConfigsResponse.Result Refused(
        DescribeConfigsRequest.Resource resource, KafkaError error, string? message) => new()
        {
            Error = error,
            ErrorMessage = message,
            ResourceType = resource.ResourceType,
            ResourceName = resource.ResourceName,
        };

    private DescribeConfigsResponse.Result Describe(
        DescribeConfigsRequest.Resource resource, DescribeConfigsRequest message, ClusterImage cluster)
    {
        switch (resource.ResourceType)
        {
            case ConfigResource.Topic:
                return cluster.Topics.TryGetValue(resource.ResourceName, out TopicInfo? topic)
                    ? Described(resource, message, ConfigEntries.OfTopic(topic, node.Broker.Options))
                    : Refused(resource, KafkaError.UnknownTopicOrPartition, message: null);

            case ConfigResource.Broker when resource.ResourceName.Length == 0:
                // The cluster-wide defaults that can be changed while nodes run: there are none.
                return Described(resource, message, []);

            case ConfigResource.Broker:
                string self = node.Broker.Self.Value.ToString(CultureInfo.InvariantCulture);
                return string.Equals(resource.ResourceName, self, StringComparison.Ordinal)
                    ? Described(resource, message, ConfigEntries.OfBroker(node.Broker.Self, cluster.Nodes.GetValueOrDefault(node.Broker.Self), node.Broker.Options))
                    : Refused(resource, KafkaError.InvalidRequest, $"this is node {self}; ask node {resource.ResourceName} itself");

            default:
                return Refused(resource, KafkaError.InvalidRequest, $"there are no settings for resources of type {resource.ResourceType}");
        }
    }
}
