using System.Diagnostics;
using RaftMq.Records;

namespace RaftMq.Cli.Brokers;

/// <summary>The next batch of one partition: its records, and the line that each came from.</summary>
internal sealed class PartitionBatch
{
    /// <summary>What a record takes in a batch beside key and value, at most: five lengths and numbers, an attribute byte.</summary>
    public const int RecordOverheadBytesMax = 40;

    /// <summary>A buffer that grew beyond this for one large record is let go with it.</summary>
    private const int BufferBytesKept = 1 << 20;

    private readonly List<long> lines = [];
    private RecordBatchBuilder builder = new();

    /// <summary>Of its first record.</summary>
    public int Sequence { get; private set; }

    /// <summary>When the first of its records came, by the stopwatch.</summary>
    public long FirstAt { get; private set; }

    public int Count => builder.Count;

    public int SizeBytes => builder.SizeBytes;

    public long FirstLine => lines[0];

    public long LastLine => lines[^1];

    public void Append(long line, long timestampMs, bool hasKey, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (Count == 0)
        {
            FirstAt = Stopwatch.GetTimestamp();
        }

        builder.Append(timestampMs, hasKey, key, hasValue: true, value);
        lines.Add(line);
    }

    /// <summary>The bytes, which stay as they are until the next change.</summary>
    public ReadOnlyMemory<byte> Build(long producerId, short producerEpoch)
    {
        builder.ProducerId = producerId;
        builder.ProducerEpoch = producerEpoch;
        builder.BaseSequence = Sequence;
        return builder.Build();
    }

    /// <summary>It is stored: what follows it is the next batch.</summary>
    public void Advance()
    {
        Sequence = After(Count);
        Clear();
    }

    public void Clear()
    {
        if (builder.SizeBytes > BufferBytesKept)
        {
            builder = new RecordBatchBuilder();
        }

        builder.Clear();
        lines.Clear();
    }

    /// <summary>Its records, each as a batch of its own.</summary>
    public IReadOnlyList<PartitionBatch> Split()
    {
        List<PartitionBatch> ones = [];
        ForEach((int index, in RecordView record) =>
        {
            var one = new PartitionBatch { Sequence = After(index) };
            one.Append(lines[index], record.TimestampMs, record.HasKey, record.Key, record.Value);
            ones.Add(one);
        });
        return ones;
    }

    /// <summary>Forgets the records from that line on.</summary>
    public void KeepBefore(long line)
    {
        if (Count == 0 || LastLine < line)
        {
            return;
        }

        var kept = new PartitionBatch();
        ForEach((int index, in RecordView record) =>
        {
            if (lines[index] < line)
            {
                kept.Append(lines[index], record.TimestampMs, record.HasKey, record.Key, record.Value);
            }
        });
        builder = kept.builder;
        lines.Clear();
        lines.AddRange(kept.lines);
    }

    private delegate void Visit(int index, in RecordView record);

    private void ForEach(Visit visit)
    {
        var batches = new RecordBatchEnumerator(builder.Build().Span);
        if (!batches.TryNext(out RecordBatchHeader header, out ReadOnlySpan<byte> batch))
        {
            return;
        }

        var records = new RecordReader(header, batch[RecordBatchLayout.HeaderBytes..]);
        for (int index = 0; records.TryNext(out RecordView record); index++)
        {
            visit(index, record);
        }
    }

    private int After(int records) => (int)(((uint)Sequence + (uint)records) & int.MaxValue);
}
