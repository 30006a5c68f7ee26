namespace RaftMq.Broker.Groups;

/// <summary>Read how far a group has got.</summary>
public sealed record OffsetFetchRequest
{
    public required ConsumerGroupId Group { get; init; }

    /// <summary>Null: all offsets the group has.</summary>
    public required OffsetToFetch[]? Offsets { get; init; }
}

/// <param name="TopicId">The topic's present incarnation, zero when unknown: offsets of an earlier one are not given .</param>
public readonly record struct OffsetToFetch(string Topic, UInt128 TopicId, int Partition);

/// <summary>The answer to an <see cref="OffsetFetchRequest"/>. A group nobody knows has no offsets; that is no error.</summary>
public abstract record OffsetFetchResult
{
    private OffsetFetchResult()
    {
    }

    /// <summary>In the order of the request (or sorted when all were asked for). Linearizable: it includes every commit that was
    /// acknowledged before the request came.</summary>
    public sealed record Fetched(FetchedOffset[] Offsets) : OffsetFetchResult;

    public sealed record Refused(GroupRefusal Reason) : OffsetFetchResult;
}

/// <param name="Committed">Null when there is none.</param>
public readonly record struct FetchedOffset(OffsetKey Key, CommittedOffset? Committed);
