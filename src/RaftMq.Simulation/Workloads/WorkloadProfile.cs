using RaftMq.Raft;

namespace RaftMq.Simulation.Workloads;

/// <summary>How one run is loaded; drawn from its seed, so that runs differ in kind and not only in detail.</summary>
internal sealed record WorkloadProfile
{
    public required int Topics { get; init; }

    public required int PartitionsPerTopic { get; init; }

    public required int ReplicationFactor { get; init; }

    /// <summary>One topic in this many asks for one in-sync replica more than a majority; 0: none.</summary>
    public required int StrictTopicOneIn { get; init; }

    public required int IdempotentProducersPerPartition { get; init; }

    public required int PlainProducersPerPartition { get; init; }

    /// <summary>Batches of one producer that are sent and not yet acknowledged; at most the five that a partition remembers.</summary>
    public required int WindowBatches { get; init; }

    /// <summary>Mean virtual time between batches of one producer.</summary>
    public required int SendEveryUs { get; init; }

    /// <summary>One batch in this many is large (hundreds of records, or tens of KiB).</summary>
    public required int LargeBatchOneIn { get; init; }

    public required int ConsumersPerPartition { get; init; }

    public required int AnswerLossOneIn { get; init; }

    /// <summary>Mean virtual time between topics deleted and made anew; 0: never.</summary>
    public required int RecreateTopicEveryUs { get; init; }

    /// <summary>Mean virtual time between leadership transfers; 0: never.</summary>
    public required int TransferEveryUs { get; init; }

    /// <summary>Mean virtual time between requests to delete records; 0: never.</summary>
    public required int DeleteRecordsEveryUs { get; init; }

    public static WorkloadProfile Draw(RandomSource random, int nodes) => new()
    {
        Topics = random.Next(1, 3),
        PartitionsPerTopic = random.Next(1, 4),
        ReplicationFactor = nodes >= 5 && random.OneIn(3) ? 5 : 3,
        StrictTopicOneIn = random.OneIn(3) ? 2 : 0,
        IdempotentProducersPerPartition = random.Next(1, 3),
        PlainProducersPerPartition = random.Next(0, 2),
        WindowBatches = random.Next(1, 6),
        SendEveryUs = random.Next(20_000, 200_000),
        LargeBatchOneIn = random.Next(10, 80),
        ConsumersPerPartition = random.Next(1, 3),
        AnswerLossOneIn = random.Next(8, 60),
        RecreateTopicEveryUs = random.OneIn(3) ? random.Next(6_000_000, 20_000_000) : 0,
        TransferEveryUs = random.OneIn(2) ? random.Next(500_000, 8_000_000) : 0,
        DeleteRecordsEveryUs = random.OneIn(3) ? random.Next(2_000_000, 10_000_000) : 0,
    };
}
