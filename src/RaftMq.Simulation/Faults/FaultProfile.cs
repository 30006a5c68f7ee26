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

    public int CrashAtMessageEveryUs { get; init; }

    public int CutEveryUs { get; init; }

    public int OneWayCutEveryUs { get; init; }

    public int ResetEveryUs { get; init; }

    public int SlowLinkEveryUs { get; init; }

    public int SlowNetworkEveryUs { get; init; }

    public int NastyLinkEveryUs { get; init; }

    public int SlowDiskEveryUs { get; init; }

    public int DiskStallEveryUs { get; init; }

    public int DiskErrorEveryUs { get; init; }

    public int FullDiskEveryUs { get; init; }

    public int SmallDiskEveryUs { get; init; }

    public int ClockJumpEveryUs { get; init; }

    public int PauseEveryUs { get; init; }

    public int PauseAtMessageEveryUs { get; init; }

    public int CrashAtDiskWorkEveryUs { get; init; }

    /// <summary>A node gets the next version of the program, which knows one feature level more.</summary>
    public int UpgradeEveryUs { get; init; }

    /// <summary>Before a node comes back somebody starts it on another one's disk with this chance, one in.</summary>
    public int ForeignVolumeOneIn { get; init; }

    /// <summary>The nodes that vote in the controller's group get it before the others.</summary>
    public bool UpgradesVotersFirst { get; init; }

    public int ResetAtMessageEveryUs { get; init; }

    public int FarNodeEveryUs { get; init; }

    public int CutFromControllerEveryUs { get; init; }

    /// <summary>A node that comes back crashes again in its recovery with this chance, one in.</summary>
    public int CrashInRecoveryOneIn { get; init; }

    /// <summary>Of one node's disk; 0 but in runs made for it.</summary>
    public int MediumEveryUs { get; init; }

    /// <summary>Of one node's memory; 0 but in runs made for it.</summary>
    public int StateRotEveryUs { get; init; }

    /// <summary>Whether the journal's files rot, too.</summary>
    public bool JournalRots { get; init; }

    /// <summary>How many groups there are, once all are made; null where topics are deleted and made anew.</summary>
    public int? GroupsInAll { get; init; }

    /// <summary>When the faults are over, everything loses power once more.</summary>
    public bool EndsWithPowerCut { get; init; }

    /// <summary>When the faults are over, one node stays unwell for long (<see cref="LastingFault"/>).</summary>
    public bool OneLasts { get; init; }

    /// <param name="onMedium">Whether a medium may forget what was durable.</param>
    /// <param name="inMemory">Whether a node's memory may spoil states.</param>
    public static FaultProfile Draw(RandomSource random, bool onMedium, bool inMemory)
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
            CrashAtMessageEveryUs = Sometimes(2, 200_000, 3_000_000),
            CutEveryUs = Always(3_000_000, 20_000_000),
            OneWayCutEveryUs = Sometimes(2, 3_000_000, 20_000_000),
            ResetEveryUs = Sometimes(2, 500_000, 10_000_000),
            SlowLinkEveryUs = Sometimes(3, 3_000_000, 15_000_000),
            SlowNetworkEveryUs = Sometimes(2, 2_000_000, 12_000_000),
            NastyLinkEveryUs = Sometimes(4, 3_000_000, 15_000_000),
            SlowDiskEveryUs = Sometimes(3, 4_000_000, 15_000_000),
            DiskStallEveryUs = Sometimes(3, 4_000_000, 15_000_000),
            DiskErrorEveryUs = Sometimes(3, 1_000_000, 12_000_000),
            FullDiskEveryUs = Sometimes(3, 4_000_000, 15_000_000),
            SmallDiskEveryUs = Sometimes(2, 4_000_000, 15_000_000),
            ClockJumpEveryUs = Sometimes(3, 2_000_000, 10_000_000),
            PauseEveryUs = Sometimes(2, 2_000_000, 12_000_000),
            PauseAtMessageEveryUs = Sometimes(3, 500_000, 6_000_000),
            CrashAtDiskWorkEveryUs = Sometimes(3, 500_000, 6_000_000),
            UpgradeEveryUs = Sometimes(3, 1_000_000, 6_000_000),
            UpgradesVotersFirst = random.OneIn(2),
            ResetAtMessageEveryUs = Sometimes(3, 300_000, 4_000_000),
            FarNodeEveryUs = Sometimes(2, 3_000_000, 12_000_000),
            CutFromControllerEveryUs = Sometimes(3, 2_000_000, 10_000_000),
            CrashInRecoveryOneIn = random.Next(3, 12),
            EndsWithPowerCut = random.OneIn(2),
            MediumEveryUs = onMedium ? random.Next(300_000, 5_000_000) : 0,
            StateRotEveryUs = inMemory ? random.Next(1_000_000, 10_000_000) : 0,
            JournalRots = onMedium && !random.OneIn(3),
            ForeignVolumeOneIn = random.Next(4, 16),
            OneLasts = random.OneIn(4),
        };
    }
}
