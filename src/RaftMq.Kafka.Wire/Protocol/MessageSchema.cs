namespace RaftMq.Kafka.Wire;

/// <summary>What a message's schema says of the whole of it.</summary>
public sealed class MessageSchema
{
    public MessageSchema(string name, ApiKey? key, int versionMin, int versionMax, int? flexibleFrom)
    {
        Name = name;
        Key = key;
        VersionMin = versionMin;
        VersionMax = versionMax;
        FlexibleFrom = flexibleFrom;
    }

    public string Name { get; }

    /// <summary>Null for a payload that travels inside another message.</summary>
    public ApiKey? Key { get; }

    public int VersionMin { get; }

    public int VersionMax { get; }

    /// <summary>The first version with compact lengths and tagged fields (KIP-482), or null if there is none.</summary>
    public int? FlexibleFrom { get; }

    public bool Has(int version) => version >= VersionMin && version <= VersionMax;

    public bool IsFlexible(int version) => version >= FlexibleFrom;

    /// <exception cref="ArgumentOutOfRangeException">There is no such version: the caller did not negotiate.</exception>
    public void Require(int version)
    {
        if (!Has(version))
        {
            throw new ArgumentOutOfRangeException(
                nameof(version), version, $"{Name} has versions {VersionMin} to {VersionMax}");
        }
    }
}
