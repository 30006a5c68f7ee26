using RaftMq.Kafka.Wire.Messages;
using RaftMq.Kafka.Wire.Tests.Codec;

namespace RaftMq.Kafka.Wire.Tests.Golden;

/// <summary>Bytes that did not come from this codec.</summary>
public sealed class GoldenBytesTests
{
    /// <summary>Written by the npm package @platformatic/kafka 1.35.0 with the same content: flexible versions.</summary>
    public static TheoryData<string, int, IKafkaMessage, string> ByPlatformatic =>
    [
        Row(12, new FetchRequest { MaxWaitMs = 500, MinBytes = 1, MaxBytes = 1_048_576, IsolationLevel = 1, SessionId = 7, SessionEpoch = 3, RackId = "rack-a", Topics = [new() { Name = "orders", Partitions = [new() { Index = 2, CurrentLeaderEpoch = 5, FetchOffset = 1_234_567_890_123, LastFetchedEpoch = 4, PartitionMaxBytes = 65_536 }] }] }, "FFFFFFFF000001F4000000010010000001000000070000000302076F72646572730200000002000000050000011F71FB04CB00000004FFFFFFFFFFFFFFFF00010000000001077261636B2D6100"),
        Row(7, new ListOffsetsRequest { IsolationLevel = 1, Topics = [new() { Name = "orders", Partitions = [new() { Index = 2, CurrentLeaderEpoch = 5, Timestamp = -3 }] }] }, "FFFFFFFF0102076F7264657273020000000200000005FFFFFFFFFFFFFFFD000000"),
        Row(12, new MetadataRequest { Topics = [new() { Name = "orders" }, new() { Name = "größe" }], AllowAutoTopicCreation = true, IncludeTopicAuthorizedOperations = true }, "0300000000000000000000000000000000076F72646572730000000000000000000000000000000000086772C3B6C39F6500010100"),
        Row(9, new OffsetCommitRequest { GroupId = "group", GenerationId = 3, MemberId = "member", GroupInstanceId = "instance", Topics = [new() { Name = "orders", Partitions = [new() { Index = 2, CommittedOffset = 99, CommittedLeaderEpoch = 5, Metadata = "note" }] }] }, "0667726F757000000003076D656D62657209696E7374616E636502076F72646572730200000002000000000000006300000005056E6F7465000000"),
        Row(9, new OffsetFetchRequest { Groups = [new() { GroupId = "group", MemberId = "member", MemberEpoch = 3, Topics = [new() { Name = "orders", Partitions = [0, 2] }] }], RequireStable = true }, "020667726F7570076D656D6265720000000302076F726465727303000000000000000200000100"),
        Row(4, new FindCoordinatorRequest { KeyType = 1, CoordinatorKeys = ["a", "b"] }, "01030261026200"),
        Row(9, new JoinGroupRequest { GroupId = "group", SessionTimeoutMs = 10_000, RebalanceTimeoutMs = 60_000, ProtocolType = "consumer", Protocols = [new() { Name = "range", Metadata = [1, 2, 3] }], Reason = "why" }, "0667726F7570000027100000EA60010009636F6E73756D6572020672616E676504010203000477687900"),
        Row(4, new HeartbeatRequest { GroupId = "group", GenerationId = 3, MemberId = "member" }, "0667726F757000000003076D656D6265720000"),
        Row(5, new LeaveGroupRequest { GroupId = "group", Members = [new() { MemberId = "m1", GroupInstanceId = "i1", Reason = "bye" }, new() { MemberId = "m2" }] }, "0667726F757003036D310369310462796500036D3200000000"),
        Row(5, new SyncGroupRequest { GroupId = "group", GenerationId = 3, MemberId = "member", ProtocolType = "consumer", ProtocolName = "range", Assignments = [new() { MemberId = "member", Assignment = [1, 2] }] }, "0667726F757000000003076D656D6265720009636F6E73756D65720672616E676502076D656D6265720301020000"),
        Row(3, new ApiVersionsRequest { ClientSoftwareName = "client", ClientSoftwareVersion = "1.2" }, "07636C69656E7404312E3200"),
        Row(7, new CreateTopicsRequest { Topics = [new() { Name = "orders", NumPartitions = 4, ReplicationFactor = 3, Assignments = [new() { Index = 0, BrokerIds = [1, 2] }], Configs = [new() { Name = "retention.ms", Value = "1000" }] }], TimeoutMs = 5000, ValidateOnly = true }, "02076F7264657273000000040003020000000003000000010000000200020D726574656E74696F6E2E6D7305313030300000000013880100"),
        Row(6, new DeleteTopicsRequest { Topics = [new() { Name = "orders", TopicId = new Guid("00112233-4455-6677-8899-aabbccddeeff") }], TimeoutMs = 5000 }, "02076F726465727300112233445566778899AABBCCDDEEFF000000138800"),
        Row(5, new InitProducerIdRequest { TransactionalId = "tx", TransactionTimeoutMs = 60_000, ProducerId = 77, ProducerEpoch = 2 }, "0374780000EA60000000000000004D000200"),
        Row(5, new DescribeGroupsRequest { Groups = ["a", "b"], IncludeAuthorizedOperations = true }, "03026102620100"),
        Row(4, new ListGroupsRequest { StatesFilter = ["Stable"] }, "0207537461626C6500"),
        Row(4, new DescribeConfigsRequest { Resources = [new() { ResourceType = 2, ResourceName = "orders", ConfigurationKeys = ["retention.ms"] }], IncludeSynonyms = true, IncludeDocumentation = true }, "0202076F7264657273020D726574656E74696F6E2E6D7300010100"),
        Row(1, new IncrementalAlterConfigsRequest { Resources = [new() { ResourceType = 2, ResourceName = "orders", Configs = [new() { Name = "retention.ms", ConfigOperation = 1 }] }], ValidateOnly = true }, "0202076F7264657273020D726574656E74696F6E2E6D73010000000100"),
        Row(2, new AlterConfigsRequest { Resources = [new() { ResourceType = 2, ResourceName = "orders", Configs = [new() { Name = "retention.ms", Value = "5" }] }], ValidateOnly = true }, "0202076F7264657273020D726574656E74696F6E2E6D73023500000100"),
        Row(3, new CreatePartitionsRequest { Topics = [new() { Name = "orders", Count = 8, Assignments = [new() { BrokerIds = [1, 2] }] }], TimeoutMs = 5000, ValidateOnly = true }, "02076F726465727300000008020300000001000000020000000013880100"),
        Row(0, new AlterPartitionReassignmentsRequest { TimeoutMs = 5000, Topics = [new() { Name = "orders", Partitions = [new() { Index = 2, Replicas = [1, 2] }, new() { Index = 3, Replicas = null }] }] }, "0000138802076F72646572730300000002030000000100000002000000000300000000"),
        Row(0, new ListPartitionReassignmentsRequest { TimeoutMs = 5000, Topics = [new() { Name = "orders", PartitionIndexes = [2] }] }, "0000138802076F726465727302000000020000"),
        Row(2, new ElectLeadersRequest { ElectionType = 0, TopicPartitions = [new() { Name = "orders", Partitions = [2] }], TimeoutMs = 5000 }, "0002076F72646572730200000002000000138800"),
        Row(2, new DeleteGroupsRequest { GroupNames = ["a", "b"] }, "030261026200"),
        Row(2, new DeleteRecordsRequest { TimeoutMs = 5000, Topics = [new() { Name = "orders", Partitions = [new() { Index = 2, Offset = 99 }] }] }, "02076F72646572730200000002000000000000006300000000138800"),
        Row(4, new OffsetForLeaderEpochRequest { ReplicaId = -1, Topics = [new() { Name = "orders", Partitions = [new() { Index = 2, CurrentLeaderEpoch = 5, LeaderEpoch = 4 }] }] }, "FFFFFFFF02076F726465727302000000020000000500000004000000"),
        Row(1, new DescribeClusterRequest { IncludeClusterAuthorizedOperations = true }, "010100"),
        Row(0, new OffsetDeleteRequest { GroupId = "group", Topics = [new() { Name = "orders", Partitions = [new() { Index = 2 }] }] }, "000567726F75700000000100066F72646572730000000100000002"),
    ];

