using System.Buffers.Binary;
using System.Security.Cryptography;
using RaftMq.Records;

namespace RaftMq.Cli.Bench;

/// <summary>
/// The value of a measured record: CRC-32C of the rest, run, producer, partition, number, time sent, then random bytes. Each record is
/// built and summed by itself; what is random comes from a pool made before the run, so that no compression on the way could help.
/// </summary>
internal sealed class BenchPayload
{
    /// <summary>The fixed part: 4 + 4 + 4 + 4 + 8 + 8 bytes.</summary>
    public const int BytesMin = 32;

    private const int PoolBytesMin = 1 << 20;
    private const int RunAt = 4;
    private const int ProducerAt = 8;
    private const int PartitionAt = 12;
    private const int NumberAt = 16;
    private const int SentAt = 24;

    private readonly byte[] pool;
    private readonly byte[] value;
    private readonly uint run;
    private int poolAt;

    public BenchPayload(uint run, int recordBytes)
    {
        this.run = run;
        value = new byte[recordBytes];
        pool = RandomNumberGenerator.GetBytes(PoolBytesMin + recordBytes);
    }

    /// <summary>Valid until the next one is made.</summary>
    public ReadOnlySpan<byte> Make(int producer, int partition, long number, long sentTicks)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(value.AsSpan(RunAt), run);
        BinaryPrimitives.WriteInt32LittleEndian(value.AsSpan(ProducerAt), producer);
        BinaryPrimitives.WriteInt32LittleEndian(value.AsSpan(PartitionAt), partition);
        BinaryPrimitives.WriteInt64LittleEndian(value.AsSpan(NumberAt), number);
        BinaryPrimitives.WriteInt64LittleEndian(value.AsSpan(SentAt), sentTicks);

        // An odd step, so that records begin at ever other places of the pool.
        poolAt = (poolAt + value.Length + 1) % PoolBytesMin;
        pool.AsSpan(poolAt, value.Length - BytesMin).CopyTo(value.AsSpan(BytesMin));
        BinaryPrimitives.WriteUInt32LittleEndian(value, Crc32C.Compute(value.AsSpan(RunAt)));
        return value;
    }

    /// <summary>Whether the sum is right; the fields are valid then.</summary>
    public static bool TryRead(ReadOnlySpan<byte> value, out BenchRecord record)
    {
        record = default;
        if (value.Length < BytesMin || BinaryPrimitives.ReadUInt32LittleEndian(value) != Crc32C.Compute(value[RunAt..]))
        {
            return false;
        }

        record = new BenchRecord(
            BinaryPrimitives.ReadUInt32LittleEndian(value[RunAt..]),
            BinaryPrimitives.ReadInt32LittleEndian(value[ProducerAt..]),
            BinaryPrimitives.ReadInt32LittleEndian(value[PartitionAt..]),
            BinaryPrimitives.ReadInt64LittleEndian(value[NumberAt..]),
            BinaryPrimitives.ReadInt64LittleEndian(value[SentAt..]));
        return true;
    }
}
