namespace RaftMq.Broker.Groups;

/// <summary>What the log of an offsets partition says. Applying one cannot fail: refusals were decided before it was proposed.</summary>
public abstract record GroupEntry
{
    private GroupEntry()
    {
    }

    /// <summary>Offsets of a group, the group beginning to exist with them if need be.</summary>
    public sealed record OffsetsCommitted(ConsumerGroupId Group, KeyValuePair<OffsetKey, CommittedOffset>[] Offsets) : GroupEntry;

    /// <summary>Offsets forgotten, by request or because their retention ended. Keys that are not there are ignored.</summary>
    public sealed record OffsetsDeleted(ConsumerGroupId Group, OffsetKey[] Offsets) : GroupEntry;

    /// <summary>A group's membership, whole.</summary>
    public sealed record GroupChanged(ConsumerGroupId Group, GroupRecord Record) : GroupEntry;

    /// <summary>A group and its offsets gone.</summary>
    public sealed record GroupDeleted(ConsumerGroupId Group) : GroupEntry;

    /// <summary>
    /// The offsets of a deleted topic gone, in all groups: those of this incarnation and those of an unknown one; all of that name when
    /// the incarnation is zero.
    /// </summary>
    public sealed record TopicOffsetsDeleted(string Topic, UInt128 TopicId) : GroupEntry;
}
