using RaftMq.Broker.Partitions;
using RaftMq.Kafka.Tests.Fakes;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;
using RaftMq.Records;

namespace RaftMq.Kafka.Tests.Handlers;

public sealed class FetchTests
{
    private const int Plenty = 1 << 20;

    private readonly TestConnection connection = new();

    public FetchTests()
    {
        connection.Broker.AddTopic("orders", 3);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(12)]
    public async Task Batches_are_served_as_they_lie(int version)
    {
        connection.Broker.Append("orders", 0, Batches.Of(3));
        connection.Broker.Append("orders", 0, Batches.Of(2));
        FetchResponse.Partition answer = Only(await connection.AskAsync(Requests.Fetch(0, 1, Plenty, ("orders", 0, 0, Plenty)), version));
        Assert.Equal(KafkaError.None, answer.Error);
        Assert.Equal(5, answer.HighWatermark);
        Assert.Equal(5, answer.LastStableOffset);
        Assert.Null(answer.AbortedTransactions);
        Assert.Equal(-1, answer.PreferredReadReplica);
        Assert.Equal(
            connection.Broker.Partition("orders", 0).Batches.SelectMany(batch => batch.Bytes), answer.Records.Memory.ToArray());
    }

    [Fact]
    public async Task Batches_are_not_copied_into_the_answer()
    {
        connection.Broker.Append("orders", 0, Batches.Of(3, valueBytes: 5000));
        connection.Broker.Append("orders", 1, Batches.Of(3, valueBytes: 5000));
        TestResponse response = connection.Send(
            Requests.Fetch(0, 1, Plenty, ("orders", 0, 0, Plenty), ("orders", 1, 0, Plenty)), 11);
        await response.EndAsync();
        Assert.True(response.Pieces >= 4, $"{response.Pieces} pieces");
    }

    [Fact]
    public async Task An_offset_inside_a_batch_brings_the_whole_batch()
    {
        connection.Broker.Append("orders", 0, Batches.Of(3));
        FetchResponse.Partition answer = Only(await connection.AskAsync(Requests.Fetch(0, 1, Plenty, ("orders", 0, 2, Plenty)), 11));
        Assert.True(RecordBatchHeader.TryRead(answer.Records.Memory.Span, out RecordBatchHeader header));
        Assert.Equal(0, header.BaseOffset);
    }

    /// <summary>The same partition twice, with no room of its own: what lies there woke the fetch again and again, each time deeper in the stack.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public async Task A_part_without_room_waits_for_nothing(int partitionBytesMax)
    {
        connection.Broker.Append("orders", 0, Batches.Of(3));
        TestResponse response = connection.Send(
            Requests.Fetch(500, 100_000, Plenty, ("orders", 0, 0, partitionBytesMax), ("orders", 0, 0, partitionBytesMax), ("orders", 1, 0, partitionBytesMax)), 4);
        Assert.False(response.IsEnded);
        Assert.InRange(connection.Broker.Partition("orders", 0).Reads, 1, 4);
        connection.Clock.Advance(500);
        FetchResponse answer = await response.ReadAsync<FetchResponse>();
        Assert.Equal(1, answer.Topics.SelectMany(topic => topic.Partitions).Count(partition => partition.Records.Length > 0));
    }

