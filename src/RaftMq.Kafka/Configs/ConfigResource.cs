namespace RaftMq.Kafka.Configs;

/// <summary>What settings belong to; the numbers are the protocol's.</summary>
internal static class ConfigResource
{
    public const sbyte Topic = 2;
    public const sbyte Broker = 4;
}
