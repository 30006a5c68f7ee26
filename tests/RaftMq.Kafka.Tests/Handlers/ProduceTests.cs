using RaftMq.Broker.Partitions;
using RaftMq.Kafka.Tests.Fakes;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Kafka.Tests.Handlers;

public sealed class ProduceTests
{
    private readonly TestConnection connection = new();

    public ProduceTests()
    {
        connection.Broker.AddTopic("orders", 3);
        connection.Broker.AddTopic("bills", 1);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(9)]
    public async Task A_batch_is_stored_and_its_offset_answered(int version)
    {
        byte[] batch = Batches.Of(3);
        ProduceRequest request = Requests.Produce(-1, ("orders", 1, batch));
        Assert.Equal(0, Only(await connection.AskAsync(request, version)).BaseOffset);
        ProduceResponse.Partition second = Only(await connection.AskAsync(request, version));
        Assert.Equal(KafkaError.None, second.Error);
        Assert.Equal(3, second.BaseOffset);
        Assert.Equal(1, second.Index);
        Assert.Equal(6, connection.Broker.Partition("orders", 1).HighWatermark);
    }

    [Fact]
    public async Task A_bad_batch_costs_its_own_partition_an_error_and_nothing_else()
    {
        ProduceRequest request = Requests.Produce(
            -1,
            ("orders", 0, Batches.Of(1)),
            ("orders", 1, Batches.Flipped()),
            ("orders", 2, Batches.Miscounted()),
            ("bills", 0, Batches.OldFormat()),
            ("bills", 7, Batches.Of(1)),
            ("nothing", 0, Batches.Of(1)),
            ("__consumer_offsets", 0, Batches.Of(1)));
        ProduceResponse answer = await connection.AskAsync(request, 9);
        ProduceResponse.Partition[] partitions = answer.Topics.SelectMany(topic => topic.Partitions).ToArray();
        Assert.Equal(
            [
                KafkaError.None, KafkaError.CorruptMessage, KafkaError.InvalidRecord, KafkaError.UnsupportedForMessageFormat,
                KafkaError.UnknownTopicOrPartition, KafkaError.UnknownTopicOrPartition, KafkaError.InvalidTopic,
            ],
            partitions.Select(partition => partition.Error));
        Assert.Contains("CRC", partitions[1].ErrorMessage, StringComparison.Ordinal);
        Assert.NotNull(partitions[2].ErrorMessage);
        Assert.Equal(0, partitions[0].BaseOffset);
        Assert.All(partitions.Skip(1), partition => Assert.Equal(-1, partition.BaseOffset));
        Assert.Single(connection.Broker.Produced);
        Assert.Equal(6, connection.Observer.Refusals.Count);
    }