    /// <summary>
    /// Written by kafka-python 2.0.2 (Debian's python3-kafka) with the same content: the versions before the flexible ones. Its ListOffsets 4
    /// and 5 have an epoch of 64 bits, which brokers do not, so they are not here.
    /// </summary>
    public static TheoryData<string, int, IKafkaMessage, string> ByKafkaPython =>
    [
        Row(7, new ProduceRequest { TransactionalId = "tx", Acks = -1, TimeoutMs = 1500, Topics = [new() { Name = "orders", Partitions = [new() { Index = 2, Records = new RecordBytes(new byte[] { 1, 2, 3 }) }] }] }, "00027478FFFF000005DC0000000100066F7264657273000000010000000200000003010203"),
        Row(2, new ProduceRequest { TransactionalId = "not in this version", Acks = 1, TimeoutMs = 1500, Topics = [new() { Name = "orders", Partitions = [new() { Index = 2, Records = new RecordBytes(new byte[] { 1, 2, 3 }) }] }] }, "0001000005DC0000000100066F7264657273000000010000000200000003010203"),
        Row(1, new ProduceResponse { ThrottleTimeMs = 11, Topics = [new() { Name = "orders", Partitions = [new() { Index = 2, BaseOffset = 99 }] }] }, "0000000100066F72646572730000000100000002000000000000000000630000000B"),
        Row(4, new FetchRequest { MaxWaitMs = 500, MinBytes = 1, MaxBytes = 1_048_576, IsolationLevel = 1, SessionId = 7, Topics = [new() { Name = "orders", Partitions = [new() { Index = 2, FetchOffset = 1_234_567_890_123, PartitionMaxBytes = 65_536 }] }] }, "FFFFFFFF000001F40000000100100000010000000100066F726465727300000001000000020000011F71FB04CB00010000"),
        Row(11, new FetchResponse { ThrottleTimeMs = 11, SessionId = 7, Topics = [new() { Name = "orders", Partitions = [new() { Index = 2, HighWatermark = 100, LastStableOffset = 90, LogStartOffset = 5, AbortedTransactions = [new() { ProducerId = 77, FirstOffset = 80 }], Records = new RecordBytes([new byte[] { 1 }, new byte[] { 2, 3 }]) }] }] }, "0000000B0000000000070000000100066F7264657273000000010000000200000000000000000064000000000000005A000000000000000500000001000000000000004D0000000000000050FFFFFFFF00000003010203"),
        Row(4, new FetchResponse { ThrottleTimeMs = 11, SessionId = 7, Topics = [new() { Name = "orders", Partitions = [new() { Index = 2, HighWatermark = 100, LastStableOffset = 90, LogStartOffset = 5, AbortedTransactions = [new() { ProducerId = 77, FirstOffset = 80 }], Records = new RecordBytes([new byte[] { 1 }, new byte[] { 2, 3 }]) }] }] }, "0000000B0000000100066F7264657273000000010000000200000000000000000064000000000000005A00000001000000000000004D000000000000005000000003010203"),
        Row(0, new ListOffsetsRequest { Topics = [new() { Name = "orders", Partitions = [new() { Index = 2, Timestamp = -1 }] }] }, "FFFFFFFF0000000100066F72646572730000000100000002FFFFFFFFFFFFFFFF00000001"),
        Row(0, new ListOffsetsResponse { Topics = [new() { Name = "orders", Partitions = [new() { Index = 2, Offsets = [99, 0] }] }] }, "0000000100066F7264657273000000010000000200000000000200000000000000630000000000000000"),
        Row(5, new ListOffsetsResponse { ThrottleTimeMs = 11, Topics = [new() { Name = "orders", Partitions = [new() { Index = 2, Timestamp = 123, Offset = 99, LeaderEpoch = 5 }] }] }, "0000000B0000000100066F726465727300000001000000020000000000000000007B000000000000006300000005"),
        Row(0, new MetadataRequest { Topics = [new() { Name = "orders" }] }, "0000000100066F7264657273"),
        Row(5, new MetadataRequest { Topics = null, AllowAutoTopicCreation = true }, "FFFFFFFF01"),
        Row(0, new MetadataResponse { Brokers = [new() { NodeId = 1, Host = "h", Port = 9092 }], Topics = [new() { Name = "orders", Partitions = [new() { Index = 2, LeaderId = 1, ReplicaNodes = [1, 3], IsrNodes = [1] }] }] }, "00000001000000010001680000238400000001000000066F726465727300000001000000000002000000010000000200000001000000030000000100000001"),
        Row(5, new MetadataResponse { ThrottleTimeMs = 11, Brokers = [new() { NodeId = 1, Host = "h", Port = 9092, Rack = "r" }], ClusterId = "cid", ControllerId = 1, Topics = [new() { Name = "orders", IsInternal = true, Partitions = [new() { Index = 2, LeaderId = 1, ReplicaNodes = [1, 3], IsrNodes = [1], OfflineReplicas = [3] }] }] }, "0000000B00000001000000010001680000238400017200036369640000000100000001000000066F726465727301000000010000000000020000000100000002000000010000000300000001000000010000000100000003"),
        Row(2, new OffsetCommitRequest { GroupId = "group", GenerationId = 3, MemberId = "member", Topics = [new() { Name = "orders", Partitions = [new() { Index = 2, CommittedOffset = 99, Metadata = "note" }] }] }, "000567726F75700000000300066D656D626572FFFFFFFFFFFFFFFF0000000100066F72646572730000000100000002000000000000006300046E6F7465"),
        Row(1, new OffsetCommitRequest { GroupId = "group", GenerationId = 3, MemberId = "member", Topics = [new() { Name = "orders", Partitions = [new() { Index = 2, CommittedOffset = 99, CommitTimestamp = 123, Metadata = "note" }] }] }, "000567726F75700000000300066D656D6265720000000100066F726465727300000001000000020000000000000063000000000000007B00046E6F7465"),
        Row(3, new OffsetCommitResponse { ThrottleTimeMs = 11, Topics = [new() { Name = "orders", Partitions = [new() { Index = 2, Error = KafkaError.IllegalGeneration }] }] }, "0000000B0000000100066F726465727300000001000000020016"),
        Row(1, new OffsetFetchRequest { GroupId = "group", Topics = [new() { Name = "orders", Partitions = [0, 2] }] }, "000567726F75700000000100066F7264657273000000020000000000000002"),
        Row(3, new OffsetFetchResponse { ThrottleTimeMs = 11, Error = KafkaError.CoordinatorLoadInProgress, Topics = [new() { Name = "orders", Partitions = [new() { Index = 2, CommittedOffset = 99, Metadata = "note" }] }] }, "0000000B0000000100066F72646572730000000100000002000000000000006300046E6F74650000000E"),
        Row(0, new FindCoordinatorRequest { Key = "group" }, "000567726F7570"),
        Row(1, new FindCoordinatorRequest { Key = "group" }, "000567726F757000"),
        Row(0, new FindCoordinatorResponse { NodeId = 1, Host = "h", Port = 9092 }, "00000000000100016800002384"),
        Row(2, new JoinGroupRequest { GroupId = "group", SessionTimeoutMs = 10_000, RebalanceTimeoutMs = 60_000, ProtocolType = "consumer", Protocols = [new() { Name = "range", Metadata = [1, 2, 3] }] }, "000567726F7570000027100000EA6000000008636F6E73756D657200000001000572616E676500000003010203"),
        Row(0, new JoinGroupRequest { GroupId = "group", SessionTimeoutMs = 10_000, ProtocolType = "consumer", Protocols = [new() { Name = "range", Metadata = [1, 2, 3] }] }, "000567726F75700000271000000008636F6E73756D657200000001000572616E676500000003010203"),
        Row(2, new JoinGroupResponse { ThrottleTimeMs = 11, GenerationId = 3, ProtocolName = "range", Leader = "m1", MemberId = "m2", Members = [new() { MemberId = "m1", Metadata = [1] }] }, "0000000B000000000003000572616E676500026D3100026D320000000100026D310000000101"),
        Row(1, new SyncGroupRequest { GroupId = "group", GenerationId = 3, MemberId = "member", Assignments = [new() { MemberId = "member", Assignment = [1, 2] }] }, "000567726F75700000000300066D656D6265720000000100066D656D626572000000020102"),
        Row(1, new SyncGroupResponse { ThrottleTimeMs = 11, Error = KafkaError.RebalanceInProgress, Assignment = [1, 2] }, "0000000B001B000000020102"),
        Row(1, new HeartbeatResponse { ThrottleTimeMs = 11, Error = KafkaError.RebalanceInProgress }, "0000000B001B"),
        Row(1, new LeaveGroupRequest { GroupId = "group", MemberId = "member" }, "000567726F757000066D656D626572"),
        Row(0, new ApiVersionsResponse { ApiKeys = [new() { ApiKey = ApiKey.ApiVersions, MaxVersion = 3 }] }, "000000000001001200000003"),
        Row(1, new ApiVersionsResponse { Error = KafkaError.UnsupportedVersion, ThrottleTimeMs = 11, ApiKeys = [new() { ApiKey = ApiKey.ApiVersions, MaxVersion = 3 }] }, "0023000000010012000000030000000B"),
        Row(3, new CreateTopicsRequest { Topics = [new() { Name = "orders", NumPartitions = 4, ReplicationFactor = 3, Assignments = [new() { Index = 0, BrokerIds = [1, 2] }], Configs = [new() { Name = "retention.ms", Value = "1000" }] }], TimeoutMs = 5000, ValidateOnly = true }, "0000000100066F7264657273000000040003000000010000000000000002000000010000000200000001000C726574656E74696F6E2E6D730004313030300000138801"),
        Row(2, new CreateTopicsResponse { ThrottleTimeMs = 11, Topics = [new() { Name = "orders", Error = KafkaError.TopicAlreadyExists, ErrorMessage = "there" }] }, "0000000B0000000100066F7264657273002400057468657265"),
        Row(3, new DeleteTopicsRequest { TopicNames = ["a", "b"], TimeoutMs = 5000 }, "0000000200016100016200001388"),
        Row(1, new DeleteTopicsResponse { ThrottleTimeMs = 11, Responses = [new() { Name = "orders", Error = KafkaError.UnknownTopicOrPartition }] }, "0000000B0000000100066F72646572730003"),
        Row(1, new ListGroupsResponse { ThrottleTimeMs = 11, Groups = [new() { GroupId = "group", ProtocolType = "consumer" }] }, "0000000B000000000001000567726F75700008636F6E73756D6572"),
        Row(2, new DescribeConfigsResponse { ThrottleTimeMs = 11, Results = [new() { ErrorMessage = "", ResourceType = 2, ResourceName = "orders", Configs = [new() { Name = "retention.ms", Value = "5", ConfigSource = 1, IsSensitive = true, Synonyms = [new() { Name = "retention.ms", Value = "6", Source = 5 }] }] }] }, "0000000B00000001000000000200066F726465727300000001000C726574656E74696F6E2E6D7300013500010100000001000C726574656E74696F6E2E6D7300013605"),
        Row(0, new DescribeConfigsResponse { ThrottleTimeMs = 11, Results = [new() { ErrorMessage = "", ResourceType = 2, ResourceName = "orders", Configs = [new() { Name = "retention.ms", Value = "5", ReadOnly = true, IsSensitive = true }] }] }, "0000000B00000001000000000200066F726465727300000001000C726574656E74696F6E2E6D73000135010001"),
        Row(1, new CreatePartitionsRequest { Topics = [new() { Name = "orders", Count = 8, Assignments = [new() { BrokerIds = [1, 2] }] }], TimeoutMs = 5000, ValidateOnly = true }, "0000000100066F726465727300000008000000010000000200000001000000020000138801"),
        Row(1, new DeleteGroupsResponse { ThrottleTimeMs = 11, Results = [new() { GroupId = "group", Error = KafkaError.NonEmptyGroup }] }, "0000000B00000001000567726F75700044"),
    ];

