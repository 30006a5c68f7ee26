using RaftMq.Kafka.Tests.Fakes;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Kafka.Tests;

public sealed class HostileInputTests
{
    public static TheoryData<string, int> Samples() => new()
    {
        { "produce", 3 }, { "produce", 9 }, { "fetch", 4 }, { "fetch", 12 }, { "metadata", 1 }, { "metadata", 12 },
        { "join", 5 }, { "join", 9 }, { "commit", 2 }, { "commit", 8 }, { "create", 4 }, { "create", 7 },
    };

    [Theory]
    [MemberData(nameof(Samples))]
    public async Task A_request_cut_anywhere_is_closed_and_never_thrown(string sample, int version)
    {
        byte[] whole = Frame(sample, version);
        for (int length = 0; length < whole.Length; length++)
        {
            (TestConnection connection, TestResponse response) = await SendAsync(whole[..length]);
            Assert.Empty(connection.Observer.Faults);
            Assert.True(response.ClosedBecause is not null, $"{length} bytes of {whole.Length} were taken");
        }
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public async Task Flipped_and_lying_bytes_end_in_an_answer_or_a_close(string sample, int version)
    {
        byte[] whole = Frame(sample, version);
        for (int at = 0; at < whole.Length; at++)
        {
            foreach (byte value in new byte[] { 0x00, 0x7F, 0x80, 0xFF, (byte)(whole[at] ^ 1) })
            {
                byte[] changed = [.. whole];
                changed[at] = value;
                (TestConnection connection, TestResponse response) = await SendAsync(changed);
                Assert.Empty(connection.Observer.Faults);
                Assert.True(response.Handled.IsCompletedSuccessfully, $"byte {at} = {value}");
            }
        }
    }

    [Fact]
    public async Task A_count_that_the_bytes_cannot_hold_allocates_nothing()
    {
        // Metadata 1 with two thousand million topics, and nothing behind.
        byte[] frame = [0, 3, 0, 1, 0, 0, 0, 1, 0xFF, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF];
        long before = GC.GetAllocatedBytesForCurrentThread();
        (TestConnection _, TestResponse response) = await SendAsync(frame);
        Assert.NotNull(response.ClosedBecause);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1_000_000);
    }

    [Fact]
    public async Task More_elements_than_a_request_may_have_close_the_connection()
    {
        var connection = new TestConnection(options: new KafkaFaceOptions { Limits = new KafkaLimits { ElementsPerRequestMax = 10 } });
        connection.Broker.AddTopic("orders", 1);
        TestResponse few = connection.Send(Requests.Fetch(0, 1, 1, Parts(9)), 11);
        await few.ReadAsync<FetchResponse>();
        TestResponse many = connection.Send(Requests.Fetch(0, 1, 1, Parts(10)), 11);
        await many.EndAsync();
        Assert.NotNull(many.ClosedBecause);

        static (string, int, long, int)[] Parts(int count) => Enumerable.Range(0, count).Select(_ => ("orders", 0, 0L, 1)).ToArray();
    }

    private static async Task<(TestConnection Connection, TestResponse Response)> SendAsync(byte[] frame)
    {
        var connection = new TestConnection();
        connection.Broker.AddTopic("orders", 2);
        TestResponse response = connection.SendFrame(frame);

        // A fetch or a join that a flipped byte made valid may wait; the end of the connection ends that too.
        if (!response.IsEnded)
        {
            await connection.Gone.CancelAsync();
        }

        await response.EndAsync();
        await response.Handled.WaitAsync(TestResponse.Patience);
        return (connection, response);
    }

    private static byte[] Frame(string sample, int version)
    {
        IKafkaMessage request = sample switch
        {
            "produce" => Requests.Produce(-1, ("orders", 0, Batches.Of(2))),
            "fetch" => Requests.Fetch(100, 1, 1000, ("orders", 0, 0, 1000), ("orders", 1, 0, 1000)),
            "metadata" => new MetadataRequest { Topics = [new() { Name = "orders" }, new() { Name = "fresh" }] },
            "join" => new JoinGroupRequest
            {
                GroupId = "g",
                SessionTimeoutMs = 10_000,
                RebalanceTimeoutMs = 10_000,
                ProtocolType = "consumer",
                Protocols = [new() { Name = "range", Metadata = [0, 0, 0, 0, 0, 0] }],
            },
            "commit" => new OffsetCommitRequest
            {
                GroupId = "g",
                Topics = [new() { Name = "orders", Partitions = [new() { Index = 1, CommittedOffset = 4, Metadata = "m" }] }],
            },
            "create" => new CreateTopicsRequest
            {
                Topics = [new() { Name = "fresh", NumPartitions = 1, ReplicationFactor = 1, Configs = [new() { Name = "a", Value = "b" }] }],
            },
            _ => throw new ArgumentOutOfRangeException(nameof(sample)),
        };
        using var writer = new KafkaWriter();
        KafkaFrameWriter.WriteRequest(writer, request, version, correlationId: 5, clientId: "client");
        return writer.ToArray()[KafkaFrameReader.LengthPrefixBytes..];
    }
}
