namespace RaftMq.Records;

/// <summary>The attribute word of a batch.</summary>
public static class BatchAttributes
{
    public const short CompressionMask = 0b111;
    public const short LogAppendTime = 1 << 3;
    public const short Transactional = 1 << 4;
    public const short Control = 1 << 5;

    /// <summary>Set by compaction only: the base timestamp is then the time after which tombstones may go.</summary>
    public const short DeleteHorizon = 1 << 6;

    public const short Known = CompressionMask | LogAppendTime | Transactional | Control | DeleteHorizon;
}
