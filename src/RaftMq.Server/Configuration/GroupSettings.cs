namespace RaftMq.Server.Configuration;

/// <summary>Consumer groups; Kafka's names.</summary>
internal sealed record GroupSettings
{
    [Setting("group.initial.rebalance.delay", "How long an empty group's first member waits for more.", Min = 0)]
    public TimeSpan InitialRebalanceDelay { get; init; } = TimeSpan.FromMilliseconds(500);

    [Setting("offsets.retention", "How long the offsets of a group without members are kept.", Min = 60_000)]
    public TimeSpan OffsetsRetention { get; init; } = TimeSpan.FromDays(7);
}
