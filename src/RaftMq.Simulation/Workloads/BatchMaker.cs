using System.Buffers.Binary;
using RaftMq.Raft;
using RaftMq.Records;
using RaftMq.Simulation.Checkers;

namespace RaftMq.Simulation.Workloads;

/// <summary>Builds record batches of many shapes. The first record's value starts with the batch's mark; no two records are equal.</summary>
internal sealed class BatchMaker(RandomSource random, int largeOneIn, int timeSpreadMs)
{
    /// <summary>A fixed day near the simulated clocks' start.</summary>
    private const long StartUnixMs = 1_767_225_600_000;

    private readonly RecordBatchBuilder _builder = new();
    private readonly byte[] _value = new byte[128 * 1024];

    /// <summary>Virtual time as a clock would show it that neither drifts nor jumps.</summary>
    public static long UnixMs(long nowUs) => StartUnixMs + (nowUs / 1000);

    public byte[] Make(Mark mark, long producer, int baseSequence, long nowUs, out int count, out long timestampMs)
    {
        timestampMs = UnixMs(nowUs) + (timeSpreadMs > 0 ? random.Next(2 * timeSpreadMs) - timeSpreadMs : 0);
        (count, int valueBytes) = DrawShape();
        _builder.Clear();
        _builder.ProducerId = producer;
        _builder.ProducerEpoch = (short)(producer < 0 ? -1 : 0);
        _builder.BaseSequence = producer < 0 ? -1 : baseSequence;
        for (int i = 0; i < count; i++)
        {
            Span<byte> value = _value.AsSpan(0, valueBytes + Mark.LengthBytes);
            int at = 0;
            if (i == 0)
            {
                mark.Write(value);
                at = Mark.LengthBytes;
            }

            Fill(value[at..], mark, i);
            _builder.Append(timestampMs, random.OneIn(3), value.Slice(at, 8), hasValue: true, value);
        }

        return _builder.ToArray();
    }

    private (int Count, int ValueBytes) DrawShape()
    {
        if (!random.OneIn(largeOneIn))
        {
            int count = random.OneIn(2) ? 1 : random.Next(2, 12);
            return (count, random.OneIn(10) ? random.Next(1024, 4096) : random.Next(8, 120));
        }

        // Few large records or many small ones.
        return random.OneIn(2) ? (random.Next(1, 4), random.Next(4 * 1024, 64 * 1024)) : (random.Next(50, 300), random.Next(8, 300));
    }

    private static void Fill(Span<byte> bytes, Mark mark, int record)
    {
        ulong state = (mark.Value << 20) + (ulong)record + 1;
        while (bytes.Length >= 8)
        {
            state = (state ^ (state >> 31)) * 0x9E3779B97F4A7C15;
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, state);
            bytes = bytes[8..];
        }

        bytes.Fill((byte)record);
    }
}
