using System.Buffers.Binary;
using RaftMq.Kafka.Wire.Client;
using RaftMq.Kafka.Wire.Messages;
using RaftMq.Testing;

namespace RaftMq.Kafka.Wire.Tests.Client;

public sealed class KafkaConnectionTests
{
    private static readonly KafkaConnectionOptions options = new() { ConnectTimeout = TimeSpan.FromSeconds(20) };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Highest_common_version_is_used()
    {
        await using ScriptedBroker broker = new((header, _) => header.Key == ApiKey.ApiVersions
            ? ScriptedBroker.Frame(
                new ApiVersionsResponse
                {
                    ApiKeys =
                    [
                        new() { ApiKey = ApiKey.Heartbeat, MinVersion = 0, MaxVersion = 3 },
                        new() { ApiKey = ApiKey.Produce, MinVersion = 10, MaxVersion = 13 },
                        new() { ApiKey = (ApiKey)1234, MinVersion = 0, MaxVersion = 1 },
                    ],
                },
                header.Version,
                header.CorrelationId)
            : ScriptedBroker.Frame(new HeartbeatResponse { Error = (KafkaError)header.Version }, header.Version, header.CorrelationId));
        await using KafkaConnection connection = await KafkaConnection.ConnectAsync(broker.Endpoint, options, Cancel);

        using KafkaReply<HeartbeatResponse> reply = await connection.SendAsync(new HeartbeatRequest(), Cancel);

        Assert.Equal(3, reply.Version);
        Assert.Equal((KafkaError)3, reply.Message.Error);
        Assert.False(connection.TryNegotiate(ProduceRequest.Schema, out _));
        KafkaConnectionException none = await Assert.ThrowsAsync<KafkaConnectionException>(
            () => connection.SendAsync(new FetchRequest(), Cancel));
        Assert.Contains("FetchRequest", none.Message, StringComparison.Ordinal);
        Assert.True(connection.IsOpen);
    }

    [Fact]
    public async Task An_older_broker_is_asked_again_in_version_0()
    {
        List<short> asked = [];
        await using ScriptedBroker broker = new((header, _) =>
        {
            asked.Add(header.Version);
            return header.Version > 0
                ? ScriptedBroker.Frame(new ApiVersionsResponse { Error = KafkaError.UnsupportedVersion }, 0, header.CorrelationId)
                : ScriptedBroker.ServesAll(header);
        });

        await using KafkaConnection connection = await KafkaConnection.ConnectAsync(broker.Endpoint, options, Cancel);
        Assert.Equal([3, 0], asked);
        Assert.Equal(9, connection.NegotiatedVersion(ProduceRequest.Schema));
    }

    [Fact]
    public async Task Pipelined_requests_get_their_own_answers_and_records_go_out_by_reference()
    {
        await using ScriptedBroker broker = new((header, body) =>
        {
            if (header.Key == ApiKey.ApiVersions)
            {
                return ScriptedBroker.ServesAll(header);
            }

            KafkaReader reader = new(body);
            Assert.True(ProduceRequest.TryRead(ref reader, header.Version, out ProduceRequest? produce));
            ReadOnlyMemory<byte> records = produce.Topics[0].Partitions[0].Records.Memory;
            Assert.Equal(0, reader.Remaining);
            return ScriptedBroker.Frame(
                new ProduceResponse
                {
                    Topics = [new() { Partitions = [new() { BaseOffset = BinaryPrimitives.ReadInt64BigEndian(records.Span) }] }],
                },
                header.Version,
                header.CorrelationId);
        });
        await using KafkaConnection connection = await KafkaConnection.ConnectAsync(broker.Endpoint, options, Cancel);

        async Task OneAsync(int i)
        {
            byte[] records = new byte[1000 + (i * 37)];
            BinaryPrimitives.WriteInt64BigEndian(records, i);
            ProduceRequest request = new()
            {
                Acks = -1,
                Topics = [new() { Name = "t", Partitions = [new() { Records = new RecordBytes([records.AsMemory(0, 8), records.AsMemory(8)]) }] }],
            };
            using KafkaReply<ProduceResponse> reply = await connection.SendAsync(request, Cancel);
            Assert.Equal(i, reply.Message.Topics[0].Partitions[0].BaseOffset);
        }

        await Task.WhenAll(Enumerable.Range(0, 200).Select(OneAsync));
    }

    [Fact]
    public async Task A_closed_connection_fails_what_waits_and_what_comes()
    {
        await using ScriptedBroker broker = new((header, _) => header.Key == ApiKey.ApiVersions ? ScriptedBroker.ServesAll(header) : null);
        await using KafkaConnection connection = await KafkaConnection.ConnectAsync(broker.Endpoint, options, Cancel);
        Task[] waiting = [.. Enumerable.Range(0, 20).Select(_ => (Task)connection.SendAsync(new HeartbeatRequest(), Cancel))];
        foreach (Task one in waiting)
        {
            await Assert.ThrowsAsync<KafkaConnectionException>(() => one);
        }

        Assert.False(connection.IsOpen);
        await Assert.ThrowsAsync<KafkaConnectionException>(() => connection.SendAsync(new HeartbeatRequest(), Cancel));
    }

    [Theory]
    [InlineData("0000000400000063")] // the answer to another request
    [InlineData("00000003010203")] // shorter than a correlation id
    [InlineData("7FFFFFFF00000001")] // over the limit
    [InlineData("FFFFFFFF00000001")] // no length
    [InlineData("000000050000000100")] // cut inside the body
    public async Task An_answer_that_is_not_the_protocol_closes_the_connection(string hex)
    {
        await using ScriptedBroker broker = new((header, _) =>
            header.Key == ApiKey.ApiVersions ? ScriptedBroker.ServesAll(header) : Convert.FromHexString(hex));
        await using KafkaConnection connection = await KafkaConnection.ConnectAsync(broker.Endpoint, options, Cancel);
        await Assert.ThrowsAsync<KafkaConnectionException>(() => connection.SendAsync(new HeartbeatRequest(), Cancel));
        await Assert.ThrowsAsync<KafkaConnectionException>(() => connection.SendAsync(new HeartbeatRequest(), Cancel));
    }

