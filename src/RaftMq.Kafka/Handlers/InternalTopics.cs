using RaftMq.Broker.Controller;
using RaftMq.Broker.Groups;

namespace RaftMq.Kafka.Handlers;

/// <summary>What belongs to the broker itself: clients see it in the metadata and can neither write, read nor change it.</summary>
internal static class InternalTopics
{
    public const string Reserved = "this topic belongs to the broker itself";

    public static bool IsReserved(ClusterImage cluster, string name) =>
        string.Equals(name, OffsetsTopic.Name, StringComparison.Ordinal)
        || (cluster.Topics.TryGetValue(name, out TopicInfo? topic) && topic.Internal);
}
