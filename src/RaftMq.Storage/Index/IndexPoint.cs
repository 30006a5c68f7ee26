using RaftMq.Raft;

namespace RaftMq.Storage.Index;

/// <summary>One entry of a segment that a search can start from.</summary>
/// <param name="MaxTimestampBeforeMs">The greatest timestamp of entries with records before this one in the segment.</param>
/// <param name="Position">Where the entry starts in the segment's file.</param>
internal readonly record struct IndexPoint(LogIndex Index, long Offset, long MaxTimestampBeforeMs, long Position);
