namespace RaftMq.Kafka.Wire;

/// <summary>What is known of each error code.</summary>
public static class KafkaErrors
{
    /// <summary>The protocol's own name, as clients print it.</summary>
    public static string Name(KafkaError error) => error switch
    {
        KafkaError.UnknownServerError => "UNKNOWN_SERVER_ERROR",
        KafkaError.None => "NONE",
        KafkaError.OffsetOutOfRange => "OFFSET_OUT_OF_RANGE",
        KafkaError.CorruptMessage => "CORRUPT_MESSAGE",
        KafkaError.UnknownTopicOrPartition => "UNKNOWN_TOPIC_OR_PARTITION",
        KafkaError.InvalidFetchSize => "INVALID_FETCH_SIZE",
        KafkaError.LeaderNotAvailable => "LEADER_NOT_AVAILABLE",
        KafkaError.NotLeaderOrFollower => "NOT_LEADER_OR_FOLLOWER",
        KafkaError.RequestTimedOut => "REQUEST_TIMED_OUT",
        KafkaError.BrokerNotAvailable => "BROKER_NOT_AVAILABLE",
        KafkaError.ReplicaNotAvailable => "REPLICA_NOT_AVAILABLE",
        KafkaError.MessageTooLarge => "MESSAGE_TOO_LARGE",
        KafkaError.StaleControllerEpoch => "STALE_CONTROLLER_EPOCH",
        KafkaError.OffsetMetadataTooLarge => "OFFSET_METADATA_TOO_LARGE",
        KafkaError.NetworkException => "NETWORK_EXCEPTION",
        KafkaError.CoordinatorLoadInProgress => "COORDINATOR_LOAD_IN_PROGRESS",
        KafkaError.CoordinatorNotAvailable => "COORDINATOR_NOT_AVAILABLE",
        KafkaError.NotCoordinator => "NOT_COORDINATOR",
        KafkaError.InvalidTopic => "INVALID_TOPIC_EXCEPTION",
        KafkaError.RecordListTooLarge => "RECORD_LIST_TOO_LARGE",
        KafkaError.NotEnoughReplicas => "NOT_ENOUGH_REPLICAS",
        KafkaError.NotEnoughReplicasAfterAppend => "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
        KafkaError.InvalidRequiredAcks => "INVALID_REQUIRED_ACKS",
        KafkaError.IllegalGeneration => "ILLEGAL_GENERATION",
        KafkaError.InconsistentGroupProtocol => "INCONSISTENT_GROUP_PROTOCOL",
        KafkaError.InvalidGroupId => "INVALID_GROUP_ID",
        KafkaError.UnknownMemberId => "UNKNOWN_MEMBER_ID",
        KafkaError.InvalidSessionTimeout => "INVALID_SESSION_TIMEOUT",
        KafkaError.RebalanceInProgress => "REBALANCE_IN_PROGRESS",
        KafkaError.InvalidCommitOffsetSize => "INVALID_COMMIT_OFFSET_SIZE",
        KafkaError.TopicAuthorizationFailed => "TOPIC_AUTHORIZATION_FAILED",
        KafkaError.GroupAuthorizationFailed => "GROUP_AUTHORIZATION_FAILED",
        KafkaError.ClusterAuthorizationFailed => "CLUSTER_AUTHORIZATION_FAILED",
        KafkaError.InvalidTimestamp => "INVALID_TIMESTAMP",
        KafkaError.UnsupportedSaslMechanism => "UNSUPPORTED_SASL_MECHANISM",
        KafkaError.IllegalSaslState => "ILLEGAL_SASL_STATE",
        KafkaError.UnsupportedVersion => "UNSUPPORTED_VERSION",
        KafkaError.TopicAlreadyExists => "TOPIC_ALREADY_EXISTS",
        KafkaError.InvalidPartitions => "INVALID_PARTITIONS",
        KafkaError.InvalidReplicationFactor => "INVALID_REPLICATION_FACTOR",
        KafkaError.InvalidReplicaAssignment => "INVALID_REPLICA_ASSIGNMENT",
        KafkaError.InvalidConfig => "INVALID_CONFIG",
        KafkaError.NotController => "NOT_CONTROLLER",
        KafkaError.InvalidRequest => "INVALID_REQUEST",
        KafkaError.UnsupportedForMessageFormat => "UNSUPPORTED_FOR_MESSAGE_FORMAT",
        KafkaError.PolicyViolation => "POLICY_VIOLATION",
        KafkaError.OutOfOrderSequenceNumber => "OUT_OF_ORDER_SEQUENCE_NUMBER",
        KafkaError.DuplicateSequenceNumber => "DUPLICATE_SEQUENCE_NUMBER",
        KafkaError.InvalidProducerEpoch => "INVALID_PRODUCER_EPOCH",
        KafkaError.InvalidTxnState => "INVALID_TXN_STATE",
        KafkaError.InvalidProducerIdMapping => "INVALID_PRODUCER_ID_MAPPING",
        KafkaError.InvalidTransactionTimeout => "INVALID_TRANSACTION_TIMEOUT",
        KafkaError.ConcurrentTransactions => "CONCURRENT_TRANSACTIONS",
        KafkaError.TransactionCoordinatorFenced => "TRANSACTION_COORDINATOR_FENCED",
        KafkaError.TransactionalIdAuthorizationFailed => "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
        KafkaError.SecurityDisabled => "SECURITY_DISABLED",
        KafkaError.OperationNotAttempted => "OPERATION_NOT_ATTEMPTED",
        KafkaError.KafkaStorageError => "KAFKA_STORAGE_ERROR",
        KafkaError.LogDirNotFound => "LOG_DIR_NOT_FOUND",
        KafkaError.SaslAuthenticationFailed => "SASL_AUTHENTICATION_FAILED",
        KafkaError.UnknownProducerId => "UNKNOWN_PRODUCER_ID",
        KafkaError.ReassignmentInProgress => "REASSIGNMENT_IN_PROGRESS",
        KafkaError.NonEmptyGroup => "NON_EMPTY_GROUP",
        KafkaError.GroupIdNotFound => "GROUP_ID_NOT_FOUND",
        KafkaError.FetchSessionIdNotFound => "FETCH_SESSION_ID_NOT_FOUND",
        KafkaError.InvalidFetchSessionEpoch => "INVALID_FETCH_SESSION_EPOCH",
        KafkaError.ListenerNotFound => "LISTENER_NOT_FOUND",
        KafkaError.TopicDeletionDisabled => "TOPIC_DELETION_DISABLED",
        KafkaError.FencedLeaderEpoch => "FENCED_LEADER_EPOCH",
        KafkaError.UnknownLeaderEpoch => "UNKNOWN_LEADER_EPOCH",
        KafkaError.UnsupportedCompressionType => "UNSUPPORTED_COMPRESSION_TYPE",
        KafkaError.StaleBrokerEpoch => "STALE_BROKER_EPOCH",
        KafkaError.OffsetNotAvailable => "OFFSET_NOT_AVAILABLE",
        KafkaError.MemberIdRequired => "MEMBER_ID_REQUIRED",
        KafkaError.PreferredLeaderNotAvailable => "PREFERRED_LEADER_NOT_AVAILABLE",
        KafkaError.GroupMaxSizeReached => "GROUP_MAX_SIZE_REACHED",
        KafkaError.FencedInstanceId => "FENCED_INSTANCE_ID",
        KafkaError.EligibleLeadersNotAvailable => "ELIGIBLE_LEADERS_NOT_AVAILABLE",
        KafkaError.ElectionNotNeeded => "ELECTION_NOT_NEEDED",
        KafkaError.NoReassignmentInProgress => "NO_REASSIGNMENT_IN_PROGRESS",
        KafkaError.GroupSubscribedToTopic => "GROUP_SUBSCRIBED_TO_TOPIC",
        KafkaError.InvalidRecord => "INVALID_RECORD",
        KafkaError.UnstableOffsetCommit => "UNSTABLE_OFFSET_COMMIT",
        KafkaError.ThrottlingQuotaExceeded => "THROTTLING_QUOTA_EXCEEDED",
        KafkaError.ProducerFenced => "PRODUCER_FENCED",
        KafkaError.ResourceNotFound => "RESOURCE_NOT_FOUND",
        KafkaError.DuplicateResource => "DUPLICATE_RESOURCE",
        KafkaError.UnacceptableCredential => "UNACCEPTABLE_CREDENTIAL",
        KafkaError.UnknownTopicId => "UNKNOWN_TOPIC_ID",
        KafkaError.InconsistentTopicId => "INCONSISTENT_TOPIC_ID",
        KafkaError.InconsistentClusterId => "INCONSISTENT_CLUSTER_ID",
        KafkaError.TransactionalIdNotFound => "TRANSACTIONAL_ID_NOT_FOUND",
        KafkaError.FetchSessionTopicIdError => "FETCH_SESSION_TOPIC_ID_ERROR",
        KafkaError.NewLeaderElected => "NEW_LEADER_ELECTED",
        KafkaError.FencedMemberEpoch => "FENCED_MEMBER_EPOCH",
        KafkaError.UnreleasedInstanceId => "UNRELEASED_INSTANCE_ID",
        KafkaError.UnsupportedAssignor => "UNSUPPORTED_ASSIGNOR",
        KafkaError.StaleMemberEpoch => "STALE_MEMBER_EPOCH",
        KafkaError.MismatchedEndpointType => "MISMATCHED_ENDPOINT_TYPE",
        KafkaError.UnsupportedEndpointType => "UNSUPPORTED_ENDPOINT_TYPE",
        KafkaError.UnknownControllerId => "UNKNOWN_CONTROLLER_ID",
        KafkaError.TransactionAbortable => "TRANSACTION_ABORTABLE",
        KafkaError.InvalidRegularExpression => "INVALID_REGULAR_EXPRESSION",
        _ => $"ERROR_{(short)error}",
    };

