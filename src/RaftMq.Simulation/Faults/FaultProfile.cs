using RaftMq.Raft;

namespace RaftMq.Simulation.Faults;

/// <summary>
/// Which faults a run has, and how often: each kind's mean virtual time between two, 0 for never. Drawn per seed: a run with few kinds
/// goes deeper into each than a run with all.
/// </summary>
internal sealed record FaultProfile
{
    public int ProcessCrashEveryUs { get; init; }

    public int PowerCutEveryUs { get; init; }

    public int PowerCutAllEveryUs { get; init; }

    public int CrashInDiskEveryUs { get; init; }

    public int CutEveryUs { get; init; }

    public int OneWayCutEveryUs { get; init; }

    public int ResetEveryUs { get; init; }

    public int SlowLinkEveryUs { get; init; }

    public int NastyLinkEveryUs { get; init; }

    public int SlowDiskEveryUs { get; init; }

    public int DiskStallEveryUs { get; init; }

    public int DiskErrorEveryUs { get; init; }

    public int FullDiskEveryUs { get; init; }

    public int ClockJumpEveryUs { get; init; }

    /// <summary>A node that comes back crashes again in its recovery with this chance, one in.</summary>
    public int CrashInRecoveryOneIn { get; init; }

    /// <summary>When the faults are over, everything loses power once more.</summary>
    public bool EndsWithPowerCut { get; init; }

    public static FaultProfile Draw(RandomSource random)
    {
        // Crashes, power cuts and cuts in every run, however rare: their absence would hide what they find.
        int Always(int fromUs, int toUs) => random.Next(fromUs, toUs);
        int Sometimes(int oneIn, int fromUs, int toUs) => random.OneIn(oneIn) ? random.Next(fromUs, toUs) : 0;
        return new FaultProfile
        {
            ProcessCrashEveryUs = Always(2_000_000, 20_000_000),
            PowerCutEveryUs = Always(3_000_000, 25_000_000),
            PowerCutAllEveryUs = Sometimes(2, 6_000_000, 20_000_000),
            CrashInDiskEveryUs = Sometimes(2, 2_000_000, 15_000_000),
            CutEveryUs = Always(3_000_000, 20_000_000),
            OneWayCutEveryUs = Sometimes(2, 3_000_000, 20_000_000),
            ResetEveryUs = Sometimes(2, 500_000, 10_000_000),
            SlowLinkEveryUs = Sometimes(3, 3_000_000, 15_000_000),
            NastyLinkEveryUs = Sometimes(4, 3_000_000, 15_000_000),
            SlowDiskEveryUs = Sometimes(3, 4_000_000, 15_000_000),
            DiskStallEveryUs = Sometimes(3, 4_000_000, 15_000_000),
            DiskErrorEveryUs = Sometimes(3, 4_000_000, 20_000_000),
            FullDiskEveryUs = Sometimes(3, 4_000_000, 15_000_000),
            ClockJumpEveryUs = Sometimes(3, 2_000_000, 10_000_000),
            CrashInRecoveryOneIn = random.Next(3, 12),
            EndsWithPowerCut = random.OneIn(2),
        };
    }
}
