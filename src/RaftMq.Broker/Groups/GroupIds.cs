namespace RaftMq.Broker.Groups;

/// <summary>The name of a consumer group as its users chose it. Ordered by ordinal comparison.</summary>
public readonly record struct ConsumerGroupId(string Value) : IComparable<ConsumerGroupId>
{
    public int CompareTo(ConsumerGroupId other) => string.CompareOrdinal(Value, other.Value);

    public override string ToString() => Value;
}

/// <summary>The name the coordinator gave a member of a consumer group. It is void once the member has left or was replaced.</summary>
public readonly record struct MemberId(string Value) : IComparable<MemberId>
{
    /// <summary>"I have none yet" in a join, "I am no member" in an offset commit.</summary>
    public static readonly MemberId None = new("");

    public bool IsNone => string.IsNullOrEmpty(Value);

    public int CompareTo(MemberId other) => string.CompareOrdinal(Value, other.Value);

    public override string ToString() => Value;
}

/// <summary>
/// The name an operator gave one consumer process (KIP-345, static membership). A process that comes back with the same one takes
/// over its old place in the group; the member id that held it before is fenced.
/// </summary>
public readonly record struct InstanceId(string Value)
{
    public override string ToString() => Value;
}

/// <summary>
/// The number of a finished rebalance. It grows by one each time and is durable before any member hears of it, so no two
/// rebalances of a group ever share one, also across coordinators.
/// </summary>
public readonly record struct Generation(int Value)
{
    /// <summary>"I am no member" in an offset commit.</summary>
    public static readonly Generation None = new(-1);

    /// <summary>A group before its first rebalance.</summary>
    public static readonly Generation Zero;

    public Generation Next => new(checked(Value + 1));

    public override string ToString() => $"g{Value}";
}

/// <summary>A partition of a topic by name. Ordered by topic (ordinal), then partition.</summary>
public readonly record struct OffsetKey(string Topic, int Partition) : IComparable<OffsetKey>
{
    public int CompareTo(OffsetKey other)
    {
        int byTopic = string.CompareOrdinal(Topic, other.Topic);
        return byTopic != 0 ? byTopic : Partition.CompareTo(other.Partition);
    }

    public override string ToString() => $"{Topic}-{Partition}";
}
