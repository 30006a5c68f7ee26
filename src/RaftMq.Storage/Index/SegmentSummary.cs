using RaftMq.Raft;
using RaftMq.Storage.Log;

namespace RaftMq.Storage.Index;

/// <summary>What is known of a segment without its points: enough to find the segment for any of the three look-ups.</summary>
/// <param name="Last">The last entry in it; the one before <paramref name="First"/> while it is empty.</param>
/// <param name="MaxTimestampMs">Of entries with records; <see cref="long.MinValue"/> without any.</param>
/// <param name="FirstTimestampMs">Of the first entry: the segment's age counts from it.</param>
internal readonly record struct SegmentSummary(
    LogIndex First,
    LogIndex Last,
    long FirstOffset,
    long NextOffset,
    Term LastTerm,
    long FirstTimestampMs,
    long MaxTimestampMs,
    long LengthBytes)
{
    public bool IsEmpty => Last < First;

    public static SegmentSummary Empty(LogIndex first, long offset) =>
        new(first, first.Previous, offset, offset, Term.Zero, 0, long.MinValue, 0);

    /// <summary>True when the entry may stand behind the last one of this segment.</summary>
    public bool IsFollowedBy(in EntryHeader header) =>
        IsContinuedBy(header) && header.Flags.HasFlag(EntryFlags.StartsSegment) == (header.Index == First);

    /// <summary>The entry is what comes next in the log, here or in the next segment.</summary>
    public bool IsContinuedBy(in EntryHeader header) => header.Index == Last.Next && header.BaseOffset == NextOffset && header.Term >= LastTerm;

    public SegmentSummary With(in EntryHeader header) => this with
    {
        Last = header.Index,
        NextOffset = header.NextOffset,
        LastTerm = header.Term,
        FirstTimestampMs = IsEmpty ? header.TimestampMs : FirstTimestampMs,
        MaxTimestampMs = header.RecordCount > 0 ? Math.Max(MaxTimestampMs, header.TimestampMs) : MaxTimestampMs,
        LengthBytes = LengthBytes + header.LengthBytes,
    };
}
