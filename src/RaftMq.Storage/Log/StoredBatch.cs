using System.Buffers.Binary;

namespace RaftMq.Storage.Log;

/// <summary>
/// What the store knows of a Kafka record batch v2 (Kafka protocol, "Record Batch"): where the broker's two fields lie and where the
/// batch's own CRC-32C stands. All big-endian.
/// </summary>
public static class StoredBatch
{
    private const int BaseOffsetAt = 0;
    private const int LengthAt = 8;
    private const int LeaderEpochAt = 12;
    private const int CrcAt = 17;

    /// <summary>The batch's CRC covers everything from here on.</summary>
    private const int CrcFrom = EntryLayout.BatchGuardedBytes;

    /// <summary>Bytes of a batch that its own length field does not count.</summary>
    private const int LengthFrom = 12;

    /// <summary>Fills in what the leader decides. Neither field is covered by the batch's own CRC.</summary>
    public static void Patch(Span<byte> batch, long baseOffset, int leaderEpoch)
    {
        BinaryPrimitives.WriteInt64BigEndian(batch[BaseOffsetAt..], baseOffset);
        BinaryPrimitives.WriteInt32BigEndian(batch[LeaderEpochAt..], leaderEpoch);
    }

    /// <summary>True when length and CRC fit the bytes: the body is what the producer sent (promise DETECTED).</summary>
    public static bool IsWhole(ReadOnlySpan<byte> batch) =>
        batch.Length >= CrcFrom
        && BinaryPrimitives.ReadInt32BigEndian(batch[LengthAt..]) == batch.Length - LengthFrom
        && BinaryPrimitives.ReadUInt32BigEndian(batch[CrcAt..]) == Crc32C.Compute(batch[CrcFrom..]);
}