    [Fact]
    public async Task Two_batches_for_one_partition_are_refused_as_in_Kafka()
    {
        byte[] two = [.. Batches.Of(1), .. Batches.Of(1)];
        ProduceResponse.Partition answer = Only(await connection.AskAsync(Requests.Produce(-1, ("orders", 0, two)), 9));
        Assert.Equal(KafkaError.InvalidRecord, answer.Error);
        Assert.Empty(connection.Broker.Produced);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task Versions_below_3_are_refused_for_their_message_format(int version)
    {
        ProduceResponse.Partition answer = Only(await connection.AskAsync(Requests.Produce(1, ("orders", 0, Batches.Of(1))), version));
        Assert.Equal(KafkaError.UnsupportedForMessageFormat, answer.Error);
        Assert.Empty(connection.Broker.Produced);
    }

    [Fact]
    public async Task Other_numbers_of_acks_are_refused()
    {
        ProduceResponse.Partition answer = Only(await connection.AskAsync(Requests.Produce(2, ("orders", 0, Batches.Of(1))), 9));
        Assert.Equal(KafkaError.InvalidRequiredAcks, answer.Error);
    }

    [Fact]
    public async Task Transactions_are_refused_with_a_code_that_no_client_retries()
    {
        ProduceRequest named = Requests.Produce(-1, ("orders", 0, Batches.Of(1)));
        named.TransactionalId = "payments";
        Assert.Equal(KafkaError.TransactionalIdAuthorizationFailed, Only(await connection.AskAsync(named, 9)).Error);
        ProduceRequest marked = Requests.Produce(-1, ("orders", 0, Batches.Of(1, transactional: true)));
        Assert.Equal(KafkaError.TransactionalIdAuthorizationFailed, Only(await connection.AskAsync(marked, 9)).Error);
        Assert.False(KafkaErrors.IsRetriable(KafkaError.TransactionalIdAuthorizationFailed));
        Assert.Empty(connection.Broker.Produced);
    }

    [Fact]
    public async Task The_answer_waits_for_the_broker_also_with_acks_1()
    {
        connection.Broker.HoldCompletions = true;
        TestResponse response = connection.Send(Requests.Produce(1, ("orders", 0, Batches.Of(1)), ("bills", 0, Batches.Of(1))), 7);
        await response.Handled.WaitAsync(TestResponse.Patience, TestContext.Current.CancellationToken);
        Assert.False(response.IsEnded);
        connection.Broker.Release();
        ProduceResponse answer = await response.ReadAsync<ProduceResponse>();
        Assert.Equal(2, answer.Topics.Length);
        Assert.Equal(0, answer.ThrottleTimeMs);
    }

    [Fact]
    public async Task Until_the_broker_admits_a_batch_the_connection_is_not_read_on_and_the_wait_is_reported()
    {
        connection.Broker.HoldAdmissions = true;
        TestResponse response = connection.Send(Requests.Produce(-1, ("orders", 0, Batches.Of(5)), ("orders", 1, Batches.Of(1))), 9);
        Assert.False(response.Handled.IsCompleted);
        connection.Clock.Advance(230);
        connection.Broker.Release();
        await response.Handled.WaitAsync(TestResponse.Patience, TestContext.Current.CancellationToken);
        ProduceResponse answer = await response.ReadAsync<ProduceResponse>();
        Assert.Equal(230, answer.ThrottleTimeMs);
        Assert.Equal(5, connection.Broker.Partition("orders", 0).HighWatermark);
    }

    [Fact]
    public async Task The_throttle_time_has_a_limit()
    {
        connection.Broker.HoldAdmissions = true;
        TestResponse response = connection.Send(Requests.Produce(-1, ("orders", 0, Batches.Of(1))), 9);
        connection.Clock.Advance(60_000);
        connection.Broker.Release();
        Assert.Equal(new KafkaLimits().ThrottleMsMax, (await response.ReadAsync<ProduceResponse>()).ThrottleTimeMs);
    }

    [Theory]
    [InlineData(0, 100)]
    [InlineData(30_000, 30_000)]
    [InlineData(int.MaxValue, 900_000)]
    public async Task The_deadline_is_the_requests_own_between_a_floor_and_a_ceiling(int timeoutMs, int expectedMs)
    {
        ProduceRequest request = Requests.Produce(-1, ("orders", 0, Batches.Of(1)));
        request.TimeoutMs = timeoutMs;
        await connection.AskAsync(request, 9);
        Assert.Equal(connection.Clock.MonotonicMs + expectedMs, connection.Broker.Deadlines[0]);
    }

    [Fact]
    public async Task Without_acks_nothing_is_answered()
    {
        TestResponse response = connection.Send(Requests.Produce(0, ("orders", 0, Batches.Of(1))), 9);
        await response.EndAsync();
        Assert.True(response.Nothing);
        Assert.Equal(1, connection.Broker.Partition("orders", 0).HighWatermark);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Without_acks_an_error_closes_the_connection(bool byTheBroker)
    {
        connection.Broker.Partition("orders", 0).ProduceOutcome = byTheBroker ? ProduceOutcome.NotLeader : ProduceOutcome.Stored;
        TestResponse response = connection.Send(Requests.Produce(0, ("orders", 0, byTheBroker ? Batches.Of(1) : Batches.Flipped())), 9);
        await response.EndAsync();
        Assert.Contains("orders-0", response.ClosedBecause, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_broker_refuses_is_answered_with_its_code_and_message()
    {
        connection.Broker.Partition("orders", 0).ProduceOutcome = ProduceOutcome.TooLarge;
        ProduceResponse.Partition answer = Only(await connection.AskAsync(Requests.Produce(-1, ("orders", 0, Batches.Of(1))), 8));
        Assert.Equal(KafkaError.MessageTooLarge, answer.Error);
        Assert.Equal("because TooLarge", answer.ErrorMessage);
    }

    [Fact]
    public async Task Many_requests_under_way_keep_their_own_answers()
    {
        connection.Broker.HoldCompletions = true;
        var sent = new List<TestResponse>();
        for (int i = 0; i < 200; i++)
        {
            sent.Add(connection.Send(Requests.Produce(-1, ("orders", i % 3, Batches.Of(1)), ("bills", 0, Batches.Of(2))), 9));
            await sent[^1].Handled.WaitAsync(TestResponse.Patience, TestContext.Current.CancellationToken);
        }

        connection.Broker.Release();
        for (int i = 0; i < sent.Count; i++)
        {
            ProduceResponse answer = await sent[i].ReadAsync<ProduceResponse>();
            Assert.Equal(i % 3, answer.Topics[0].Partitions[0].Index);
            Assert.Equal(i / 3, answer.Topics[0].Partitions[0].BaseOffset);
            Assert.Equal(2L * i, answer.Topics[1].Partitions[0].BaseOffset);
        }
    }

    [Fact]
    public async Task A_request_without_batches_is_answered()
    {
        ProduceResponse answer = await connection.AskAsync(new ProduceRequest { Acks = -1 }, 9);
        Assert.Empty(answer.Topics);
        ProduceResponse.Partition empty = Only(await connection.AskAsync(Requests.Produce(-1, ("orders", 0, [])), 9));
        Assert.Equal(KafkaError.InvalidRecord, empty.Error);
    }

    private static ProduceResponse.Partition Only(ProduceResponse answer) => Assert.Single(Assert.Single(answer.Topics).Partitions);
}
