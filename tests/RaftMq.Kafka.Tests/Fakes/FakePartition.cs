using RaftMq.Broker.Partitions;
using RaftMq.Records;

namespace RaftMq.Kafka.Tests.Fakes;

/// <summary>A partition's log in memory, with switches for what can go wrong.</summary>
internal sealed class FakePartition
{
    public List<(long BaseOffset, long NextOffset, byte[] Bytes)> Batches { get; } = [];

    public List<(long Offset, IReadWaiter Waiter)> Waiters { get; } = [];

    public long LogStart { get; set; }

    public int Epoch { get; set; } = 7;

    public ProduceOutcome ProduceOutcome { get; set; } = ProduceOutcome.Stored;

    public ReadOutcome ReadOutcome { get; set; } = ReadOutcome.Ok;

    public int Reads { get; set; }

    /// <summary>So many reads find nothing, though the high watermark that they report is above: it moved while they were under way.</summary>
    public int ReadsTooEarly { get; set; }

    public long HighWatermark => Batches.Count == 0 ? LogStart : Batches[^1].NextOffset;

    public long Append(ReadOnlyMemory<byte> batch)
    {
        byte[] copy = batch.ToArray();
        Assert.True(RecordBatchHeader.TryRead(copy, out RecordBatchHeader header));
        long baseOffset = HighWatermark;
        RecordBatchPatch.SetBaseOffset(copy, baseOffset);
        Batches.Add((baseOffset, baseOffset + header.RecordCount, copy));
        return baseOffset;
    }

    /// <summary>As the broker does: the first batch with so late a timestamp, by its first visible offset.</summary>
    public OffsetResult BatchReaching(long timestampMs)
    {
        foreach ((long baseOffset, long next, byte[] bytes) in Batches)
        {
            RecordBatchHeader.TryRead(bytes, out RecordBatchHeader header);
            if (header.MaxTimestampMs >= timestampMs && next > LogStart)
            {
                return new OffsetResult(ReadOutcome.Ok, Math.Max(baseOffset, LogStart), header.MaxTimestampMs, Epoch);
            }
        }

        return new OffsetResult(ReadOutcome.Ok, -1, -1, -1);
    }

    public ReadResult Read(ReadCommand command)
    {
        Reads++;
        ReadOutcome outcome = ReadOutcome != ReadOutcome.Ok ? ReadOutcome
            : command.LeaderEpoch >= 0 && command.LeaderEpoch < Epoch ? ReadOutcome.FencedLeaderEpoch
            : command.LeaderEpoch > Epoch ? ReadOutcome.UnknownLeaderEpoch
            : command.Offset < LogStart || command.Offset > HighWatermark ? ReadOutcome.OffsetOutOfRange
            : ReadOutcome.Ok;
        var found = new List<ReadOnlyMemory<byte>>();
        int size = 0;
        bool tooEarly = ReadsTooEarly > 0;
        ReadsTooEarly -= tooEarly ? 1 : 0;
        foreach ((_, long next, byte[] bytes) in Batches)
        {
            if (tooEarly || outcome != ReadOutcome.Ok || next <= command.Offset)
            {
                continue;
            }

            if (size + bytes.Length > command.BytesMax && !(found.Count == 0 && command.AtLeastOne))
            {
                break;
            }

            found.Add(bytes);
            size += bytes.Length;
        }

        return new ReadResult(outcome, found, size, HighWatermark, LogStart);
    }
}
