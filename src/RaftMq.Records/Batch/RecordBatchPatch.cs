using System.Buffers.Binary;

namespace RaftMq.Records;

/// <summary>What a broker fills into a batch it accepted. The batch is given whole and was validated; nothing here checks it again.</summary>
public static class RecordBatchPatch
{
    /// <summary>Outside the CRC, which stays as it is.</summary>
    public static void SetBaseOffset(Span<byte> batch, long baseOffset) =>
        BinaryPrimitives.WriteInt64BigEndian(batch[RecordBatchLayout.BaseOffset..], baseOffset);

    /// <summary>Outside the CRC, which stays as it is.</summary>
    public static void SetPartitionLeaderEpoch(Span<byte> batch, int leaderEpoch) =>
        BinaryPrimitives.WriteInt32BigEndian(batch[RecordBatchLayout.PartitionLeaderEpoch..], leaderEpoch);

    /// <summary>
    /// Gives all records of the batch one time, in milliseconds since 1970, as a topic with log append time does. Inside the CRC, which
    /// is computed again over the whole batch: such a topic costs one more pass.
    /// </summary>
    public static void SetLogAppendTime(Span<byte> batch, long appendTimeMs)
    {
        Span<byte> attributes = batch[RecordBatchLayout.Attributes..];
        short value = BinaryPrimitives.ReadInt16BigEndian(attributes);
        BinaryPrimitives.WriteInt16BigEndian(attributes, (short)(value | BatchAttributes.LogAppendTime));
        BinaryPrimitives.WriteInt64BigEndian(batch[RecordBatchLayout.MaxTimestamp..], appendTimeMs);
        WriteCrc(batch);
    }

    /// <summary>The CRC the batch should carry. The span must be the whole batch and nothing else.</summary>
    public static uint ComputeCrc(ReadOnlySpan<byte> batch) => Crc32C.Compute(batch[RecordBatchLayout.Attributes..]);

    /// <summary>Writes the CRC the batch should carry. The span must be the whole batch and nothing else.</summary>
    public static void WriteCrc(Span<byte> batch) =>
        BinaryPrimitives.WriteUInt32BigEndian(batch[RecordBatchLayout.Crc..], ComputeCrc(batch));
}
