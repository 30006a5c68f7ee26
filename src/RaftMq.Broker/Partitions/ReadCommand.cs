using RaftMq.Raft;

namespace RaftMq.Broker.Partitions;

/// <summary>Read whole record batches from an offset on: committed ones only. The object may be reused after completion.</summary>
public sealed class ReadCommand
{
    public required GroupId Group { get; set; }

    /// <summary>The batch that holds this offset comes first; it may start before it.</summary>
    public required long Offset { get; set; }

    /// <summary>At most so many bytes, but the first batch always comes whole when <see cref="AtLeastOne"/>.</summary>
    public required int BytesMax { get; set; }

    public bool AtLeastOne { get; set; } = true;

    /// <summary>The reader's idea of the leader epoch; -1 when it has none (Kafka KIP-320).</summary>
    public int LeaderEpoch { get; set; } = -1;

    public required IReadCompletion Completion { get; set; }

    public int Tag { get; set; }
}

/// <summary>Called inside the partition's section: do little, never block.</summary>
public interface IReadCompletion
{
    void Completed(ReadCommand command, in ReadResult result);
}

public enum ReadOutcome
{
    Ok,
    NotLeader,
    UnknownPartition,
    OffsetOutOfRange,

    /// <summary>The reader's leader epoch is older than this leader's.</summary>
    FencedLeaderEpoch,

    /// <summary>The reader knows a newer leader epoch than this node.</summary>
    UnknownLeaderEpoch,

    /// <summary>The bytes on this disk are damaged; they are not served (DETECTED).</summary>
    Damaged,
}

/// <param name="Batches">
/// Whole batches, to be sent one behind the other; empty when there is nothing at that offset yet. The memory is never changed and stays
/// valid while it is held: send from it, copy nothing.
/// </param>
/// <param name="SizeBytes">Of all batches.</param>
public readonly record struct ReadResult(
    ReadOutcome Outcome, IReadOnlyList<ReadOnlyMemory<byte>> Batches, int SizeBytes, long HighWatermark, long LogStartOffset);

/// <summary>
/// Waits for a partition's high watermark to pass an offset, or for anything else that a waiting reader must hear of (leadership
/// lost, partition deleted). Fires once, inside the partition's section.
/// </summary>
public interface IReadWaiter
{
    void Wake();
}

public enum OffsetQuery
{
    Earliest,
    Latest,

    /// <summary>The record with the greatest timestamp (Kafka KIP-734).</summary>
    MaxTimestamp,
    AtTimestamp,
}

/// <param name="Offset">-1 when no record has such a timestamp.</param>
public readonly record struct OffsetResult(ReadOutcome Outcome, long Offset, long TimestampMs, int LeaderEpoch);
