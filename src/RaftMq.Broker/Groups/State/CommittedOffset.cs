namespace RaftMq.Broker.Groups;

/// <summary>How far a group has got in one partition, as committed.</summary>
/// <param name="Offset">The next offset to consume.</param>
/// <param name="LeaderEpoch">Of the last consumed record; -1 when unknown.</param>
/// <param name="Metadata">Free text of the consumer.</param>
/// <param name="CommittedAtMs">The leader's clock when it took the commit.</param>
/// <param name="TopicId">The incarnation of the topic it speaks of; zero when unknown.</param>
public sealed record CommittedOffset(long Offset, int LeaderEpoch, string Metadata, long CommittedAtMs, UInt128 TopicId)
{
    /// <summary>False when both incarnations are known and differ: a re-created topic does not inherit old offsets .</summary>
    public bool SpeaksOf(UInt128 topicId) => topicId == UInt128.Zero || TopicId == UInt128.Zero || TopicId == topicId;
}
