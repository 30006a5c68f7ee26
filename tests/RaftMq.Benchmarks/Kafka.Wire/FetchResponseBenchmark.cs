using BenchmarkDotNet.Attributes;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Benchmarks.Kafka.Wire;

/// <summary>The fetch path of the codec: a gathered answer whose records go out by reference.</summary>
[MemoryDiagnoser]
public class FetchResponseBenchmark : IDisposable
{
    private readonly KafkaWriter writer = new();
    private readonly List<ReadOnlyMemory<byte>> segments = [];
    private FetchResponse answer = new();

    [Params(1, 16)]
    public int Partitions { get; set; }

    [GlobalSetup]
    public void Build() => answer = new FetchResponse
    {
        Topics =
        [
            new()
            {
                Name = "orders",
                Partitions =
                [
                    .. Enumerable.Range(0, Partitions).Select(
                        i => new FetchResponse.Partition { Index = i, Records = new RecordBytes(new byte[64 * 1024]) }),
                ],
            },
        ],
    };

    [Benchmark]
    public int Write()
    {
        writer.Clear();
        segments.Clear();
        KafkaFrameWriter.WriteResponse(writer, answer, 12, 1);
        writer.AppendSegments(segments);
        return segments.Count;
    }

    [GlobalCleanup]
    public void Dispose()
    {
        writer.Dispose();
        GC.SuppressFinalize(this);
    }
}
