namespace RaftMq.Storage.Log;

/// <summary>When a leader starts a new segment. Followers do not look at this: they follow the flag in the entry.</summary>
/// <param name="SegmentBytes">A segment ends before the entry that would make it longer (`segment.bytes`).</param>
/// <param name="SegmentMs">A segment ends when its first entry is this old (`segment.ms`).</param>
public readonly record struct RollPolicy(long SegmentBytes, long SegmentMs)
{
    /// <summary>128 MiB (design 8), seven days as in Kafka.</summary>
    public static readonly RollPolicy Default = new(128L << 20, 7L * 24 * 60 * 60 * 1000);
}

/// <summary>The first entry of a segment in the log, durable or not.</summary>
/// <param name="Position">In the tail's own count of bytes.</param>
internal readonly record struct SegmentStart(RaftMq.Raft.LogIndex First, long Position, long TimestampMs);
