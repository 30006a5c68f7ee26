namespace RaftMq.Kafka.Wire;

/// <summary>Versions of one request, both ends included.</summary>
public readonly record struct ApiVersionRange(ApiKey Key, short Min, short Max)
{
    public bool Contains(int version) => version >= Min && version <= Max;
}
