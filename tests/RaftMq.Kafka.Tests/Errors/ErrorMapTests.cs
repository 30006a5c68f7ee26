using RaftMq.Broker.Controller;
using RaftMq.Broker.Groups;
using RaftMq.Broker.Partitions;
using RaftMq.Kafka.Errors;
using RaftMq.Kafka.Wire;
using RaftMq.Records;

namespace RaftMq.Kafka.Tests.Errors;

public sealed class ErrorMapTests
{
    [Theory]
    [InlineData(nameof(ProduceOutcome.Stored), 0)]
    [InlineData(nameof(ProduceOutcome.NotLeader), 6)]
    [InlineData(nameof(ProduceOutcome.UnknownPartition), 3)]
    [InlineData(nameof(ProduceOutcome.NotEnoughReplicas), 19)]
    [InlineData(nameof(ProduceOutcome.NotEnoughReplicasAfterAppend), 20)]
    [InlineData(nameof(ProduceOutcome.TimedOut), 7)]
    [InlineData(nameof(ProduceOutcome.OutOfOrderSequence), 45)]
    [InlineData(nameof(ProduceOutcome.DuplicateSequence), 46)]
    [InlineData(nameof(ProduceOutcome.InvalidProducerEpoch), 47)]
    [InlineData(nameof(ProduceOutcome.UnknownProducerId), 59)]
    [InlineData(nameof(ProduceOutcome.TooLarge), 10)]
    [InlineData(nameof(ProduceOutcome.InvalidTimestamp), 32)]
    [InlineData(nameof(ProduceOutcome.InvalidRecord), 87)]
    [InlineData(nameof(ProduceOutcome.DiskFull), 56)]
    [InlineData(nameof(ProduceOutcome.Stopping), 6)]
    public void Produce_outcome_has_its_code(string outcome, short code) =>
        Assert.Equal(code, (short)ErrorMap.Of(Enum.Parse<ProduceOutcome>(outcome)));

    [Theory]
    [InlineData(nameof(ReadOutcome.Ok), 0)]
    [InlineData(nameof(ReadOutcome.NotLeader), 6)]
    [InlineData(nameof(ReadOutcome.UnknownPartition), 3)]
    [InlineData(nameof(ReadOutcome.OffsetOutOfRange), 1)]
    [InlineData(nameof(ReadOutcome.FencedLeaderEpoch), 74)]
    [InlineData(nameof(ReadOutcome.UnknownLeaderEpoch), 75)]
    [InlineData(nameof(ReadOutcome.Damaged), 56)]
    public void Read_outcome_has_its_code(string outcome, short code) =>
        Assert.Equal(code, (short)ErrorMap.Of(Enum.Parse<ReadOutcome>(outcome)));

    [Theory]
    [InlineData(nameof(AdminOutcome.Done), 0)]
    [InlineData(nameof(AdminOutcome.NotController), 41)]
    [InlineData(nameof(AdminOutcome.TopicExists), 36)]
    [InlineData(nameof(AdminOutcome.UnknownTopic), 3)]
    [InlineData(nameof(AdminOutcome.UnknownPartition), 3)]
    [InlineData(nameof(AdminOutcome.InvalidName), 17)]
    [InlineData(nameof(AdminOutcome.InvalidPartitions), 37)]
    [InlineData(nameof(AdminOutcome.InvalidReplicationFactor), 38)]
    [InlineData(nameof(AdminOutcome.InvalidAssignment), 39)]
    [InlineData(nameof(AdminOutcome.InvalidConfig), 40)]
    [InlineData(nameof(AdminOutcome.NotEnoughNodes), 38)]
    [InlineData(nameof(AdminOutcome.NotReplica), 9)]
    [InlineData(nameof(AdminOutcome.NotLeader), 6)]
    [InlineData(nameof(AdminOutcome.OffsetOutOfRange), 1)]
    [InlineData(nameof(AdminOutcome.TimedOut), 7)]
    [InlineData(nameof(AdminOutcome.Refused), 44)]
    [InlineData(nameof(AdminOutcome.UnknownNode), 42)]
    [InlineData(nameof(AdminOutcome.NotExpected), 42)]
    public void Admin_outcome_has_its_code(string outcome, short code) =>
        Assert.Equal(code, (short)ErrorMap.Of(Enum.Parse<AdminOutcome>(outcome)));

