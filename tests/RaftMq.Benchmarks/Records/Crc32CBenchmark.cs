using BenchmarkDotNet.Attributes;
using RaftMq.Records;

namespace RaftMq.Benchmarks.Records;

/// <summary>The checksum over one batch: three lanes against one.</summary>
[MemoryDiagnoser]
public class Crc32CBenchmark
{
    private byte[] bytes = [];

    [Params(256, 1024, 16 * 1024, 1024 * 1024)]
    public int Size { get; set; }

    [GlobalSetup]
    public void Fill()
    {
        bytes = new byte[Size];
        new Random(1).NextBytes(bytes);
    }

    [Benchmark(Baseline = true)]
    public uint OneLane() => Crc32C.OneLane(~0u, bytes);

    [Benchmark]
    public uint ThreeLanes() => Crc32C.Compute(bytes);
}
