namespace RaftMq.Broker.Groups;

/// <summary>Store how far a group has got. By a member with its generation, or by a user of a group without members.</summary>
public sealed record OffsetCommitRequest
{
    public required ConsumerGroupId Group { get; init; }

    /// <summary><see cref="Generation.None"/> with <see cref="MemberId.None"/> for one who is no member.</summary>
    public required Generation Generation { get; init; }

    public required MemberId Member { get; init; }

    public InstanceId? Instance { get; init; }

    public required OffsetToCommit[] Offsets { get; init; }
}

/// <param name="TopicId">The topic's incarnation; zero when unknown.</param>
/// <param name="Offset">The next offset to consume.</param>
/// <param name="LeaderEpoch">The leader epoch of the last consumed record; -1 when unknown.</param>
/// <param name="Metadata">Free text of the consumer.</param>
public readonly record struct OffsetToCommit(
    string Topic, UInt128 TopicId, int Partition, long Offset, int LeaderEpoch, string Metadata);

/// <summary>The answer to an <see cref="OffsetCommitRequest"/>.</summary>
public abstract record OffsetCommitResult
{
    private OffsetCommitResult()
    {
    }

    /// <summary>Per offset, in the order of the request. Those <see cref="OffsetCommitOutcome.Stored"/> are durable on a majority.</summary>
    public sealed record Committed(OffsetCommitOutcome[] Offsets) : OffsetCommitResult;

    /// <summary>Nothing was stored; after <see cref="GroupRefusal.NotCoordinator"/> it may have been.</summary>
    public sealed record Refused(GroupRefusal Reason) : OffsetCommitResult;
}

public enum OffsetCommitOutcome
{
    Stored,

    /// <summary>The text is longer than <see cref="GroupLimits.CommitMetadataBytesMax"/>.</summary>
    MetadataTooLarge,

    /// <summary>Topic name, partition or offset is out of range.</summary>
    Invalid,
}
