namespace RaftMq.Broker.Groups;

/// <summary>How a group coordinator behaves; immutable.</summary>
public sealed record GroupsConfig
{
    /// <summary>
    /// group.initial.rebalance.delay.ms: how long an empty group's first join waits for more members; each further one starts it
    /// anew, up to the rebalance timeout. Half a second lets the processes of one deployment gather, so that they rebalance
    /// once and not once each, and is still short for a person who starts a single consumer and watches.
    /// </summary>
    public int InitialRebalanceDelayMs { get; init; } = 500;

    /// <summary>offsets.retention.minutes, in ms: offsets of a group without members are kept this long (7 days).</summary>
    public long OffsetsRetentionMs { get; init; } = 7L * 24 * 60 * 60 * 1000;

    /// <summary>offsets.retention.check.interval.ms: how often expired offsets are looked for.</summary>
    public long RetentionCheckIntervalMs { get; init; } = 10L * 60 * 1000;

    public GroupLimits Limits { get; init; } = new();
}
