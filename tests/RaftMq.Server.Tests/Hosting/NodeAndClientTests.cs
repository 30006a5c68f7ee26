using System.Diagnostics;
using System.Globalization;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Client;
using RaftMq.Kafka.Wire.Messages;
using RaftMq.Records;
using RaftMq.Testing.Kafka;
using RaftMq.Testing.Processes;

namespace RaftMq.Server.Tests.Hosting;

/// <summary>The real process and a client on its listener: what the settings promise a client, and what the metrics say of what it did.</summary>
public sealed class NodeAndClientTests : IAsyncLifetime
{
    private const int BatchBytesMax = 20_000;

    private TestCluster _cluster = null!;
    private KafkaConnection _client = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _cluster = await TestCluster.StartAsync(
            new TestClusterOptions
            {
                Nodes = 1,
                Settings = new Dictionary<string, string> { ["limits.record.batch.bytes"] = BatchBytesMax.ToString(CultureInfo.InvariantCulture) },
            },
            Cancellation);
        _client = await KafkaConnection.ConnectAsync(
            new KafkaEndpoint("127.0.0.1", _cluster.Nodes[0].KafkaPort), new KafkaConnectionOptions(), Cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task Setting_for_the_largest_batch_counts_where_the_topic_says_none()
    {
        await CreateTopicAsync("plain");
        await CreateTopicAsync("own", ("max.message.bytes", "40000"));

        Assert.Equal(KafkaError.None, (await ProduceAsync("plain", Sized(BatchBytesMax))).Error);
        ProduceResponse.Partition refused = await ProduceAsync("plain", Sized(BatchBytesMax + 1));
        Assert.Equal(KafkaError.MessageTooLarge, refused.Error);
        Assert.Contains("limits.record.batch.bytes", refused.ErrorMessage);
        Assert.Equal(KafkaError.None, (await ProduceAsync("own", Sized(40_000))).Error);
        Assert.Equal(KafkaError.MessageTooLarge, (await ProduceAsync("own", Sized(40_001))).Error);
    }

    [Fact]
    public async Task Records_get_the_brokers_time_and_are_refused_for_theirs_as_the_topic_says()
    {
        await CreateTopicAsync("appended", ("message.timestamp.type", "LogAppendTime"));
        await CreateTopicAsync("judged", ("message.timestamp.before.max.ms", "3600000"), ("message.timestamp.after.max.ms", "3600000"));
        long before = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();

        ProduceResponse.Partition stored = await ProduceAsync("appended", Batch(1, timestampMs: 12_345));

        long after = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        Assert.InRange(stored.LogAppendTimeMs, before, after);
        RecordBatchHeader read = Assert.Single(await ReadAsync("appended"));
        Assert.Equal((TimestampType.LogAppendTime, stored.LogAppendTimeMs), (read.TimestampType, read.MaxTimestampMs));

        const long twoHoursMs = 7_200_000;
        Assert.Equal(KafkaError.InvalidTimestamp, (await ProduceAsync("judged", Batch(1, before - twoHoursMs))).Error);
        Assert.Equal(KafkaError.InvalidTimestamp, (await ProduceAsync("judged", Batch(1, after + twoHoursMs))).Error);
        ProduceResponse.Partition taken = await ProduceAsync("judged", Batch(1, before));
        Assert.Equal((KafkaError.None, 0L, -1L), (taken.Error, taken.BaseOffset, taken.LogAppendTimeMs));
        read = Assert.Single(await ReadAsync("judged"));
        Assert.Equal((TimestampType.CreateTime, before), (read.TimestampType, read.MaxTimestampMs));
    }

    [Fact]
    public async Task Metrics_say_what_was_written_and_how_long_requests_took()
    {
        const string produce = "raftmq_kafka_request_duration_seconds_{0}{{api=\"produce\"{1}}}";
        const string fetch = "raftmq_kafka_request_duration_seconds_{0}{{api=\"fetch\"{1}}}";
        await CreateTopicAsync("counted");
        long from = Stopwatch.GetTimestamp();
        for (int i = 0; i < 5; i++)
        {
            await ProduceAsync("counted", Batch(records: 3, timestampMs: 1));
        }

        await WaitForRecordsAsync("counted", offset: 15, waitMs: 300);
        double elapsed = Stopwatch.GetElapsedTime(from).TotalSeconds;

        Dictionary<string, double> metrics = await MetricsAsync();
        Assert.Equal(15, metrics["raftmq_partition_log_end_offset{topic=\"counted\",partition=\"0\"}"]);
        Assert.Equal(15, metrics["raftmq_partition_high_watermark_offset{topic=\"counted\",partition=\"0\"}"]);
        Assert.Equal(0, metrics["raftmq_partition_log_start_offset{topic=\"counted\",partition=\"0\"}"]);
        Assert.Equal(5, metrics[Named(produce, "count")]);
        Assert.Equal(5, metrics[Named(produce, "bucket", "+Inf")]);
        Assert.InRange(metrics[Named(produce, "sum")], 5e-6, elapsed);

        // One answer that was held for 0.3 s: in no bucket below that, in all above what the test took.
        Assert.Equal(1, metrics[Named(fetch, "count")]);
        Assert.InRange(metrics[Named(fetch, "sum")], 0.29, elapsed);
        Assert.Equal(0, metrics[Named(fetch, "bucket", "0.25")]);
        Assert.Equal(1, metrics[Named(fetch, "bucket", "+Inf")]);
    }

    /// <summary>Tools that speak Kafka's protocol find the metrics so.</summary>
    [Fact]
    public async Task Node_says_where_its_HTTP_is()
    {
        using KafkaReply<DescribeConfigsResponse> reply = await _client.SendAsync(
            new DescribeConfigsRequest { Resources = [new() { ResourceType = 4, ResourceName = "1", ConfigurationKeys = ["http.advertised"] }] }, Cancellation);

        Assert.Equal($"127.0.0.1:{_cluster.Nodes[0].HttpPort}", Assert.Single(reply.Message.Results[0].Configs).Value);
    }

    [Fact]
    public async Task Limits_show_what_the_busiest_connection_uses()
    {
        await CreateTopicAsync("watched");
        Task waiting = WaitForRecordsAsync("watched", offset: 0, waitMs: 60_000);

        await _cluster.EventuallyAsync(
            "the waiting request is counted",
            async () => (await MetricsAsync())["raftmq_limit_used{limit=\"requests_in_flight_per_connection\"}"] is 1 ? null : "it is not",
            TimeSpan.FromSeconds(10), Cancellation);

        Assert.Equal(64, (await MetricsAsync())["raftmq_limit_max{limit=\"requests_in_flight_per_connection\"}"]);
        await using KafkaConnection other = await KafkaConnection.ConnectAsync(
            new KafkaEndpoint("127.0.0.1", _cluster.Nodes[0].KafkaPort), new KafkaConnectionOptions(), Cancellation);
        await ProduceAsync("watched", Batch(1, 1), other);
        await waiting;
        Assert.Equal(0, (await MetricsAsync())["raftmq_limit_used{limit=\"requests_in_flight_per_connection\"}"]);
    }

    private static string Named(string family, string suffix, string? bound = null) =>
        string.Format(CultureInfo.InvariantCulture, family, suffix, bound is null ? "" : $",le=\"{bound}\"");

    private static byte[] Batch(int records, long timestampMs, int valueBytes = 10)
    {
        RecordBatchBuilder builder = new();
        for (int i = 0; i < records; i++)
        {
            builder.Append(timestampMs, "key"u8.ToArray(), new byte[valueBytes]);
        }

        return builder.ToArray();
    }

    private static byte[] Sized(int bytes)
    {
        // Lengths are varints: with a value of about that size the overhead is what it will be.
        byte[] batch = Batch(1, 1, bytes - (Batch(1, 1, bytes - 100).Length - (bytes - 100)));
        Assert.Equal(bytes, batch.Length);
        return batch;
    }

    private async Task CreateTopicAsync(string name, params (string Name, string Value)[] configs)
    {
        using KafkaReply<CreateTopicsResponse> reply = await _client.SendAsync(
            new CreateTopicsRequest
            {
                Topics =
                [
                    new CreateTopicsRequest.Topic
                    {
                        Name = name, NumPartitions = 1, ReplicationFactor = 1, Assignments = [],
                        Configs = [.. configs.Select(config => new CreateTopicsRequest.Config { Name = config.Name, Value = config.Value })],
                    },
                ],
                TimeoutMs = 20_000,
            },
            Cancellation);
        Assert.Equal(KafkaError.None, reply.Message.Topics[0].Error);
        await _cluster.WaitForLeaderAsync(name, 0, Cancellation);
    }

    private Task<ProduceResponse.Partition> ProduceAsync(string topic, byte[] batch) => ProduceAsync(topic, batch, _client);

    private static async Task<ProduceResponse.Partition> ProduceAsync(string topic, byte[] batch, KafkaConnection client)
    {
        using KafkaReply<ProduceResponse> reply = await client.SendAsync(
            new ProduceRequest
            {
                Acks = -1,
                TimeoutMs = 20_000,
                Topics =
                [
                    new ProduceRequest.Topic
                    {
                        Name = topic, Partitions = [new ProduceRequest.Partition { Index = 0, Records = new RecordBytes(batch) }],
                    },
                ],
            },
            Cancellation);
        return reply.Message.Topics[0].Partitions[0];
    }

    private async Task<List<RecordBatchHeader>> ReadAsync(string topic)
    {
        List<RecordBatchHeader> found = [];
        await PartitionReader.ReadAsync(_client, topic, 0, (in header, _) => found.Add(header), Cancellation);
        return found;
    }

    private async Task WaitForRecordsAsync(string topic, long offset, int waitMs)
    {
        using KafkaReply<FetchResponse> reply = await _client.SendAsync(
            new FetchRequest
            {
                MaxWaitMs = waitMs,
                MinBytes = 1,
                Topics =
                [
                    new FetchRequest.Topic
                    {
                        Name = topic, Partitions = [new FetchRequest.Partition { Index = 0, FetchOffset = offset, PartitionMaxBytes = 1 << 20 }],
                    },
                ],
            },
            Cancellation);
        Assert.Equal(KafkaError.None, reply.Message.Topics[0].Partitions[0].Error);
    }

    private async Task<Dictionary<string, double>> MetricsAsync()
    {
        string text = await _cluster.GetTextAsync(_cluster.Nodes[0], "/metrics", Cancellation);
        return text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => line[0] != '#')
            .ToDictionary(line => line[..line.LastIndexOf(' ')], line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
    }
}
