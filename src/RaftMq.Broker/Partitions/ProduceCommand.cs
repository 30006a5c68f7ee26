using RaftMq.Raft;

namespace RaftMq.Broker.Partitions;

/// <summary>
/// One record batch for one partition. The face has validated the batch (layout, CRC, counts); the broker checks everything that
/// depends on state. The object and the batch's memory belong to the broker until <see cref="IProduceCompletion.Admitted"/>; the
/// object may be reused after <see cref="IProduceCompletion.Completed"/>.
/// </summary>
public sealed class ProduceCommand
{
    public required GroupId Group { get; set; }

    /// <summary>A whole Kafka v2 batch. Its base offset and leader epoch are patched in the broker's copy.</summary>
    public required ReadOnlyMemory<byte> Batch { get; set; }

    /// <summary>On the monotonic clock; past it the answer is <see cref="ProduceOutcome.TimedOut"/>. The record may still become visible.</summary>
    public required long DeadlineMs { get; set; }

    public required IProduceCompletion Completion { get; set; }

    /// <summary>The face's own mark, for completions that serve several commands.</summary>
    public int Tag { get; set; }
}

/// <summary>Called inside the partition's section: do little, never block.</summary>
public interface IProduceCompletion
{
    /// <summary>The broker has copied the batch (or refused it): its memory is free again and the connection may be read on.</summary>
    void Admitted(ProduceCommand command);

    void Completed(ProduceCommand command, in ProduceResult result);
}

public enum ProduceOutcome
{
    /// <summary>Durable on a majority (and on min.insync.replicas) and visible. Also the answer for a duplicate, with the original offset.</summary>
    Stored,

    /// <summary>Not the leader here, now; ask for metadata again.</summary>
    NotLeader,
    UnknownPartition,

    /// <summary>Refused before writing: fewer in-sync replicas than min.insync.replicas.</summary>
    NotEnoughReplicas,

    /// <summary>Written, but not on min.insync.replicas in time. It stays.</summary>
    NotEnoughReplicasAfterAppend,

    /// <summary>Not durable on a majority in time. It may still become so.</summary>
    TimedOut,
    OutOfOrderSequence,

    /// <summary>Older than the batches remembered for this producer; it was stored before, its offset is not known any more.</summary>
    DuplicateSequence,
    InvalidProducerEpoch,
    UnknownProducerId,
    TooLarge,
    InvalidTimestamp,
    InvalidRecord,

    /// <summary>No room on the disk; reads go on.</summary>
    DiskFull,

    /// <summary>The node is shutting down.</summary>
    Stopping,
}

/// <param name="BaseOffset">Of the batch's first record; -1 unless <see cref="ProduceOutcome.Stored"/>.</param>
/// <param name="LogAppendTimeMs">-1 unless the topic stamps its records itself.</param>
public readonly record struct ProduceResult(
    ProduceOutcome Outcome, long BaseOffset = -1, long LogAppendTimeMs = -1, long LogStartOffset = -1, string? Message = null);
