using RaftMq.Raft;
using RaftMq.Storage.Files;

namespace RaftMq.Simulation.World;

/// <summary>How fast a node's disk is: a drawn time per work, and the faults that stretch it (D-13, D-20).</summary>
internal sealed class DiskPace
{
    /// <summary>1 is healthy.</summary>
    public int SlownessFactor { get; set; } = 1;

    /// <summary>Nothing completes before this instant.</summary>
    public long StalledUntilUs { get; set; }

    /// <summary>Microseconds: mostly about what the reference machine measured (0.1 ms per journal sync), sometimes far above.</summary>
    public long DrawUs(DiskLane lane, RandomSource random)
    {
        int usual = lane switch
        {
            DiskLane.Journal => random.Next(60, 400),
            DiskLane.Background => random.Next(200, 4_000),
            _ => random.Next(30, 500),
        };
        int hiccup = random.OneIn(500) ? 40 : 1;
        return (long)usual * hiccup * SlownessFactor;
    }
}
