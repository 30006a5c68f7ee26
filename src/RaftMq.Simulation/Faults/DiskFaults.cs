using RaftMq.Simulation.Disk;
using RaftMq.Simulation.World;
using RaftMq.Storage.Files;

namespace RaftMq.Simulation.Faults;

/// <summary>What goes wrong with disks but for what the medium forgets (<see cref="MediumFaults"/>), each for some time.</summary>
internal sealed class DiskFaults(FaultScene scene)
{
    public void SlowDisk()
    {
        SimulatedNode node = scene.Draw();
        int factor = scene.Random.Next(5, 120);
        int only = scene.Random.Next(4);
        foreach (DiskLane lane in Enum.GetValues<DiskLane>().Where(lane => only == 3 || (int)lane == only))
        {
            scene.Note(only == 3 ? FaultKind.SlowDisk : FaultKind.SlowLane, $"{node.Id}'s disk is slow: {lane} {factor} times");
            node.Pace.SlowDown(lane, factor);
        }

        scene.WhileFaulty(scene.Random.Next(500_000, 8_000_000), node.Pace.Recover);
    }

    public void StallDisk()
    {
        SimulatedNode node = scene.Draw();
        scene.Note(FaultKind.DiskStall, $"{node.Id}'s disk hangs");
        int only = scene.Random.Next(6);
        long untilUs = scene.World.NowUs + scene.Random.Next(100_000, 8_000_000);
        foreach (DiskLane lane in Enum.GetValues<DiskLane>().Where(lane => only >= 3 || (int)lane == only))
        {
            node.Pace.Stall(lane, untilUs);
        }
    }

    public void FailDisk()
    {
        SimulatedNode node = scene.Draw();
        if (node.IsUp)
        {
            (SimulatedDiskFault fault, FaultKind kind) = scene.Random.Next(3) switch
            {
                0 => (SimulatedDiskFault.SyncFails, FaultKind.SyncFails),
                1 => (SimulatedDiskFault.WriteFails, FaultKind.WriteFails),
                _ => (SimulatedDiskFault.ReadFails, FaultKind.ReadFails),
            };
            scene.Note(kind, $"{node.Id}: {fault}");
            node.MayStop = true;
            node.Medium.Arm(fault);
        }
    }

    /// <summary>Somebody else's files fill it: nothing is left, or so little that small writes go on.</summary>
    public void FillDisk()
    {
        SimulatedNode node = scene.Draw();
        scene.World.Totals.FullDisks++;
        long leftBytes = scene.Random.OneIn(3) ? 0 : scene.Random.NextInt64(1L << scene.Random.Next(10, 21));
        scene.Note(FaultKind.FullDisk, $"{node.Id}'s disk is full but for {leftBytes} bytes");
        node.Medium.CapacityBytesMax = node.Medium.UsedBytes + leftBytes;
        scene.WhileFaulty(scene.Random.Next(300_000, 10_000_000), () => node.Medium.CapacityBytesMax = long.MaxValue);
    }

    /// <summary>What is left fills up by the node's own data, for longer; on all nodes at once where they share a disk.</summary>
    public void ShrinkDisks()
    {
        long leftBytes = scene.Random.NextInt64(4 * Math.Max(scene.World.Space.FreeBytesMin, 64 << 10));
        SimulatedNode[] small = scene.Random.OneIn(3) ? [.. scene.Nodes] : [scene.Draw()];
        scene.Note(FaultKind.SmallDisk, $"{string.Join(',', small.Select(node => node.Id))} have {leftBytes} bytes left");
        scene.World.Totals.FullDisks += small.Length;
        foreach (SimulatedNode node in small)
        {
            node.Medium.CapacityBytesMax = node.Medium.UsedBytes + leftBytes;
        }

        scene.WhileFaulty(scene.Random.Next(3_000_000, 15_000_000), () =>
        {
            foreach (SimulatedNode node in small)
            {
                node.Medium.CapacityBytesMax = long.MaxValue;
            }
        });
    }
}