    /// <summary>Whether a client may send the same request again, to the same or a newly found broker, and hope.</summary>
    public static bool IsRetriable(KafkaError error) => error
        is KafkaError.CorruptMessage
        or KafkaError.UnknownTopicOrPartition
        or KafkaError.LeaderNotAvailable
        or KafkaError.NotLeaderOrFollower
        or KafkaError.RequestTimedOut
        or KafkaError.ReplicaNotAvailable
        or KafkaError.NetworkException
        or KafkaError.CoordinatorLoadInProgress
        or KafkaError.CoordinatorNotAvailable
        or KafkaError.NotCoordinator
        or KafkaError.NotEnoughReplicas
        or KafkaError.NotEnoughReplicasAfterAppend
        or KafkaError.NotController
        or KafkaError.ConcurrentTransactions
        or KafkaError.KafkaStorageError
        or KafkaError.FetchSessionIdNotFound
        or KafkaError.InvalidFetchSessionEpoch
        or KafkaError.ListenerNotFound
        or KafkaError.FencedLeaderEpoch
        or KafkaError.UnknownLeaderEpoch
        or KafkaError.OffsetNotAvailable
        or KafkaError.PreferredLeaderNotAvailable
        or KafkaError.EligibleLeadersNotAvailable
        or KafkaError.ElectionNotNeeded
        or KafkaError.UnstableOffsetCommit
        or KafkaError.ThrottlingQuotaExceeded
        or KafkaError.UnknownTopicId
        or KafkaError.InconsistentTopicId
        or KafkaError.FetchSessionTopicIdError;
}
