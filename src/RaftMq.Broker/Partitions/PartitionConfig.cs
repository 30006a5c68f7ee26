using System.Collections.Immutable;
using RaftMq.Broker.Controller;

namespace RaftMq.Broker.Partitions;

/// <summary>What follows for a partition from its topic's settings. Immutable; swapped whole when they change.</summary>
/// <param name="MessageBytesMax">The topic's own; null where it says none and the node's <see cref="BrokerLimits.RecordBatchBytesMax"/> counts.</param>
internal sealed record PartitionConfig(
    string Topic,
    UInt128 TopicId,
    int Partition,
    long RetentionMs,
    long RetentionBytes,
    long SegmentBytes,
    long SegmentMs,
    int MinInSyncReplicas,
    int? MessageBytesMax,
    bool LogAppendTime,
    long TimestampBeforeMaxMs,
    long TimestampAfterMaxMs)
{
    /// <summary>
    /// Until the cluster's state is known after a start: the defaults, but nothing is ever retired by them.
    /// </summary>
    public static PartitionConfig BeforeStateIsKnown(string topic, int partition) =>
        Of(new TopicInfo(topic, UInt128.Zero, Internal: false, [], NoConfigs), partition) with
        {
            RetentionMs = -1,
            RetentionBytes = -1,

            // Nothing is acknowledged on a guess: the topic may ask for more replicas than a majority.
            MinInSyncReplicas = int.MaxValue,
        };

    private static readonly ImmutableSortedDictionary<string, string> NoConfigs =
        ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    public static PartitionConfig Of(TopicInfo topic, int partition) => new(
        topic.Name,
        topic.Id,
        partition,
        TopicConfigs.Int64(topic, "retention.ms"),
        TopicConfigs.Int64(topic, "retention.bytes"),
        TopicConfigs.Int64(topic, "segment.bytes"),
        TopicConfigs.Int64(topic, "segment.ms"),
        (int)TopicConfigs.Int64(topic, "min.insync.replicas"),
        topic.Configs.ContainsKey(TopicConfigs.MaxMessageBytes) ? (int)TopicConfigs.Int64(topic, TopicConfigs.MaxMessageBytes) : null,
        TopicConfigs.Value(topic, "message.timestamp.type") == "LogAppendTime",
        TopicConfigs.Int64(topic, "message.timestamp.before.max.ms"),
        TopicConfigs.Int64(topic, "message.timestamp.after.max.ms"));
}
