using BenchmarkDotNet.Attributes;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Benchmarks.Kafka.Wire;

/// <summary>The produce path of the codec: request in, answer out. The records are not touched, so their size does not matter.</summary>
[MemoryDiagnoser]
public class ProduceRequestBenchmark : IDisposable
{
    private readonly NameCache names = new();
    private readonly KafkaWriter writer = new();
    private byte[] frame = [];
    private ProduceResponse answer = new();

    [Params(7, 9)]
    public int Version { get; set; }

    [Params(1, 16)]
    public int Partitions { get; set; }

    [GlobalSetup]
    public void Build()
    {
        ProduceRequest request = new()
        {
            Acks = -1,
            TimeoutMs = 30_000,
            Topics =
            [
                new()
                {
                    Name = "orders",
                    Partitions =
                    [
                        .. Enumerable.Range(0, Partitions).Select(
                            i => new ProduceRequest.Partition { Index = i, Records = new RecordBytes(new byte[16 * 1024]) }),
                    ],
                },
            ],
        };
        using KafkaWriter whole = new();
        KafkaFrameWriter.WriteRequest(whole, request, Version, 1, "benchmark");
        frame = whole.ToArray()[KafkaFrameReader.LengthPrefixBytes..];
        answer = new ProduceResponse
        {
            Topics =
            [
                new()
                {
                    Name = "orders",
                    Partitions = [.. Enumerable.Range(0, Partitions).Select(i => new ProduceResponse.Partition { Index = i })],
                },
            ],
        };
    }

    [Benchmark]
    public ProduceRequest? Read()
    {
        KafkaReader reader = new(frame, names);
        KafkaFrameReader.TryReadRequestHeader(ref reader, out _);
        ProduceRequest.TryRead(ref reader, Version, out ProduceRequest? request);
        return request;
    }

    [Benchmark]
    public int WriteAnswer()
    {
        writer.Clear();
        KafkaFrameWriter.WriteResponse(writer, answer, Version, 1);
        return writer.Length;
    }

    [GlobalCleanup]
    public void Dispose()
    {
        writer.Dispose();
        GC.SuppressFinalize(this);
    }
}
