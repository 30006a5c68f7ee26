using RaftMq.Broker.Controller;
using RaftMq.Broker.Partitions;
using RaftMq.Kafka.Tests.Fakes;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Compression;
using RaftMq.Kafka.Wire.Messages;
using RaftMq.Records;

namespace RaftMq.Kafka.Tests.Handlers;

public sealed class OffsetTests
{
    private readonly TestConnection connection = new();

    public OffsetTests()
    {
        connection.Broker.AddTopic("orders", 1);
        connection.Broker.Append("orders", 0, Batches.Of(5));
        connection.Broker.Partition("orders", 0).LogStart = 2;
    }

    [Theory]
    [InlineData(-2, 2)]
    [InlineData(-1, 5)]
    [InlineData(-3, 4)]
    [InlineData(500, 1)]
    [InlineData(5000, -1)]
    public async Task Offsets_are_found_by_time_and_at_both_ends(long timestamp, long offset)
    {
        ListOffsetsResponse.Partition last = Only(await connection.AskAsync(Ask("orders", 0, timestamp), 7));
        Assert.Equal((KafkaError.None, offset), (last.Error, last.Offset));
        Assert.Equal(offset, Only(await connection.AskAsync(Ask("orders", 0, timestamp), 1)).Offset);
        ListOffsetsResponse.Partition first = Only(await connection.AskAsync(Ask("orders", 0, timestamp), 0));
        Assert.Equal(offset < 0 ? [] : [offset], first.Offsets);
    }

    /// <summary>A second batch of ten records, whose times go on a millisecond apart from the first one's: 5 to 9 are only in it.</summary>
    [Theory]
    [InlineData(CompressionType.None)]
    [InlineData(CompressionType.Gzip)]
    [InlineData(CompressionType.Snappy)]
    [InlineData(CompressionType.Lz4)]
    public async Task A_time_is_answered_with_the_record_and_not_with_its_batch(CompressionType compression)
    {
        connection.Broker.Append("orders", 0, RecordCompression.Compress(Batches.Of(10), compression));

        ListOffsetsResponse.Partition inSecond = Only(await connection.AskAsync(Ask("orders", 0, Batches.FirstTimestampMs + 7), 7));
        ListOffsetsResponse.Partition inFirst = Only(await connection.AskAsync(Ask("orders", 0, Batches.FirstTimestampMs + 3), 7));
        ListOffsetsResponse.Partition belowLogStart = Only(await connection.AskAsync(Ask("orders", 0, Batches.FirstTimestampMs), 7));
        ListOffsetsResponse.Partition after = Only(await connection.AskAsync(Ask("orders", 0, Batches.FirstTimestampMs + 10), 7));

        Assert.Equal((12L, Batches.FirstTimestampMs + 7), (inSecond.Offset, inSecond.Timestamp));
        Assert.Equal((3L, Batches.FirstTimestampMs + 3), (inFirst.Offset, inFirst.Timestamp));
        Assert.Equal((2L, Batches.FirstTimestampMs + 2), (belowLogStart.Offset, belowLogStart.Timestamp));
        Assert.Equal(-1, after.Offset);
    }

    [Fact]
    public async Task Partitions_unknown_or_led_by_another_are_refused()
    {
        Assert.Equal(KafkaError.UnknownTopicOrPartition, Only(await connection.AskAsync(Ask("orders", 1, -1), 7)).Error);
        Assert.Equal(KafkaError.UnknownTopicOrPartition, Only(await connection.AskAsync(Ask("nothing", 0, -1), 7)).Error);
        connection.Broker.Partition("orders", 0).ReadOutcome = ReadOutcome.NotLeader;
        Assert.Equal(KafkaError.NotLeaderOrFollower, Only(await connection.AskAsync(Ask("orders", 0, -1), 7)).Error);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public async Task The_end_of_an_epoch_is_found(int version)
    {
        var request = new OffsetForLeaderEpochRequest
        {
            Topics =
            [
                new OffsetForLeaderEpochRequest.Topic
                {
                    Name = "orders",
                    Partitions =
                    [
                        new OffsetForLeaderEpochRequest.Partition { Index = 0, LeaderEpoch = 3 },
                        new OffsetForLeaderEpochRequest.Partition { Index = 4, LeaderEpoch = 3 },
                    ],
                },
            ],
        };
        OffsetForLeaderEpochResponse answer = await connection.AskAsync(request, version);
        Assert.Equal((3, 5L), (answer.Topics[0].Partitions[0].LeaderEpoch, answer.Topics[0].Partitions[0].EndOffset));
        Assert.Equal(KafkaError.UnknownTopicOrPartition, answer.Topics[0].Partitions[1].Error);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    public async Task Producer_ids_are_given_once_and_taken_in_blocks(int version)
    {
        var seen = new HashSet<long>();
        for (int i = 0; i < 1500; i++)
        {
            TestConnection asking = i % 2 == 0 ? connection : connection.Another();
            InitProducerIdResponse answer = await asking.AskAsync(new InitProducerIdRequest(), version);
            Assert.Equal((KafkaError.None, (short)0), (answer.Error, answer.ProducerEpoch));
            Assert.True(seen.Add(answer.ProducerId), "given twice");
        }

        Assert.Equal(2, connection.Broker.Commands.Count);
        Assert.All(connection.Broker.Commands, command => Assert.Equal(1000, Assert.IsType<AdminCommand.AllocateProducerIds>(command).Count));
    }

    [Theory]
    [InlineData(nameof(AdminOutcome.TimedOut), 14)]
    [InlineData(nameof(AdminOutcome.NotController), 14)]
    [InlineData(nameof(AdminOutcome.Refused), 44)]
    public async Task Without_a_block_the_producer_is_told_why_and_may_ask_again(string outcome, short code)
    {
        connection.Broker.AdminAnswer = new AdminResult(Enum.Parse<AdminOutcome>(outcome));
        InitProducerIdResponse refused = await connection.AskAsync(new InitProducerIdRequest(), 4);
        Assert.Equal((code, -1L), ((short)refused.Error, refused.ProducerId));
        connection.Broker.AdminAnswer = null;
        Assert.Equal(KafkaError.None, (await connection.AskAsync(new InitProducerIdRequest(), 4)).Error);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    public async Task A_transactional_producer_is_refused_for_good(int version)
    {
        InitProducerIdResponse answer = await connection.AskAsync(new InitProducerIdRequest { TransactionalId = "tx" }, version);
        Assert.Equal(KafkaError.TransactionalIdAuthorizationFailed, answer.Error);
        Assert.Empty(connection.Broker.Commands);
    }

    private static ListOffsetsResponse.Partition Only(ListOffsetsResponse answer) =>
        Assert.Single(Assert.Single(answer.Topics).Partitions);

    private static ListOffsetsRequest Ask(string topic, int partition, long timestamp) => new()
    {
        Topics =
        [
            new ListOffsetsRequest.Topic
            {
                Name = topic,
                Partitions = [new ListOffsetsRequest.Partition { Index = partition, Timestamp = timestamp }],
            },
        ],
    };
}
