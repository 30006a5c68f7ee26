namespace RaftMq.Records;

/// <summary>How the records of a batch are compressed: bits 0 to 2 of the attributes.</summary>
public enum CompressionType
{
    None = 0,
    Gzip = 1,
    Snappy = 2,
    Lz4 = 3,
    Zstd = 4,
}
