namespace RaftMq.Broker.Groups;

/// <summary>
/// The internal topic whose partitions hold consumer groups and their offsets. A group lives in partition
/// <see cref="CoordinatorPartition.Of"/>; that partition's leader is its coordinator. The number of partitions is fixed when the topic is
/// created (<see cref="BrokerOptions.OffsetsPartitions"/>) and never changes.
/// </summary>
public static class OffsetsTopic
{
    /// <summary>The name that Kafka's clients and tools know and leave out of their lists.</summary>
    public const string Name = "__consumer_offsets";
}
