namespace RaftMq.Broker.Groups;

/// <summary>Forget offsets of a group.</summary>
public sealed record OffsetDeleteRequest
{
    public required ConsumerGroupId Group { get; init; }

    public required OffsetKey[] Offsets { get; init; }
}

/// <summary>The answer to an <see cref="OffsetDeleteRequest"/>.</summary>
public abstract record OffsetDeleteResult
{
    private OffsetDeleteResult()
    {
    }

    /// <summary>Per offset, in the order of the request; an offset that was not there counts as deleted.</summary>
    public sealed record Deleted(OffsetDeleteOutcome[] Offsets) : OffsetDeleteResult;

    public sealed record Refused(GroupRefusal Reason) : OffsetDeleteResult;
}

public enum OffsetDeleteOutcome
{
    Deleted,

    /// <summary>A member of the group subscribes to the topic, so the offset is in use and stays.</summary>
    SubscribedToTopic,
}
