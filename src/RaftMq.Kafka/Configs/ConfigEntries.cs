using System.Globalization;
using RaftMq.Broker;
using RaftMq.Broker.Controller;
using RaftMq.Raft;

namespace RaftMq.Kafka.Configs;

/// <summary>The settings of topics and of this node under their Kafka names.</summary>
internal static class ConfigEntries
{
    private const string MessageMaxBytes = "message.max.bytes";

    public static List<ConfigEntry> OfTopic(TopicInfo topic, BrokerOptions options)
    {
        var entries = new List<ConfigEntry>(TopicConfigs.All.Count);
        foreach (TopicConfigDefinition definition in TopicConfigs.All.Values)
        {
            NodeSetting? node = OfNode(definition, options);
            bool set = topic.Configs.TryGetValue(definition.Name, out string? value);
            entries.Add(new ConfigEntry(
                definition.Name,
                set ? value! : node?.Value ?? definition.Default,
                definition.Type,
                set ? ConfigSource.DynamicTopic : node is null ? ConfigSource.Default : ConfigSource.StaticBroker,
                ReadOnly: false,
                definition.Default,
                definition.Documentation)
            {
                Node = node,
            });
        }

        return entries;
    }

    /// <summary>They come from the node's own configuration and are read here, never changed.</summary>
    public static List<ConfigEntry> OfBroker(NodeId node, BrokerOptions options) =>
    [
        Static("auto.create.topics.enable", options.AutoCreateTopics ? "true" : "false", ConfigType.Boolean,
            "Topics are created when a client first asks for them."),
        Static("broker.id", Number(node.Value), ConfigType.Int32, "The number of this node."),
        Static("default.replication.factor", Number(options.DefaultReplicationFactor), ConfigType.Int32,
            "Replicas of a new topic's partitions, at most one per node."),
        Static(MessageMaxBytes, Number(options.Limits.RecordBatchBytesMax), ConfigType.Int32, "The largest record batch taken."),
        Static("num.partitions", Number(options.DefaultPartitions), ConfigType.Int32, "Partitions of a new topic."),
        Static("offsets.topic.num.partitions", Number(options.OffsetsPartitions), ConfigType.Int32,
            "Partitions of the internal topic that holds consumer groups."),
        Static("replica.lag.time.max.ms", Number((long)options.ReplicaLagMax.TotalMilliseconds), ConfigType.Int64,
            "A replica that has not had everything for this long is not in sync."),
    ];

    /// <summary>What this node says for topics that say nothing; null where that is the default.</summary>
    private static NodeSetting? OfNode(TopicConfigDefinition definition, BrokerOptions options)
    {
        string value = Number(options.Limits.RecordBatchBytesMax);
        return definition.Name == TopicConfigs.MaxMessageBytes && value != definition.Default ? new NodeSetting(MessageMaxBytes, value) : null;
    }

    private static ConfigEntry Static(string name, string value, ConfigType type, string documentation) =>
        new(name, value, type, ConfigSource.StaticBroker, ReadOnly: true, Default: null, documentation);

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
