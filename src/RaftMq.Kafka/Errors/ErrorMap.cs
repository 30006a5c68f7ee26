using RaftMq.Broker.Controller;
using RaftMq.Broker.Groups;
using RaftMq.Broker.Partitions;
using RaftMq.Kafka.Wire;
using RaftMq.Records;

namespace RaftMq.Kafka.Errors;

/// <summary>
/// The broker's outcomes in the protocol's error codes. Total over the closed types: a new outcome does not compile away, it fails a test
/// and, reached in production, is a bug. What a client does with each code is in docs/kafka.md.
/// </summary>
internal static class ErrorMap
{
    public static KafkaError Of(ProduceOutcome outcome) => outcome switch
    {
        ProduceOutcome.Stored => KafkaError.None,
        ProduceOutcome.NotLeader => KafkaError.NotLeaderOrFollower,
        ProduceOutcome.UnknownPartition => KafkaError.UnknownTopicOrPartition,
        ProduceOutcome.NotEnoughReplicas => KafkaError.NotEnoughReplicas,
        ProduceOutcome.NotEnoughReplicasAfterAppend => KafkaError.NotEnoughReplicasAfterAppend,
        ProduceOutcome.TimedOut => KafkaError.RequestTimedOut,
        ProduceOutcome.OutOfOrderSequence => KafkaError.OutOfOrderSequenceNumber,
        ProduceOutcome.DuplicateSequence => KafkaError.DuplicateSequenceNumber,
        ProduceOutcome.InvalidProducerEpoch => KafkaError.InvalidProducerEpoch,
        ProduceOutcome.UnknownProducerId => KafkaError.UnknownProducerId,
        ProduceOutcome.TooLarge => KafkaError.MessageTooLarge,
        ProduceOutcome.InvalidTimestamp => KafkaError.InvalidTimestamp,
        ProduceOutcome.InvalidRecord => KafkaError.InvalidRecord,

        // Retried by every client, after it looked for another leader: right for a disk that is full for now.
        ProduceOutcome.DiskFull => KafkaError.KafkaStorageError,

        // Leadership is handed over before the node goes: the client finds the next leader.
        ProduceOutcome.Stopping => KafkaError.NotLeaderOrFollower,
        _ => throw Unmapped(outcome),
    };

    public static KafkaError Of(ReadOutcome outcome) => outcome switch
    {
        ReadOutcome.Ok => KafkaError.None,
        ReadOutcome.NotLeader => KafkaError.NotLeaderOrFollower,
        ReadOutcome.UnknownPartition => KafkaError.UnknownTopicOrPartition,
        ReadOutcome.OffsetOutOfRange => KafkaError.OffsetOutOfRange,
        ReadOutcome.FencedLeaderEpoch => KafkaError.FencedLeaderEpoch,
        ReadOutcome.UnknownLeaderEpoch => KafkaError.UnknownLeaderEpoch,
        ReadOutcome.Damaged => KafkaError.KafkaStorageError,
        _ => throw Unmapped(outcome),
    };

    public static KafkaError Of(AdminOutcome outcome) => outcome switch
    {
        AdminOutcome.Done => KafkaError.None,
        AdminOutcome.NotController => KafkaError.NotController,
        AdminOutcome.TopicExists => KafkaError.TopicAlreadyExists,
        AdminOutcome.UnknownTopic => KafkaError.UnknownTopicOrPartition,
        AdminOutcome.UnknownPartition => KafkaError.UnknownTopicOrPartition,
        AdminOutcome.InvalidName => KafkaError.InvalidTopic,
        AdminOutcome.InvalidPartitions => KafkaError.InvalidPartitions,
        AdminOutcome.InvalidReplicationFactor => KafkaError.InvalidReplicationFactor,
        AdminOutcome.InvalidAssignment => KafkaError.InvalidReplicaAssignment,
        AdminOutcome.InvalidConfig => KafkaError.InvalidConfig,
        AdminOutcome.NotEnoughNodes => KafkaError.InvalidReplicationFactor,
        AdminOutcome.NotReplica => KafkaError.ReplicaNotAvailable,
        AdminOutcome.NotLeader => KafkaError.NotLeaderOrFollower,
        AdminOutcome.OffsetOutOfRange => KafkaError.OffsetOutOfRange,
        AdminOutcome.TimedOut => KafkaError.RequestTimedOut,
        AdminOutcome.Refused => KafkaError.PolicyViolation,
        AdminOutcome.NotMoving => KafkaError.NoReassignmentInProgress,
        AdminOutcome.UnknownNode => KafkaError.InvalidRequest,
        AdminOutcome.NotExpected => KafkaError.InvalidRequest,
        _ => throw Unmapped(outcome),
    };

