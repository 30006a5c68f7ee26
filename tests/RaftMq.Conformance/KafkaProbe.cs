using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Client;
using RaftMq.Kafka.Wire.Messages;
using RaftMq.Records;
using RaftMq.Testing.Kafka;
using RaftMq.Testing.Processes;

namespace RaftMq.Conformance;

/// <summary>What no client library shows: the batches as they lie in the log, answers with their error codes, topics made to measure.</summary>
internal sealed class KafkaProbe : IAsyncDisposable
{
    private readonly KafkaCluster cluster;

    public KafkaProbe(TestCluster nodes)
    {
        bool parsed = KafkaEndpoint.TryParseList(nodes.Bootstrap, out IReadOnlyList<KafkaEndpoint> bootstrap);
        Assert.True(parsed, nodes.Bootstrap);
        cluster = new KafkaCluster(bootstrap, new KafkaConnectionOptions());
    }

    public Task CreateTopicAsync(string topic, int partitions = 4, params (string Name, string Value)[] configs) =>
        CreateTopicAsync(topic, partitions, replicas: 3, configs);

    public async Task CreateTopicAsync(string topic, int partitions, short replicas, params (string Name, string Value)[] configs)
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        KafkaConnection controller = await cluster.GetControllerAsync(cancellation);
        CreateTopicsRequest request = new()
        {
            Topics =
            [
                new CreateTopicsRequest.Topic
                {
                    Name = topic, NumPartitions = partitions, ReplicationFactor = replicas, Assignments = [],
                    Configs = [.. configs.Select(config => new CreateTopicsRequest.Config { Name = config.Name, Value = config.Value })],
                },
            ],
            TimeoutMs = 20_000,
        };
        using KafkaReply<CreateTopicsResponse> reply = await controller.SendAsync(request, cancellation);
        CreateTopicsResponse.Topic answer = reply.Message.Topics[0];
        Assert.True(answer.Error == KafkaError.None, $"{topic}: {answer.Error} {answer.ErrorMessage}");
    }

    /// <summary>The headers of all batches of a topic, read from each partition's leader.</summary>
    public async Task<List<RecordBatchHeader>> BatchesAsync(string topic)
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        ClusterView view = await cluster.RefreshAsync([topic], cancellation);
        List<RecordBatchHeader> found = [];
        for (int partition = 0; partition < view.PartitionCounts[topic]; partition++)
        {
            await ReadPartitionAsync(topic, partition, found, cancellation);
        }

        return found;
    }

    /// <summary>Sends one record with acks=all to the node that leads and gives the answer for it.</summary>
    public async Task<(KafkaError Error, long Offset)> ProduceAsync(
        string topic, int partition, int timeoutMs, int? node = null, byte[]? value = null)
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        node ??= await cluster.FindLeaderAsync(topic, partition, cancellation);
        KafkaConnection connection = await cluster.GetConnectionAsync(node!.Value, cancellation);
        ProduceRequest request = new()
        {
            Acks = -1,
            TimeoutMs = timeoutMs,
            Topics =
            [
                new ProduceRequest.Topic
                {
                    Name = topic,
                    Partitions = [new ProduceRequest.Partition { Index = partition, Records = new RecordBytes(OneRecord(value ?? "value"u8.ToArray())) }],
                },
            ],
        };
        using KafkaReply<ProduceResponse> reply = await connection.SendAsync(request, cancellation);
        ProduceResponse.Partition answer = reply.Message.Topics[0].Partitions[0];
        return (answer.Error, answer.BaseOffset);
    }

    /// <summary>Makes sure a connection to a node stands, so that a later call needs no metadata.</summary>
    public async Task ConnectAsync(int node) => await cluster.GetConnectionAsync(node, TestContext.Current.CancellationToken);

    /// <returns>The node that leads, as whichever node is asked knows it now; null while there is none.</returns>
    public async Task<int?> FindLeaderAsync(string topic, int partition)
    {
        ClusterView view = await cluster.RefreshAsync([topic], TestContext.Current.CancellationToken);
        return view.TryFindLeader(topic, partition, out int node) ? node : null;
    }

    public ValueTask DisposeAsync() => cluster.DisposeAsync();

    private static byte[] OneRecord(byte[] value)
    {
        RecordBatchBuilder builder = new();
        builder.Append(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), "key"u8.ToArray(), value);
        return builder.ToArray();
    }

    private async Task ReadPartitionAsync(string topic, int partition, List<RecordBatchHeader> found, CancellationToken cancellation)
    {
        int leader = await cluster.FindLeaderAsync(topic, partition, cancellation) ?? throw new InvalidOperationException("no leader");
        KafkaConnection connection = await cluster.GetConnectionAsync(leader, cancellation);
        await PartitionReader.ReadAsync(connection, topic, partition, (in header, _) => found.Add(header), cancellation);
    }
}
