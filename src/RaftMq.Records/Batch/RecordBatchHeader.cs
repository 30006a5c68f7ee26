using System.Buffers.Binary;

namespace RaftMq.Records;

/// <summary>The fixed part of a batch, read but not judged: see <see cref="RecordBatchValidator"/> for what makes it acceptable.</summary>
/// <param name="BaseOffset">Offset of the first record; producers send 0.</param>
/// <param name="BatchLengthBytes">Bytes after the length field. <see cref="SizeBytes"/> is the whole batch.</param>
/// <param name="PartitionLeaderEpoch">Term of the leader that appended it; outside the CRC.</param>
/// <param name="Magic">2 for every batch this system stores.</param>
/// <param name="Crc">CRC-32C over everything from the attributes on.</param>
/// <param name="Attributes">See <see cref="BatchAttributes"/>.</param>
/// <param name="LastOffsetDelta">Offset of the last record, from the base offset.</param>
/// <param name="BaseTimestampMs">Timestamp of the first record, in milliseconds since 1970, or -1.</param>
/// <param name="MaxTimestampMs">Largest timestamp, or the append time (see <see cref="TimestampType"/>).</param>
/// <param name="ProducerId">-1 for a producer that is not idempotent.</param>
/// <param name="ProducerEpoch">-1 where there is no producer id.</param>
/// <param name="BaseSequence">Sequence of the first record, wrapping after 2^31-1; -1 where there is no producer id.</param>
/// <param name="RecordCount">Records in the batch.</param>
public readonly record struct RecordBatchHeader(
    long BaseOffset,
    int BatchLengthBytes,
    int PartitionLeaderEpoch,
    sbyte Magic,
    uint Crc,
    short Attributes,
    int LastOffsetDelta,
    long BaseTimestampMs,
    long MaxTimestampMs,
    long ProducerId,
    short ProducerEpoch,
    int BaseSequence,
    int RecordCount)
{
    /// <summary>The whole batch in bytes, length prefix included.</summary>
    public int SizeBytes => BatchLengthBytes + RecordBatchLayout.LengthPrefixBytes;

    public long LastOffset => BaseOffset + LastOffsetDelta;

    /// <summary>The offset the next batch gets.</summary>
    public long NextOffset => BaseOffset + LastOffsetDelta + 1;

    /// <summary>A value above <see cref="CompressionType.Zstd"/> is possible in a batch that was not validated.</summary>
    public CompressionType Compression => (CompressionType)(Attributes & BatchAttributes.CompressionMask);

    public TimestampType TimestampType =>
        (Attributes & BatchAttributes.LogAppendTime) != 0 ? TimestampType.LogAppendTime : TimestampType.CreateTime;

    public bool IsTransactional => (Attributes & BatchAttributes.Transactional) != 0;

    public bool IsControl => (Attributes & BatchAttributes.Control) != 0;

    public bool HasProducerId => ProducerId >= 0;

    /// <summary>Sequence of the last record: sequences wrap to 0 after 2^31-1 (O-04).</summary>
    public int LastSequence => (int)(((uint)BaseSequence + (uint)LastOffsetDelta) & int.MaxValue);

    /// <summary>Reads the header if all of its bytes are there. Neither the length nor any other value is judged.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out RecordBatchHeader header)
    {
        if (bytes.Length < RecordBatchLayout.HeaderBytes)
        {
            header = default;
            return false;
        }

        bytes = bytes[..RecordBatchLayout.HeaderBytes];
        header = new RecordBatchHeader(
            BinaryPrimitives.ReadInt64BigEndian(bytes[RecordBatchLayout.BaseOffset..]),
            BinaryPrimitives.ReadInt32BigEndian(bytes[RecordBatchLayout.BatchLength..]),
            BinaryPrimitives.ReadInt32BigEndian(bytes[RecordBatchLayout.PartitionLeaderEpoch..]),
            (sbyte)bytes[RecordBatchLayout.Magic],
            BinaryPrimitives.ReadUInt32BigEndian(bytes[RecordBatchLayout.Crc..]),
            BinaryPrimitives.ReadInt16BigEndian(bytes[RecordBatchLayout.Attributes..]),
            BinaryPrimitives.ReadInt32BigEndian(bytes[RecordBatchLayout.LastOffsetDelta..]),
            BinaryPrimitives.ReadInt64BigEndian(bytes[RecordBatchLayout.BaseTimestamp..]),
            BinaryPrimitives.ReadInt64BigEndian(bytes[RecordBatchLayout.MaxTimestamp..]),
            BinaryPrimitives.ReadInt64BigEndian(bytes[RecordBatchLayout.ProducerId..]),
            BinaryPrimitives.ReadInt16BigEndian(bytes[RecordBatchLayout.ProducerEpoch..]),
            BinaryPrimitives.ReadInt32BigEndian(bytes[RecordBatchLayout.BaseSequence..]),
            BinaryPrimitives.ReadInt32BigEndian(bytes[RecordBatchLayout.RecordCount..]));
        return true;
    }

    /// <summary>Writes all fields as they are, the CRC included.</summary>
    public void Write(Span<byte> bytes)
    {
        bytes = bytes[..RecordBatchLayout.HeaderBytes];
        BinaryPrimitives.WriteInt64BigEndian(bytes[RecordBatchLayout.BaseOffset..], BaseOffset);
        BinaryPrimitives.WriteInt32BigEndian(bytes[RecordBatchLayout.BatchLength..], BatchLengthBytes);
        BinaryPrimitives.WriteInt32BigEndian(bytes[RecordBatchLayout.PartitionLeaderEpoch..], PartitionLeaderEpoch);
        bytes[RecordBatchLayout.Magic] = (byte)Magic;
        BinaryPrimitives.WriteUInt32BigEndian(bytes[RecordBatchLayout.Crc..], Crc);
        BinaryPrimitives.WriteInt16BigEndian(bytes[RecordBatchLayout.Attributes..], Attributes);
        BinaryPrimitives.WriteInt32BigEndian(bytes[RecordBatchLayout.LastOffsetDelta..], LastOffsetDelta);
        BinaryPrimitives.WriteInt64BigEndian(bytes[RecordBatchLayout.BaseTimestamp..], BaseTimestampMs);
        BinaryPrimitives.WriteInt64BigEndian(bytes[RecordBatchLayout.MaxTimestamp..], MaxTimestampMs);
        BinaryPrimitives.WriteInt64BigEndian(bytes[RecordBatchLayout.ProducerId..], ProducerId);
        BinaryPrimitives.WriteInt16BigEndian(bytes[RecordBatchLayout.ProducerEpoch..], ProducerEpoch);
        BinaryPrimitives.WriteInt32BigEndian(bytes[RecordBatchLayout.BaseSequence..], BaseSequence);
        BinaryPrimitives.WriteInt32BigEndian(bytes[RecordBatchLayout.RecordCount..], RecordCount);
    }
}