    public static KafkaError Of(GroupRefusal refusal) => refusal switch
    {
        GroupRefusal.NotCoordinator => KafkaError.NotCoordinator,

        // The one code on which every client waits and asks the same coordinator again.
        GroupRefusal.Busy => KafkaError.CoordinatorLoadInProgress,
        GroupRefusal.LimitReached => KafkaError.PolicyViolation,
        GroupRefusal.GroupFull => KafkaError.GroupMaxSizeReached,
        GroupRefusal.InvalidGroupId => KafkaError.InvalidGroupId,
        GroupRefusal.InvalidRequest => KafkaError.InvalidRequest,
        GroupRefusal.InvalidSessionTimeout => KafkaError.InvalidSessionTimeout,
        GroupRefusal.InconsistentProtocol => KafkaError.InconsistentGroupProtocol,
        GroupRefusal.UnknownMember => KafkaError.UnknownMemberId,
        GroupRefusal.FencedInstance => KafkaError.FencedInstanceId,
        GroupRefusal.IllegalGeneration => KafkaError.IllegalGeneration,
        GroupRefusal.RebalanceInProgress => KafkaError.RebalanceInProgress,
        GroupRefusal.TooLarge => KafkaError.InvalidCommitOffsetSize,
        GroupRefusal.GroupNotFound => KafkaError.GroupIdNotFound,
        GroupRefusal.GroupNotEmpty => KafkaError.NonEmptyGroup,
        _ => throw Unmapped(refusal),
    };

    public static KafkaError Of(OffsetCommitOutcome outcome) => outcome switch
    {
        OffsetCommitOutcome.Stored => KafkaError.None,
        OffsetCommitOutcome.MetadataTooLarge => KafkaError.OffsetMetadataTooLarge,
        OffsetCommitOutcome.Invalid => KafkaError.InvalidRequest,
        _ => throw Unmapped(outcome),
    };

    public static KafkaError Of(OffsetDeleteOutcome outcome) => outcome switch
    {
        OffsetDeleteOutcome.Deleted => KafkaError.None,
        OffsetDeleteOutcome.SubscribedToTopic => KafkaError.GroupSubscribedToTopic,
        _ => throw Unmapped(outcome),
    };

    /// <param name="verdict">What the validator found.</param>
    /// <param name="message">For the producer's log; null for a valid batch.</param>
    public static KafkaError Of(RecordBatchVerdict verdict, out string? message)
    {
        switch (verdict)
        {
            case RecordBatchVerdict.Valid:
                message = null;
                return KafkaError.None;
            case RecordBatchVerdict.Corrupt corrupt:
                message = corrupt.Reason;
                return KafkaError.CorruptMessage;
            case RecordBatchVerdict.Invalid invalid:
                message = invalid.Reason;
                return KafkaError.InvalidRecord;
            case RecordBatchVerdict.UnsupportedMagic unsupported:
                message = $"record format {unsupported.Magic} is not stored here; produce with format 2 (Kafka 0.11 and later)";
                return KafkaError.UnsupportedForMessageFormat;
            default:
                throw Unmapped(verdict);
        }
    }

    /// <summary>A case that nobody wrote: a bug of ours.</summary>
    public static ArgumentOutOfRangeException Unmapped(object outcome) =>
        new(nameof(outcome), outcome, "This outcome has no error code.");
}
