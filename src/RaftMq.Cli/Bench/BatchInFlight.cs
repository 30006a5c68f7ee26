using RaftMq.Records;

namespace RaftMq.Cli.Bench;

/// <summary>One batch from its making to its acknowledgement; kept for retries, then used again.</summary>
internal sealed class BatchInFlight(int batchBytes)
{
    public RecordBatchBuilder Builder { get; } = new(batchBytes + 1024);

    /// <summary>When its records were offered; in order of the records.</summary>
    public List<OfferedRun> Runs { get; } = [];

    public Lane Lane { get; set; } = null!;

    public ReadOnlyMemory<byte> Bytes { get; set; }

    public int Records => Builder.Count;

    /// <summary>Order within the lane, also without idempotence.</summary>
    public long Order { get; set; }
}
