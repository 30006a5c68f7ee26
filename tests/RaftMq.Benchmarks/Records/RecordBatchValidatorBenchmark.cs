using BenchmarkDotNet.Attributes;
using RaftMq.Records;

namespace RaftMq.Benchmarks.Records;

/// <summary>What a broker spends on a producer's batch before it is written: CRC and, uncompressed, every record.</summary>
[MemoryDiagnoser]
public class RecordBatchValidatorBenchmark
{
    private byte[] batch = [];

    [Params(16, 1000)]
    public int Count { get; set; }

    [Params(100, 1024)]
    public int RecordBytes { get; set; }

    [GlobalSetup]
    public void Build()
    {
        RecordBatchBuilder builder = new();
        Random random = new(1);
        for (int i = 0; i < Count; i++)
        {
            byte[] value = new byte[RecordBytes];
            random.NextBytes(value);
            builder.Append(i, null, value);
        }

        batch = builder.ToArray();
    }

    [Benchmark]
    public RecordBatchVerdict Validate() => RecordBatchValidator.Validate(batch);
}