    /// <summary>Put together by hand from the protocol guide, field by field, and the rules of KIP-482 for lengths and tags.</summary>
    public static TheoryData<string, int, IKafkaMessage, string> ByHand =>
    [
        Row(9, new ProduceResponse { ThrottleTimeMs = 11, Topics = [new() { Name = "orders", Partitions = [new() { Index = 2, Error = KafkaError.InvalidRecord, BaseOffset = -1, RecordErrors = [new() { BatchIndex = 1, ErrorMessage = "bad" }], ErrorMessage = "worse" }] }] }, "02076F726465727302000000020057FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF0200000001046261640006776F72736500000000000B00"),
        Row(12, new FetchResponse { ThrottleTimeMs = 11, SessionId = 7, Topics = [new() { Name = "orders", Partitions = [new() { Index = 2, Error = KafkaError.FencedLeaderEpoch, HighWatermark = 100, LastStableOffset = 90, LogStartOffset = 5, CurrentLeader = new() { LeaderId = 3, LeaderEpoch = 9 }, DivergingEpoch = new() { Epoch = 8, EndOffset = 50 }, Records = new RecordBytes(new byte[] { 1, 2, 3 }) }] }] }, "0000000B00000000000702076F72646572730200000002004A0000000000000064000000000000005A000000000000000500FFFFFFFF0401020302000D0000000800000000000000320001090000000300000009000000"),
        Row(12, new MetadataResponse { ThrottleTimeMs = 11, Brokers = [new() { NodeId = 1, Host = "h", Port = 9092 }], ClusterId = "cid", ControllerId = 1, Topics = [new() { Name = "orders", TopicId = new Guid("00112233-4455-6677-8899-aabbccddeeff"), Partitions = [new() { Index = 2, LeaderId = 1, LeaderEpoch = 6, ReplicaNodes = [1, 3], IsrNodes = [1] }] }] }, "0000000B020000000102680000238400000463696400000001020000076F726465727300112233445566778899AABBCCDDEEFF0002000000000002000000010000000603000000010000000302000000010100800000000000"),
        Row(3, new ApiVersionsResponse { ApiKeys = [new() { ApiKey = ApiKey.ApiVersions, MaxVersion = 3 }], SupportedFeatures = [new() { Name = "f", MinVersion = 1, MaxVersion = 2 }], FinalizedFeaturesEpoch = 5 }, "0000020012000000030000000000020008020266000100020001080000000000000005"),
        Row(9, new JoinGroupResponse { ThrottleTimeMs = 11, GenerationId = 3, ProtocolType = "consumer", ProtocolName = "range", Leader = "m1", SkipAssignment = true, MemberId = "m2", Members = [new() { MemberId = "m1", Metadata = [1] }] }, "0000000B00000000000309636F6E73756D65720672616E6765036D3101036D3202036D310002010000"),
        Row(4, new FindCoordinatorResponse { ThrottleTimeMs = 11, Coordinators = [new() { Key = "group", NodeId = 1, Host = "h", Port = 9092, ErrorMessage = "" }] }, "0000000B020667726F7570000000010268000023840000010000"),
        Row(8, new OffsetFetchResponse { ThrottleTimeMs = 11, Groups = [new() { GroupId = "group", Topics = [new() { Name = "orders", Partitions = [new() { Index = 2, CommittedOffset = -1, Metadata = "" }] }] }] }, "0000000B020667726F757002076F72646572730200000002FFFFFFFFFFFFFFFFFFFFFFFF010000000000000000"),
        Row(1, new FindCoordinatorResponse { ThrottleTimeMs = 11, Error = KafkaError.CoordinatorNotAvailable, ErrorMessage = "no", NodeId = 1, Host = "h", Port = 9092 }, "0000000B000F00026E6F0000000100016800002384"),
        Row(1, new ConsumerProtocolSubscription { Topics = ["orders"], UserData = [9], OwnedPartitions = [new() { Name = "orders", Partitions = [2] }] }, "0000000100066F726465727300000001090000000100066F72646572730000000100000002"),
        Row(0, new ConsumerProtocolAssignment { Assigned = [new() { Name = "orders", Partitions = [0, 2] }] }, "0000000100066F7264657273000000020000000000000002FFFFFFFF"),
    ];

    [Theory]
    [MemberData(nameof(ByPlatformatic), DisableDiscoveryEnumeration = true)]
    [MemberData(nameof(ByKafkaPython), DisableDiscoveryEnumeration = true)]
    [MemberData(nameof(ByHand), DisableDiscoveryEnumeration = true)]
    public void Both_ends_agree_with_the_bytes(string name, int version, IKafkaMessage message, string hex)
    {
        Assert.Equal(hex, Convert.ToHexString(AnyMessage.Write(message, version)));
        (IKafkaMessage? read, string? fault, int remaining) = AnyMessage.Named(name).Read(Convert.FromHexString(hex), version);
        Assert.True(read is not null, fault);
        Assert.Equal(0, remaining);
        Assert.Equal(hex, Convert.ToHexString(AnyMessage.Write(read, version)));
    }

    private static TheoryDataRow<string, int, IKafkaMessage, string> Row(int version, IKafkaMessage message, string hex) =>
        new(message.Schema.Name, version, message, hex);
}
