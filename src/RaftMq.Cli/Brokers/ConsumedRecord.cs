namespace RaftMq.Cli.Brokers;

/// <param name="Key">Null where the record has none.</param>
/// <param name="Value">Null for a tombstone.</param>
internal sealed record ConsumedRecord(int Partition, long Offset, long TimestampMs, byte[]? Key, byte[]? Value);