    [Fact]
    public async Task Nobody_there_is_said_with_the_address()
    {
        KafkaEndpoint gone;
        await using (ScriptedBroker broker = new((_, _) => null))
        {
            gone = broker.Endpoint;
        }

        KafkaConnectionException wrong = await Assert.ThrowsAsync<KafkaConnectionException>(
            () => KafkaConnection.ConnectAsync(gone, options, Cancel));
        Assert.StartsWith(gone.ToString(), wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cluster_follows_the_leader_after_it_is_told_to_forget()
    {
        int leader = 1;
        ScriptedBroker? first = null;
        ScriptedBroker? second = null;
        byte[]? Answer(RequestHeader header, ReadOnlyMemory<byte> body)
        {
            if (header.Key == ApiKey.ApiVersions)
            {
                return ScriptedBroker.ServesAll(header);
            }

            KafkaReader reader = new(body);
            Assert.True(MetadataRequest.TryRead(ref reader, header.Version, out MetadataRequest? ask));
            return ScriptedBroker.Frame(
                new MetadataResponse
                {
                    ControllerId = 2,
                    Brokers =
                    [
                        new() { NodeId = 1, Host = "127.0.0.1", Port = first!.Endpoint.Port },
                        new() { NodeId = 2, Host = "127.0.0.1", Port = second!.Endpoint.Port },
                    ],
                    Topics = [.. ask.Topics!.Select(t => new MetadataResponse.Topic
                    {
                        Name = t.Name, Partitions = [new() { Index = 0, LeaderId = leader }, new() { Index = 1, LeaderId = -1 }],
                    })],
                },
                header.Version,
                header.CorrelationId);
        }

        first = new ScriptedBroker(Answer);
        second = new ScriptedBroker(Answer);
        await using (first)
        await using (second)
        {
            await using KafkaCluster cluster = new([first.Endpoint], options);
            Assert.Equal(1, await cluster.FindLeaderAsync("t", 0, Cancel));
            leader = 2;
            Assert.Equal(1, await cluster.FindLeaderAsync("t", 0, Cancel));
            cluster.Forget();
            Assert.Equal(2, await cluster.FindLeaderAsync("t", 0, Cancel));
            Assert.Null(await cluster.FindLeaderAsync("t", 1, Cancel));
            Assert.Equal(2, cluster.View!.PartitionCounts["t"]);
            KafkaConnection controller = await cluster.GetControllerAsync(Cancel);
            Assert.Equal(second.Endpoint, controller.Endpoint);
            Assert.Same(controller, await cluster.GetConnectionAsync(2, Cancel));
            Assert.Equal(1, second.Connections);
            await Assert.ThrowsAsync<KafkaConnectionException>(() => cluster.GetConnectionAsync(9, Cancel));
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task A_request_without_an_answer_in_time_closes_the_connection()
    {
        await using StillBroker broker = new(reads: true);
        await using KafkaConnection connection = await KafkaConnection.ConnectAsync(
            broker.Endpoint, options with { RequestTimeout = TimeSpan.FromSeconds(1) }, Cancel);

        KafkaConnectionException silent = await Assert.ThrowsAsync<KafkaConnectionException>(
            () => connection.SendAsync(new HeartbeatRequest(), Cancel));

        Assert.Equal($"{broker.Endpoint}: takes the connection and says nothing within 1 s", silent.Message);
        Assert.False(connection.IsOpen);
    }

    /// <summary>Red before: nothing but the end of the connection ended the wait.</summary>
    [Fact(Timeout = 60_000)]
    public async Task A_request_that_is_given_up_half_written_closes_the_connection()
    {
        await using StillBroker broker = new(reads: false);
        await using KafkaConnection connection = await KafkaConnection.ConnectAsync(broker.Endpoint, options, Cancel);
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        ProduceRequest large = new()
        {
            Topics = [new() { Name = "t", Partitions = [new() { Records = new RecordBytes(new byte[16 << 20]) }] }],
        };

        Task sending = connection.SendAsync(large, giveUp.Token);
        await Eventually.HoldsAsync(() => broker.Requests == 1, () => $"{broker.Requests} requests", deadlineMs: 30_000);
        await giveUp.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
        Assert.False(connection.IsOpen);
    }

    [Theory]
    [InlineData("localhost", "localhost", 9092)]
    [InlineData("h:1", "h", 1)]
    [InlineData("[::1]:9093", "::1", 9093)]
    [InlineData("[::1]", "::1", 9092)]
    [InlineData("::1", "::1", 9092)]
    public void Addresses_are_read(string text, string host, int port)
    {
        Assert.True(KafkaEndpoint.TryParse(text, out KafkaEndpoint endpoint));
        Assert.Equal(new KafkaEndpoint(host, port), endpoint);
    }

    [Theory]
    [InlineData("")]
    [InlineData("h:0")]
    [InlineData("h:65536")]
    [InlineData("h:x")]
    [InlineData(":9092")]
    [InlineData("http://h:9092")]
    [InlineData("kafka://h")]
    [InlineData("h/path")]
    [InlineData("h:9092/")]
    public void What_is_no_address_is_refused(string text) => Assert.False(KafkaEndpoint.TryParse(text, out _));
}
