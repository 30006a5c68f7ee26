using System.Collections.Concurrent;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Client;
using RaftMq.Kafka.Wire.Messages;
using RaftMq.Kafka.Wire.Tests.Client;
using RaftMq.Records;

namespace RaftMq.Cli.Tests.Brokers;

/// <summary>One node with one topic <c>t</c> of one partition, whose answers a test bends.</summary>
internal sealed class FakeBroker : IAsyncDisposable
{
    private readonly ScriptedBroker broker;
    private int offsetsAsked;
    private int metadataAsked;
    private int idsAsked;
    private readonly ConcurrentDictionary<int, int> nextSequences = [];

    /// <param name="port">0: any that is free.</param>
    public FakeBroker(int port = 0) => broker = new ScriptedBroker((header, body) =>
        header.Key == ApiKey.ApiVersions ? ScriptedBroker.ServesAll(header)
        : Answer(header, body) is { } answer ? ScriptedBroker.Frame(answer, header.Version, header.CorrelationId)
        : null, port)
    { FrameBytesMax = 64 << 20 };

    public string Bootstrap => broker.Endpoint.ToString();

    public long FirstOffset { get; set; }

    public long EndOffset { get; set; }

    /// <summary>What the n-th fetch is answered with, counted from 0.</summary>
    public Func<int, FetchResponse.Partition> Fetch { get; set; } = _ => new FetchResponse.Partition { Error = KafkaError.OffsetOutOfRange };

    public int Fetches { get; private set; }

    /// <summary>Which node the n-th metadata name as controller, counted from 0; -1: none.</summary>
    public Func<int, int> Controller { get; set; } = _ => 0;

    /// <summary>What the n-th request to create or delete a topic is answered with, counted from 0; null closes the connection.</summary>
    public Func<int, KafkaError?> Change { get; set; } = _ => KafkaError.None;

    public int Changes { get; private set; }

    /// <summary>How many partitions the topic has; all are led by this node.</summary>
    public int Partitions { get; init; } = 1;

    /// <summary>Nodes 1 and on of the cluster.</summary>
    public IReadOnlyList<KafkaEndpoint> Others { get; init; } = [];

    /// <summary>Which node leads, by the n-th metadata, counted from 0.</summary>
    public Func<int, int> Leader { get; init; } = _ => 0;

    /// <summary>Whether the connection is closed instead of the n-th metadata, or producer id, counted from 0.</summary>
    public Func<ApiKey, int, bool> Breaks { get; init; } = (_, _) => false;

    /// <summary>Whether the connection is closed instead of the n-th answer to a send, counted from 0, after what it answers was done.</summary>
    public Func<int, bool> LosesAnswer { get; init; } = _ => false;

    /// <summary>What is stored, in its order.</summary>
    public ConcurrentQueue<Sent> Stored { get; } = [];

    /// <summary>
    /// What the n-th send is answered with, counted from 0, given what it brings; null closes the connection. With no error it is stored, but only
    /// with the sequence that is next.
    /// </summary>
    public Func<int, Sent, ProduceResponse.Partition?> Produce { get; set; } = (_, _) => new ProduceResponse.Partition();

    /// <summary>What sends brought, in the order in which they came, acknowledged or not.</summary>
    public ConcurrentQueue<Sent> Sends { get; } = [];

    /// <summary>What it says of its own configuration and of the topic's.</summary>
    public Dictionary<string, string> Settings { get; } = [];

    /// <param name="Sequence">Of the first record.</param>
    internal sealed record Sent(int Partition, int Sequence, IReadOnlyList<(byte[]? Key, byte[] Value)> Records);

    public static FetchResponse.Partition Record(long offset, string value)
    {
        var builder = new RecordBatchBuilder();
        builder.Append(1000, null, System.Text.Encoding.UTF8.GetBytes(value));
        byte[] batch = builder.Build().ToArray();
        RecordBatchPatch.SetBaseOffset(batch, offset);
        return new FetchResponse.Partition { HighWatermark = offset + 1, Records = new RecordBytes(batch) };
    }

    public ValueTask DisposeAsync() => broker.DisposeAsync();

