namespace RaftMq.Records;

/// <summary>
/// Where things lie in a record batch of magic 2, in bytes from its start, big-endian. The CRC covers everything from
/// <see cref="Attributes"/> on, so base offset and leader epoch can be filled in without touching it.
/// </summary>
public static class RecordBatchLayout
{
    public const int BaseOffset = 0;
    public const int BatchLength = 8;
    public const int PartitionLeaderEpoch = 12;
    public const int Magic = 16;
    public const int Crc = 17;
    public const int Attributes = 21;
    public const int LastOffsetDelta = 23;
    public const int BaseTimestamp = 27;
    public const int MaxTimestamp = 35;
    public const int ProducerId = 43;
    public const int ProducerEpoch = 51;
    public const int BaseSequence = 53;
    public const int RecordCount = 57;
    public const int HeaderBytes = 61;

    /// <summary>The bytes the length field does not count: base offset and the length itself.</summary>
    public const int LengthPrefixBytes = 12;

    public const sbyte CurrentMagic = 2;
}
