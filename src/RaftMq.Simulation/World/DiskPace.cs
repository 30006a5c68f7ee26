using RaftMq.Raft;
using RaftMq.Storage.Files;

namespace RaftMq.Simulation.World;

/// <summary>How fast a node's disk is: a drawn time per work, and the faults that stretch it (D-13, D-20).</summary>
internal sealed class DiskPace(Surroundings surroundings)
{
    private readonly int[] _slowness = [1, 1, 1];
    private readonly long[] _stalledUntilUs = new long[3];

    /// <summary>How many times slower a lane is than it should be; 1 is healthy.</summary>
    public int SlownessOf(DiskLane lane) => _slowness[(int)lane];

    /// <summary>A disk with several queues may be slow in one and not in the others.</summary>
    public void SlowDown(DiskLane lane, int factor) => _slowness[(int)lane] = factor;

    public void Recover() => Array.Fill(_slowness, 1);

    /// <summary>Nothing of a lane completes before this instant.</summary>
    public long StalledUntilUs(DiskLane lane) => _stalledUntilUs[(int)lane];

    public bool IsStalled(long nowUs) => Array.Exists(_stalledUntilUs, untilUs => untilUs > nowUs);

    public void Stall(DiskLane lane, long untilUs) => _stalledUntilUs[(int)lane] = untilUs;

    public void EndStalls() => Array.Clear(_stalledUntilUs);

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
        int kind = lane == DiskLane.Journal ? surroundings.JournalSlowness : surroundings.DiskSlowness;
        return (long)usual * hiccup * kind * _slowness[(int)lane];
    }
}
