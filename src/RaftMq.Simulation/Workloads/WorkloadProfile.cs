using RaftMq.Raft;
using RaftMq.Simulation.World;

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

    /// <summary>The times that records say lie this far at most from when they are sent, before or after.</summary>
    public required int TimeSpreadMs { get; init; }

    public required int ConsumersPerPartition { get; init; }

    /// <summary>Clients ask where logs end.</summary>
    public required bool AsksForEnds { get; init; }

    public required int AnswerLossOneIn { get; init; }

    /// <summary>Mean virtual time between topics deleted and made anew; 0: never.</summary>
    public required int RecreateTopicEveryUs { get; init; }

    /// <summary>Mean virtual time between leadership transfers; 0: never.</summary>
    public required int TransferEveryUs { get; init; }

    /// <summary>Mean virtual time between requests to delete records; 0: never.</summary>
    public required int DeleteRecordsEveryUs { get; init; }

    /// <summary>Mean virtual time between changes of a topic's settings; 0: never.</summary>
    public required int ChangeSettingsEveryUs { get; init; }

    /// <summary>Mean virtual time between what one of those does who share a topic and an offset; 0: there are none.</summary>
    public required int RivalEveryUs { get; init; }

    /// <summary>Whether rivals share a topic beside an offset.</summary>
    public bool RivalsShareTopic { get; init; } = true;

    /// <summary>Of one consumer group that shares out its partitions; 0: there is none.</summary>
    public required int Members { get; init; }

    /// <summary>Mean virtual time between changes of the nodes; 0: never.</summary>
    public required int ChangeNodesEveryUs { get; init; }

    /// <summary>Mean virtual time between movements of replicas; 0: never.</summary>
    public required int MoveEveryUs { get; init; }

    /// <summary>Mean virtual time between growths of a topic, which its clients find out by themselves; 0: never.</summary>
    public required int GrowTopicEveryUs { get; init; }

    /// <summary>
    /// Mean virtual time between deletions of all that one partition holds, by somebody who has no use for it any more (Kafka Streams does that to its repartition
    /// topics); 0: nobody does.
    /// </summary>
    public int PurgeEveryUs { get; init; }

    /// <summary>How many groups there are once all topics are made, with the controller and the offsets topic; null when topics come, go or grow.</summary>
    public int? GroupsInAll => RecreateTopicEveryUs == 0 && RivalEveryUs == 0 && GrowTopicEveryUs == 0 ? (Topics * PartitionsPerTopic) + 1 + ProductNode.OffsetsPartitions : null;

    public static WorkloadProfile Draw(RandomSource random, int nodes)
    {
        WorkloadProfile drawn = DrawBusy(random, nodes);
        return random.OneIn(6) ? drawn.Seldom(random) with { DeleteRecordsEveryUs = 0, PurgeEveryUs = 0, ChangeSettingsEveryUs = 0 } : drawn;
    }

    /// <summary>Hardly anybody writes, and a partition is not asked for anything that its leader makes sure of: groups go quiet.</summary>
    public WorkloadProfile Seldom(RandomSource random) => this with { SendEveryUs = random.Next(500_000, 2_000_000), AsksForEnds = false };

    private static WorkloadProfile DrawBusy(RandomSource random, int nodes) => new()
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
        TimeSpreadMs = random.OneIn(3) ? random.Next(1, 5_000) : 0,
        ConsumersPerPartition = random.Next(1, 3),
        AsksForEnds = !random.OneIn(4),
        AnswerLossOneIn = random.Next(8, 60),
        RecreateTopicEveryUs = random.OneIn(3) ? random.Next(6_000_000, 20_000_000) : 0,
        TransferEveryUs = random.OneIn(2) ? random.Next(500_000, 8_000_000) : 0,
        DeleteRecordsEveryUs = random.OneIn(2) ? random.Next(200_000, 6_000_000) : 0,
        ChangeSettingsEveryUs = random.OneIn(2) ? random.Next(300_000, 5_000_000) : 0,
        RivalEveryUs = random.OneIn(3) ? random.Next(200_000, 3_000_000) : 0,
        Members = random.OneIn(2) ? random.Next(2, 5) : 0,
        ChangeNodesEveryUs = random.OneIn(3) ? 0 : random.Next(200_000, 3_000_000),
        MoveEveryUs = random.OneIn(3) ? 0 : random.Next(200_000, 4_000_000),
        GrowTopicEveryUs = random.OneIn(3) ? random.Next(500_000, 10_000_000) : 0,
        PurgeEveryUs = random.OneIn(5) ? random.Next(20_000, 400_000) : 0,
    };
}
