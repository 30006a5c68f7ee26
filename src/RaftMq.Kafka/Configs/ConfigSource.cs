namespace RaftMq.Kafka.Configs;

/// <summary>Where a setting's value comes from; the numbers are the protocol's.</summary>
internal enum ConfigSource : sbyte
{
    DynamicTopic = 1,
    StaticBroker = 4,
    Default = 5,
}
