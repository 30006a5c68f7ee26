using RaftMq.Broker.Groups;

namespace RaftMq.Kafka.Handlers;

/// <summary>Fields that several group requests share, in the broker's words.</summary>
internal static class GroupFields
{
    public static InstanceId? Instance(string? groupInstanceId) => groupInstanceId is null ? null : new InstanceId(groupInstanceId);

    /// <summary>The names that tools print and filter by.</summary>
    public static string State(GroupPhase phase) => phase switch
    {
        GroupPhase.Empty => "Empty",
        GroupPhase.Syncing => "CompletingRebalance",
        GroupPhase.Stable => "Stable",
        GroupPhase.Joining => "PreparingRebalance",
        _ => throw new ArgumentOutOfRangeException(nameof(phase), phase, "This phase has no name."),
    };

    /// <summary>Of a group that does not exist.</summary>
    public const string DeadState = "Dead";
}
