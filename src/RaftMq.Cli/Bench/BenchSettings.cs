using RaftMq.Kafka.Wire.Client;

namespace RaftMq.Cli.Bench;

/// <summary>What a run was asked to do.</summary>
internal sealed record BenchSettings
{
    public required IReadOnlyList<KafkaEndpoint> Bootstrap { get; init; }

    /// <summary>Null: a topic of its own, deleted at the end.</summary>
    public string? Topic { get; init; }

    public int Partitions { get; init; } = 1;

    /// <summary>-1: the cluster's default.</summary>
    public short Replicas { get; init; } = -1;

    public int Producers { get; init; } = 1;

    public int RecordBytes { get; init; } = 1024;

    /// <summary>Largest batch. What is there is sent at once, so batches may be smaller.</summary>
    public int BatchBytes { get; init; } = 16 * 1024;

    /// <summary>Records sent and not acknowledged, over all producers.</summary>
    public int Window { get; init; } = 10_000;

    /// <summary>Per connection, as Kafka's producers count.</summary>
    public int RequestsInFlight { get; init; } = 5;

    /// <summary>-1: all.</summary>
    public short Acks { get; init; } = -1;

    public bool Idempotence { get; init; } = true;

    /// <summary>Records a second over all producers, sent at their time whatever is acknowledged; 0: as fast as the window lets.</summary>
    public double Rate { get; init; }

    public TimeSpan Warmup { get; init; } = TimeSpan.FromSeconds(2);

    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Ends the run earlier; null: time alone.</summary>
    public long? Records { get; init; }

    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(5);

    public bool MeasureGap { get; init; }

    public bool Verify { get; init; } = true;
}
