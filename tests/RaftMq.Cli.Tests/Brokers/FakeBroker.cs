using RaftMq.Kafka.Wire;
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

    public FakeBroker() => broker = new ScriptedBroker((header, _) =>
        header.Key == ApiKey.ApiVersions ? ScriptedBroker.ServesAll(header)
        : Answer(header) is { } answer ? ScriptedBroker.Frame(answer, header.Version, header.CorrelationId)
        : null);

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

    /// <summary>What it says of its own configuration.</summary>
    public Dictionary<string, string> Settings { get; } = [];

    public static FetchResponse.Partition Record(long offset, string value)
    {
        var builder = new RecordBatchBuilder();
        builder.Append(1000, null, System.Text.Encoding.UTF8.GetBytes(value));
        byte[] batch = builder.Build().ToArray();
        RecordBatchPatch.SetBaseOffset(batch, offset);
        return new FetchResponse.Partition { HighWatermark = offset + 1, Records = new RecordBytes(batch) };
    }

    public ValueTask DisposeAsync() => broker.DisposeAsync();

    private IKafkaMessage? Answer(RequestHeader header) => header.Key switch
    {
        ApiKey.Metadata => new MetadataResponse
        {
            ControllerId = Controller(metadataAsked++),
            Brokers = [new MetadataResponse.Broker { NodeId = 0, Host = broker.Endpoint.Host, Port = broker.Endpoint.Port }],
            Topics =
            [
                new MetadataResponse.Topic
                {
                    Name = "t", Partitions = [new MetadataResponse.Partition { Index = 0, LeaderId = 0, ReplicaNodes = [0], IsrNodes = [0] }],
                },
            ],
        },
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
        _ => new FetchResponse { Topics = [new FetchResponse.Topic { Name = "t", Partitions = [Fetch(Fetches++)] }] },
    };

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
