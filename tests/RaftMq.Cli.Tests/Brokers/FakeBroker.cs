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

    public FakeBroker() => broker = new ScriptedBroker((header, _) =>
        header.Key == ApiKey.ApiVersions ? ScriptedBroker.ServesAll(header) : ScriptedBroker.Frame(Answer(header), header.Version, header.CorrelationId));

    public string Bootstrap => broker.Endpoint.ToString();

    public long FirstOffset { get; set; }

    public long EndOffset { get; set; }

    /// <summary>What the n-th fetch is answered with, counted from 0.</summary>
    public Func<int, FetchResponse.Partition> Fetch { get; set; } = _ => new FetchResponse.Partition { Error = KafkaError.OffsetOutOfRange };

    public int Fetches { get; private set; }

    public static FetchResponse.Partition Record(long offset, string value)
    {
        var builder = new RecordBatchBuilder();
        builder.Append(1000, null, System.Text.Encoding.UTF8.GetBytes(value));
        byte[] batch = builder.Build().ToArray();
        RecordBatchPatch.SetBaseOffset(batch, offset);
        return new FetchResponse.Partition { HighWatermark = offset + 1, Records = new RecordBytes(batch) };
    }

    public ValueTask DisposeAsync() => broker.DisposeAsync();

    private IKafkaMessage Answer(RequestHeader header) => header.Key switch
    {
        ApiKey.Metadata => new MetadataResponse
        {
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
