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
    /// <param name="self">What the cluster knows of the node; null before it does.</param>
    public static List<ConfigEntry> OfBroker(NodeId node, NodeInfo? self, BrokerOptions options) =>
    [
        Static("auto.create.topics.enable", options.AutoCreateTopics ? "true" : "false", ConfigType.Boolean,
            "Topics are created when a client first asks for them."),
        Static("broker.id", Number(node.Value), ConfigType.Int32, "The number of this node."),
        Static("default.replication.factor", Number(options.DefaultReplicationFactor), ConfigType.Int32,
            "Replicas of a new topic's partitions, at most one per node."),
        .. Http(self),
        Static(MessageMaxBytes, Number(options.Limits.RecordBatchBytesMax), ConfigType.Int32, "The largest record batch taken."),
        Static("num.partitions", Number(options.DefaultPartitions), ConfigType.Int32, "Partitions of a new topic."),
        Static("offsets.topic.num.partitions", Number(options.OffsetsPartitions), ConfigType.Int32,
            "Partitions of the internal topic that holds consumer groups."),
        Static("replica.lag.time.max.ms", Number((long)options.ReplicaLagMax.TotalMilliseconds), ConfigType.Int64,
            "A replica that has not had everything for this long is not in sync."),
    ];

    /// <summary>Not a setting of Kafka's: by it a tool that speaks its protocol knows a RaftMq node, and finds its metrics.</summary>
    private static IEnumerable<ConfigEntry> Http(NodeInfo? self)
    {
        if (self?.Listeners.FirstOrDefault(listener => listener.Name == ListenerAddress.Http) is { } http)
        {
            string host = http.Host.Contains(':', StringComparison.Ordinal) ? $"[{http.Host}]" : http.Host;
            yield return Static("http.advertised", $"{host}:{Number(http.Port)}", ConfigType.Text, "Where this node's HTTP is: metrics, health and the admin API.");
        }
    }

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