    private IKafkaMessage? Answer(RequestHeader header, ReadOnlyMemory<byte> body) => header.Key switch
    {
        ApiKey.Metadata => Breaks(ApiKey.Metadata, metadataAsked++) ? null : Metadata(metadataAsked - 1),
        ApiKey.ListOffsets => Offsets(),
        ApiKey.DescribeConfigs => new DescribeConfigsResponse
        {
            Results =
            [
                new DescribeConfigsResponse.Result
                {
                    ResourceType = 4,
                    ResourceName = "0",
                    Configs = [.. Settings.Select(setting => new DescribeConfigsResponse.Config { Name = setting.Key, Value = setting.Value, Synonyms = [] })],
                },
            ],
        },
        ApiKey.CreateTopics => Change(Changes++) is { } error
            ? new CreateTopicsResponse { Topics = [new CreateTopicsResponse.Topic { Name = "t", Error = error, Configs = null }] }
            : null,
        ApiKey.DeleteTopics => Change(Changes++) is { } error
            ? new DeleteTopicsResponse { Responses = [new DeleteTopicsResponse.Response { Name = "t", Error = error }] }
            : null,
        ApiKey.InitProducerId => Breaks(ApiKey.InitProducerId, idsAsked++) ? null : new InitProducerIdResponse { ProducerId = 7 },
        ApiKey.Produce => Answer(Read(header, body)) is { } answer
            ? new ProduceResponse { Topics = [new ProduceResponse.Topic { Name = "t", Partitions = [answer] }] }
            : null,
        _ => new FetchResponse { Topics = [new FetchResponse.Topic { Name = "t", Partitions = [Fetch(Fetches++)] }] },
    };

    private MetadataResponse Metadata(int n) => new()
    {
        ControllerId = Controller(n),
        Brokers =
        [
            .. Others.Prepend(broker.Endpoint).Select((node, id) => new MetadataResponse.Broker { NodeId = id, Host = node.Host, Port = node.Port }),
        ],
        Topics =
        [
            new MetadataResponse.Topic
            {
                Name = "t",
                Partitions =
                [
                    .. Enumerable.Range(0, Partitions).Select(
                        index => new MetadataResponse.Partition { Index = index, LeaderId = Leader(n), ReplicaNodes = [0], IsrNodes = [0] }),
                ],
            },
        ],
    };

    private static Sent Read(RequestHeader header, ReadOnlyMemory<byte> body)
    {
        KafkaReader reader = new(body);
        Assert.True(ProduceRequest.TryRead(ref reader, header.Version, out ProduceRequest? request));
        ProduceRequest.Partition partition = Assert.Single(Assert.Single(request.Topics).Partitions);
        Assert.IsType<RecordBatchVerdict.Valid>(RecordBatchValidator.Validate(partition.Records.Memory.Span));
        Assert.True(RecordBatchHeader.TryRead(partition.Records.Memory.Span, out RecordBatchHeader batch));
        List<(byte[]?, byte[])> records = [];
        var each = new RecordReader(batch, partition.Records.Memory.Span[RecordBatchLayout.HeaderBytes..]);
        while (each.TryNext(out RecordView record))
        {
            records.Add((record.HasKey ? record.Key.ToArray() : null, record.Value.ToArray()));
        }

        return new Sent(partition.Index, batch.BaseSequence, records);
    }

    private ProduceResponse.Partition? Answer(Sent sent)
    {
        int n = Sends.Count;
        Sends.Enqueue(sent);
        ProduceResponse.Partition? answer = Produce(n, sent);
        answer?.Index = sent.Partition;
        if (answer is { Error: KafkaError.None })
        {
            answer.Error = Store(sent);
        }

        return LosesAnswer(n) ? null : answer;
    }

    private KafkaError Store(Sent sent)
    {
        int next = nextSequences.GetOrAdd(sent.Partition, 0);
        if (sent.Sequence != next)
        {
            return sent.Sequence + sent.Records.Count <= next ? KafkaError.DuplicateSequenceNumber : KafkaError.OutOfOrderSequenceNumber;
        }

        nextSequences[sent.Partition] = next + sent.Records.Count;
        Stored.Enqueue(sent);
        return KafkaError.None;
    }

    /// <summary>The end is asked for first, then the beginning.</summary>
    private ListOffsetsResponse Offsets()
    {
        long offset = offsetsAsked++ == 0 ? EndOffset : FirstOffset;
        return new ListOffsetsResponse
        {
            Topics = [new ListOffsetsResponse.Topic { Name = "t", Partitions = [new ListOffsetsResponse.Partition { Index = 0, Offset = offset }] }],
        };
    }
}
