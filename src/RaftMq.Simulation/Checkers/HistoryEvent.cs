using RaftMq.Broker.Partitions;
using RaftMq.Raft;

namespace RaftMq.Simulation.Checkers;

/// <summary>
/// Something that was observed from outside of the cluster, or by looking inside where a promise is about the inside. The checkers know
/// nothing else.
/// </summary>
public abstract record HistoryEvent
{
    private HistoryEvent()
    {
    }

    /// <summary>The nodes that exist.</summary>
    public sealed record ClusterFormed(IReadOnlyList<NodeId> Nodes) : HistoryEvent;

    /// <param name="MinInSync">The topic's min.insync.replicas.</param>
    public sealed record PartitionCreated(GroupId Group, string Name, IReadOnlyList<NodeId> Voters, int MinInSync) : HistoryEvent;

    /// <summary>The partition is being deleted: nothing is promised of it any more.</summary>
    public sealed record PartitionDeleted(GroupId Group) : HistoryEvent;

    /// <summary>A client is about to send a batch for the first time.</summary>
    /// <param name="Producer">Of an idempotent producer; -1 otherwise.</param>
    public sealed record SendStarted(GroupId Group, Mark Mark, int Count, long Producer, int BaseSequence) : HistoryEvent;

    /// <summary>The acknowledgement leaves the node; whether it reaches the client is another matter.</summary>
    public sealed record SendAcked(GroupId Group, Mark Mark, int Count, long BaseOffset, NodeId By) : HistoryEvent;

    /// <summary>An answer to a consumer leaves the node.</summary>
    public sealed record BatchesRead(
        GroupId Group, NodeId By, long From, ReadOutcome Outcome, long HighWatermark, long LogStart, IReadOnlyList<SeenBatch> Batches)
        : HistoryEvent;

    /// <summary>A whole partition, read from its leader when all is over.</summary>
    public sealed record LogRead(GroupId Group, long LogStart, long HighWatermark, IReadOnlyList<SeenBatch> Batches) : HistoryEvent;

    /// <summary>A client is about to ask that everything before an offset goes.</summary>
    public sealed record DeleteRecordsStarted(GroupId Group, long Before) : HistoryEvent;

    public sealed record CommitStarted(string Consumers, GroupId Partition, long Offset, Mark Mark) : HistoryEvent;

    /// <summary>The answer "stored" to an offset commit leaves the node.</summary>
    public sealed record CommitAcked(string Consumers, GroupId Partition, long Offset, Mark Mark) : HistoryEvent;

    public sealed record OffsetFetchStarted(string Consumers, GroupId Partition, long Request) : HistoryEvent;

    /// <param name="Offset">-1: the group has none there.</param>
    /// <param name="Request">As in <see cref="OffsetFetchStarted"/>.</param>
    public sealed record OffsetFetched(string Consumers, GroupId Partition, long Offset, long Request) : HistoryEvent;

    /// <summary>The cluster gave out a block of producer ids.</summary>
    public sealed record ProducerIdsGiven(long First, int Count) : HistoryEvent;

    /// <summary>The answer "done" to an administrative request that carried a mark leaves the node.</summary>
    public sealed record ChangeAcked(string What, Mark Mark) : HistoryEvent;

    /// <summary>A sync returned, and the disk, were its power cut now, would keep the bytes that hold this mark, whole.</summary>
    /// <param name="BaseOffset">The base offset that the batch has in those bytes; -1 for marks that are no batches.</param>
    public sealed record MarkDurable(NodeId Node, Mark Mark, long BaseOffset) : HistoryEvent;

    /// <summary>A node acts as the leader of a term.</summary>
    public sealed record LeaderSeen(GroupId Group, Term Term, NodeId Node) : HistoryEvent;

    /// <summary>An entry travels between nodes.</summary>
    /// <param name="Previous">The term of the entry before it in that log.</param>
    public sealed record EntrySeen(GroupId Group, LogIndex Index, Term Term, Term Previous, uint Checksum) : HistoryEvent;

    /// <summary>A replica considers the entry committed; its own log has this term there.</summary>
    public sealed record EntryCommitted(NodeId Node, GroupId Group, LogIndex Index, Term Term) : HistoryEvent;

    /// <summary>All faults are over; from here on the cluster owes service.</summary>
    public sealed record Healed(long AtUs) : HistoryEvent;

    /// <summary>A batch that was first sent after the healing is acknowledged to its client.</summary>
    public sealed record WrittenAfterHeal(GroupId Group, long AtUs) : HistoryEvent;

    /// <param name="Consumer">A name for a message.</param>
    /// <param name="Group">The partition it follows, while that is not deleted.</param>
    public sealed record ConsumerExpected(string Consumer, GroupId Group) : HistoryEvent;

    /// <summary>A consumer got records that it had not seen, or learnt that there are none.</summary>
    public sealed record ConsumerMoved(string Consumer, long AtUs) : HistoryEvent;

    /// <summary>A replica when all is over and nothing is on its way.</summary>
    public sealed record ReplicaAtEnd(NodeId Node, GroupId Group, LogIndex Commit, long NextOffset) : HistoryEvent;

    /// <summary>The run is over.</summary>
    public sealed record Ended(long AtUs) : HistoryEvent;
}

/// <param name="IsIntact">The batch's bytes are those that were sent.</param>
public readonly record struct SeenBatch(Mark Mark, long BaseOffset, int Count, bool IsIntact)
{
    public long NextOffset => BaseOffset + Count;
}
