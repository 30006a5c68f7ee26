using System.Buffers.Binary;
using RaftMq.Broker.Encoding;
using RaftMq.Broker.Shards;
using RaftMq.Raft;
using RaftMq.Records;
using RaftMq.Storage.Log;

namespace RaftMq.Broker.Partitions;

/// <summary>
/// The replicated state of a partition: changes only when a committed entry is applied, the same on every replica. Bodies stay in the
/// log.
/// </summary>
internal sealed class PartitionState(int producersMax)
{
    private const byte SnapshotVersion = 1;

    public ProducerTable Producers { get; } = new(producersMax);

    /// <summary>The first offset that consumers may read.</summary>
    public long LogStart { get; private set; }

    /// <summary>The offset behind the last committed record: the high watermark.</summary>
    public long HighWatermark { get; private set; }

    /// <summary>Records accepted since the partition exists (COUNTED).</summary>
    public long Accepted { get; private set; }

    /// <summary>Of those, records that became visible at once (COUNTED).</summary>
    public long Visible { get; private set; }

    public void Apply(in EntryHeader header, ReadOnlySpan<byte> payload)
    {
        Invariant.Holds(header.BaseOffset == HighWatermark);
        if (header.Kind == EntryKinds.Data)
        {
            ApplyBatch(header, payload);
        }
        else if (header.Kind == StateEntryKinds.LogStart)
        {
            long start = BinaryPrimitives.ReadInt64LittleEndian(payload);
            Invariant.Holds(start <= HighWatermark);
            LogStart = Math.Max(LogStart, start);
        }

        HighWatermark = header.NextOffset;
    }

    public void WriteSnapshot(ByteWriter writer)
    {
        writer.Byte(SnapshotVersion);
        writer.Int64(LogStart);
        writer.Int64(HighWatermark);
        writer.Int64(Accepted);
        writer.Int64(Visible);
        Producers.WriteSnapshot(writer);
    }

    public bool TryReadSnapshot(ReadOnlySpan<byte> bytes)
    {
        var reader = new ByteReader(bytes);
        if (reader.Byte() != SnapshotVersion)
        {
            return false;
        }

        LogStart = reader.Int64();
        HighWatermark = reader.Int64();
        Accepted = reader.Int64();
        Visible = reader.Int64();
        return Producers.TryReadSnapshot(ref reader) && reader.AtEnd
            && LogStart >= 0 && LogStart <= HighWatermark && Visible >= 0 && Visible <= Accepted;
    }

    public static ProducerStamp? StampOf(in RecordBatchHeader batch) => batch.HasProducerId
        ? new ProducerStamp(batch.ProducerId, batch.ProducerEpoch, batch.BaseSequence, batch.LastSequence)
        : null;

    private void ApplyBatch(in EntryHeader header, ReadOnlySpan<byte> payload)
    {
        bool whole = RecordBatchHeader.TryRead(payload, out RecordBatchHeader batch);
        Invariant.Holds(whole);
        Invariant.Holds(batch.BaseOffset == header.BaseOffset);
        Accepted += header.RecordCount;
        Visible += header.RecordCount;
        if (StampOf(batch) is { } stamp)
        {
            Producers.Apply(stamp, header.BaseOffset, batch.MaxTimestampMs);
        }
    }
}