    [Theory]
    [InlineData(nameof(GroupRefusal.NotCoordinator), 16)]
    [InlineData(nameof(GroupRefusal.Busy), 14)]
    [InlineData(nameof(GroupRefusal.LimitReached), 44)]
    [InlineData(nameof(GroupRefusal.GroupFull), 81)]
    [InlineData(nameof(GroupRefusal.InvalidGroupId), 24)]
    [InlineData(nameof(GroupRefusal.InvalidRequest), 42)]
    [InlineData(nameof(GroupRefusal.InvalidSessionTimeout), 26)]
    [InlineData(nameof(GroupRefusal.InconsistentProtocol), 23)]
    [InlineData(nameof(GroupRefusal.UnknownMember), 25)]
    [InlineData(nameof(GroupRefusal.FencedInstance), 82)]
    [InlineData(nameof(GroupRefusal.IllegalGeneration), 22)]
    [InlineData(nameof(GroupRefusal.RebalanceInProgress), 27)]
    [InlineData(nameof(GroupRefusal.TooLarge), 28)]
    [InlineData(nameof(GroupRefusal.GroupNotFound), 69)]
    [InlineData(nameof(GroupRefusal.GroupNotEmpty), 68)]
    public void Group_refusal_has_its_code(string refusal, short code) =>
        Assert.Equal(code, (short)ErrorMap.Of(Enum.Parse<GroupRefusal>(refusal)));

    [Theory]
    [InlineData(nameof(OffsetCommitOutcome.Stored), 0)]
    [InlineData(nameof(OffsetCommitOutcome.MetadataTooLarge), 12)]
    [InlineData(nameof(OffsetCommitOutcome.Invalid), 42)]
    public void Offset_commit_outcome_has_its_code(string outcome, short code) =>
        Assert.Equal(code, (short)ErrorMap.Of(Enum.Parse<OffsetCommitOutcome>(outcome)));

    [Theory]
    [InlineData(nameof(OffsetDeleteOutcome.Deleted), 0)]
    [InlineData(nameof(OffsetDeleteOutcome.SubscribedToTopic), 86)]
    public void Offset_delete_outcome_has_its_code(string outcome, short code) =>
        Assert.Equal(code, (short)ErrorMap.Of(Enum.Parse<OffsetDeleteOutcome>(outcome)));

    [Fact]
    public void Verdict_has_its_code_and_says_why()
    {
        Assert.Equal(KafkaError.None, ErrorMap.Of(new RecordBatchVerdict.Valid(default), out string? none));
        Assert.Null(none);
        Assert.Equal(KafkaError.CorruptMessage, ErrorMap.Of(new RecordBatchVerdict.Corrupt("bits"), out string? corrupt));
        Assert.Equal("bits", corrupt);
        Assert.Equal(KafkaError.InvalidRecord, ErrorMap.Of(new RecordBatchVerdict.Invalid("count", 3), out string? invalid));
        Assert.Equal("count", invalid);
        Assert.Equal(
            KafkaError.UnsupportedForMessageFormat, ErrorMap.Of(new RecordBatchVerdict.UnsupportedMagic(1), out string? magic));
        Assert.Contains("format 1", magic, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_outcome_is_mapped_and_only_success_is_no_error()
    {
        Total<ProduceOutcome>(ErrorMap.Of, ProduceOutcome.Stored);
        Total<ReadOutcome>(ErrorMap.Of, ReadOutcome.Ok);
        Total<AdminOutcome>(ErrorMap.Of, AdminOutcome.Done);
        Total<GroupRefusal>(ErrorMap.Of, success: null);
        Total<OffsetCommitOutcome>(ErrorMap.Of, OffsetCommitOutcome.Stored);
        Total<OffsetDeleteOutcome>(ErrorMap.Of, OffsetDeleteOutcome.Deleted);
        Assert.Equal(
            4,
            typeof(RecordBatchVerdict).GetNestedTypes().Count(type => type.IsSubclassOf(typeof(RecordBatchVerdict))));
    }

    private static void Total<TOutcome>(Func<TOutcome, KafkaError> map, TOutcome? success)
        where TOutcome : struct, Enum
    {
        foreach (TOutcome outcome in Enum.GetValues<TOutcome>())
        {
            Assert.Equal(outcome.Equals(success), map(outcome) == KafkaError.None);
        }
    }
}