    [Fact]
    public async Task Long_polling_wakes_on_commit_without_the_clock()
    {
        TestResponse response = connection.Send(Requests.Fetch(500, 1, Plenty, ("orders", 0, 0, Plenty), ("orders", 1, 0, Plenty)), 11);
        Assert.False(response.IsEnded);
        connection.Broker.Append("orders", 1, Batches.Of(4));
        Assert.True(response.IsEnded);
        FetchResponse answer = await response.ReadAsync<FetchResponse>();
        Assert.Equal(0, answer.Topics[0].Partitions[0].Records.Length);
        Assert.Equal(4, answer.Topics[0].Partitions[1].HighWatermark);
        Assert.Empty(connection.Broker.Partition("orders", 0).Waiters);
        Assert.Equal(0, connection.Clock.ActiveTimers);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1_000_000)]
    public async Task A_read_that_the_commit_overtook_is_repeated_once_and_not_for_ever(int readsTooEarly)
    {
        connection.Broker.Append("orders", 0, Batches.Of(1));
        FakePartition log = connection.Broker.Partition("orders", 0);
        log.ReadsTooEarly = readsTooEarly;
        TestResponse response = connection.Send(Requests.Fetch(500, 1, Plenty, ("orders", 0, 0, Plenty)), 11);
        Assert.Equal(2, log.Reads);
        Assert.Equal(readsTooEarly == 1, response.IsEnded);
        connection.Clock.Advance(500);
        Assert.Equal(readsTooEarly == 1, Only(await response.ReadAsync<FetchResponse>()).Records.Length > 0);
    }

    [Fact]
    public async Task Long_polling_ends_empty_when_its_time_is_up()
    {
        TestResponse response = connection.Send(Requests.Fetch(500, 1, Plenty, ("orders", 0, 0, Plenty)), 11);
        connection.Clock.Advance(499);
        Assert.False(response.IsEnded);
        connection.Clock.Advance(1);
        Assert.Equal(0, Only(await response.ReadAsync<FetchResponse>()).Records.Length);
        Assert.Empty(connection.Broker.Partition("orders", 0).Waiters);
    }

    [Fact]
    public async Task Below_min_bytes_what_is_there_is_kept_and_only_the_new_is_read()
    {
        byte[] batch = Batches.Of(1, valueBytes: 100);
        connection.Broker.Append("orders", 0, batch);
        FakePartition log = connection.Broker.Partition("orders", 0);
        TestResponse response = connection.Send(Requests.Fetch(500, batch.Length * 3, Plenty, ("orders", 0, 0, Plenty)), 11);
        Assert.Equal(1, log.Reads);
        connection.Broker.Append("orders", 0, batch);
        Assert.False(response.IsEnded);
        connection.Broker.Append("orders", 0, batch);
        Assert.True(response.IsEnded);
        Assert.Equal(3, log.Reads);
        FetchResponse.Partition answer = Only(await response.ReadAsync<FetchResponse>());
        Assert.Equal(log.Batches.SelectMany(stored => stored.Bytes), answer.Records.Memory.ToArray());
        Assert.Equal(3, answer.HighWatermark);
    }

    [Fact]
    public async Task Below_min_bytes_what_is_there_is_sent_when_the_time_is_up()
    {
        connection.Broker.Append("orders", 0, Batches.Of(2));
        TestResponse response = connection.Send(Requests.Fetch(500, Plenty, Plenty, ("orders", 0, 0, Plenty)), 11);
        Assert.False(response.IsEnded);
        connection.Clock.Advance(500);
        Assert.NotEqual(0, Only(await response.ReadAsync<FetchResponse>()).Records.Length);
    }

    [Fact]
    public async Task The_first_batch_comes_whole_however_small_the_limits_are()
    {
        byte[] batch = Batches.Of(1, valueBytes: 5000);
        connection.Broker.Append("orders", 0, batch);
        connection.Broker.Append("orders", 1, batch);
        FetchResponse answer = await connection.AskAsync(
            Requests.Fetch(0, 1, 10, ("orders", 2, 0, 10), ("orders", 1, 0, 10), ("orders", 0, 0, 10)), 11);
        int[] sizes = answer.Topics[0].Partitions.Select(partition => partition.Records.Length).ToArray();
        Assert.Equal([0, batch.Length, 0], sizes);
    }

    [Fact]
    public async Task A_batch_above_its_partitions_limit_behind_an_empty_partition_is_brought_all_the_same()
    {
        byte[] batch = Batches.Of(1, valueBytes: 5000);
        connection.Broker.Append("orders", 1, batch);
        FetchResponse answer = await connection.AskAsync(
            Requests.Fetch(500, 1, Plenty, ("orders", 0, 0, 10), ("orders", 1, 0, 10)), 11);
        Assert.Equal(batch.Length, answer.Topics[0].Partitions[1].Records.Length);
    }

    [Fact]
    public async Task The_limit_over_the_request_is_kept_and_what_one_partition_leaves_the_next_gets()
    {
        byte[] batch = Batches.Of(1, valueBytes: 1000);
        for (int i = 0; i < 10; i++)
        {
            connection.Broker.Append("orders", 0, batch);
            connection.Broker.Append("orders", 2, batch);
        }

        int max = batch.Length * 6;
        FetchResponse answer = await connection.AskAsync(
            Requests.Fetch(0, 1, max, ("orders", 0, 6, max), ("orders", 1, 0, max), ("orders", 2, 0, max)), 11);
        int[] batches = answer.Topics[0].Partitions.Select(partition => partition.Records.Length / batch.Length).ToArray();
        Assert.Equal([4, 0, 2], batches);
    }

    [Fact]
    public async Task Many_partitions_and_few_bytes_are_read_in_waves_without_recursion()
    {
        connection.Broker.AddTopic("wide", 20_000);
        FetchRequest request = Requests.Fetch(
            0, 1, 1, Enumerable.Range(0, 20_000).Select(i => ("wide", i, 0L, 1)).ToArray());
        FetchResponse answer = await connection.AskAsync(request, 11);
        Assert.Equal(20_000, answer.Topics[0].Partitions.Length);
    }

    [Theory]
    [InlineData(nameof(ReadOutcome.NotLeader), 6)]
    [InlineData(nameof(ReadOutcome.OffsetOutOfRange), 1)]
    [InlineData(nameof(ReadOutcome.Damaged), 56)]
    public async Task An_error_of_one_partition_is_answered_at_once_beside_the_others(string outcome, short code)
    {
        connection.Broker.Append("orders", 0, Batches.Of(1));
        connection.Broker.Partition("orders", 1).ReadOutcome = Enum.Parse<ReadOutcome>(outcome);
        TestResponse response = connection.Send(
            Requests.Fetch(500, Plenty, Plenty, ("orders", 0, 0, Plenty), ("orders", 1, 0, Plenty)), 11);
        FetchResponse answer = await response.ReadAsync<FetchResponse>();
        Assert.Equal(code, (short)answer.Topics[0].Partitions[1].Error);
        Assert.Equal(0, answer.Topics[0].Partitions[1].Records.Length);
        Assert.NotEqual(0, answer.Topics[0].Partitions[0].Records.Length);
    }

    [Fact]
    public async Task Unknown_and_internal_partitions_are_refused_at_once()
    {
        TestResponse response = connection.Send(
            Requests.Fetch(500, 1, Plenty, ("nothing", 0, 0, Plenty), ("orders", 9, 0, Plenty), ("__consumer_offsets", 0, 0, Plenty)), 11);
        FetchResponse answer = await response.ReadAsync<FetchResponse>();
        Assert.Equal(
            [KafkaError.UnknownTopicOrPartition, KafkaError.UnknownTopicOrPartition, KafkaError.InvalidTopic],
            answer.Topics.SelectMany(topic => topic.Partitions).Select(partition => partition.Error));
    }

    [Theory]
    [InlineData(6, 74)]
    [InlineData(7, 0)]
    [InlineData(8, 75)]
    public async Task The_readers_leader_epoch_is_checked(int epoch, short code)
    {
        FetchRequest request = Requests.Fetch(0, 1, Plenty, ("orders", 0, 0, Plenty));
        request.Topics[0].Partitions[0].CurrentLeaderEpoch = epoch;
        Assert.Equal(code, (short)Only(await connection.AskAsync(request, 11)).Error);
    }

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(0, -1, 0)]
    [InlineData(5, -1, 0)]
    [InlineData(5, 0, 0)]
    [InlineData(5, 1, 70)]
    [InlineData(0, 1, 70)]
    public async Task Sessions_are_declined_as_the_protocol_has_it(int id, int epoch, short code)
    {
        FetchRequest request = Requests.Fetch(0, 1, Plenty, ("orders", 0, 0, Plenty));
        request.SessionId = id;
        request.SessionEpoch = epoch;
        FetchResponse answer = await connection.AskAsync(request, 11);
        Assert.Equal(code, (short)answer.Error);
        Assert.Equal(0, answer.SessionId);
        Assert.Equal(code == 0 ? 1 : 0, answer.Topics.Length);
    }

    [Fact]
    public async Task A_fetch_of_nothing_is_answered_at_once()
    {
        Assert.Empty((await connection.AskAsync(Requests.Fetch(500, 1, Plenty), 12)).Topics);
    }

    [Fact]
    public async Task The_end_of_the_connection_ends_the_wait()
    {
        TestResponse response = connection.Send(Requests.Fetch(60_000, 1, Plenty, ("orders", 0, 0, Plenty)), 11);
        Assert.False(response.Handled.IsCompleted);
        await connection.Gone.CancelAsync();
        await response.EndAsync();
        await response.Handled.WaitAsync(TestResponse.Patience, TestContext.Current.CancellationToken);
        Assert.NotNull(response.ClosedBecause);
        Assert.Empty(connection.Broker.Partition("orders", 0).Waiters);
    }

    [Fact]
    public async Task The_end_of_the_connection_waits_for_reads_under_way()
    {
        connection.Broker.HoldReads = true;
        TestResponse response = connection.Send(Requests.Fetch(60_000, 1, Plenty, ("orders", 0, 0, Plenty)), 11);
        await connection.Gone.CancelAsync();
        Assert.False(response.Handled.IsCompleted);
        connection.Broker.Release();
        await response.Handled.WaitAsync(TestResponse.Patience, TestContext.Current.CancellationToken);
        Assert.NotNull(response.ClosedBecause);
    }

    [Fact]
    public async Task A_waiter_that_is_woken_after_its_fetch_was_answered_does_nothing()
    {
        TestResponse first = connection.Send(Requests.Fetch(500, 1, Plenty, ("orders", 0, 0, Plenty)), 11);
        IReadWaiter late = connection.Broker.Partition("orders", 0).Waiters[0].Waiter;
        connection.Clock.Advance(500);
        await first.Handled.WaitAsync(TestResponse.Patience, TestContext.Current.CancellationToken);
        TestResponse second = connection.Send(Requests.Fetch(500, 1, Plenty, ("orders", 1, 0, Plenty)), 11);
        late.Wake();
        Assert.False(second.IsEnded);
        connection.Broker.Append("orders", 1, Batches.Of(1));
        Assert.NotEqual(0, Only(await second.ReadAsync<FetchResponse>()).Records.Length);
    }

    [Fact]
    public async Task A_leader_that_steps_down_wakes_its_waiters()
    {
        TestResponse response = connection.Send(Requests.Fetch(60_000, 1, Plenty, ("orders", 0, 0, Plenty)), 11);
        FakePartition log = connection.Broker.Partition("orders", 0);
        log.ReadOutcome = ReadOutcome.NotLeader;
        IReadWaiter waiter = log.Waiters[0].Waiter;
        log.Waiters.Clear();
        waiter.Wake();
        Assert.Equal(KafkaError.NotLeaderOrFollower, Only(await response.ReadAsync<FetchResponse>()).Error);
    }

    [Fact]
    public async Task Commits_and_deadlines_racing_with_fetches_answer_each_fetch_once()
    {
        // Real threads on both sides: wakes, timers and reads meet in every order.
        byte[] batch = Batches.Of(1);
        FakeBroker broker = connection.Broker;
        Task writer = Task.Run(
            () =>
            {
                for (int i = 0; i < 2000; i++)
                {
                    broker.Append("orders", i % 3, batch);
                    if (i % 5 == 0)
                    {
                        connection.Clock.Advance(1);
                    }
                }
            },
            TestContext.Current.CancellationToken);
        long[] next = new long[3];
        for (int i = 0; next.Sum() < 2000; i++)
        {
            Assert.True(i < 100_000, "records are missing");
            TestResponse response = connection.Send(
                Requests.Fetch(
                    2, 1, Plenty, ("orders", 0, next[0], Plenty), ("orders", 1, next[1], Plenty), ("orders", 2, next[2], Plenty)),
                11);
            while (!response.IsEnded)
            {
                connection.Clock.Advance(1);
            }

            await response.Handled.WaitAsync(TestResponse.Patience, TestContext.Current.CancellationToken);
            foreach (FetchResponse.Partition partition in (await response.ReadAsync<FetchResponse>()).Topics[0].Partitions)
            {
                var batches = new RecordBatchEnumerator(partition.Records.Memory.Span);
                while (batches.TryNext(out RecordBatchHeader header, out _))
                {
                    Assert.Equal(next[partition.Index], header.BaseOffset);
                    next[partition.Index] = header.NextOffset;
                }
            }
        }

        await writer;
        Assert.Empty(connection.Observer.Faults);
    }

    private static FetchResponse.Partition Only(FetchResponse answer) => Assert.Single(Assert.Single(answer.Topics).Partitions);
}
