using RaftMq.Raft;
using RaftMq.Simulation.Network;
using RaftMq.Simulation.World;
using RaftMq.Storage.Files;

namespace RaftMq.Simulation.Faults;

/// <summary>
/// One node stays unwell when the other faults are over: for so long that nobody could wait for it. Every partition that has a majority without it owes
/// its service all the same.
/// </summary>
internal sealed class LastingFault(FaultScene scene, SimulatedNetwork network)
{
    /// <summary>What is owed meanwhile is owed within 30 s.</summary>
    public const long LengthUs = 32_000_000;

    private const int SlowTimes = 100;

    private static readonly FaultKind[] Drawn =
    [
        FaultKind.LastingMuteness, FaultKind.LastingDeafness, FaultKind.LastingGap, FaultKind.LastingDeath, FaultKind.LastingStandstill,
        FaultKind.LastingSlowDisk, FaultKind.LastingDiskStall,
    ];

    /// <summary>Null before it began, and where nobody could be struck.</summary>
    public SimulatedNode? Victim { get; private set; }

    /// <summary>All else is well at this instant.</summary>
    public void Begin()
    {
        // One that has lost something already, or a second one would be missing beside it.
        SimulatedNode[] well = [.. scene.Nodes.Where(static node => node.IsWanted && !node.MayBeRefused)];
        SimulatedNode? drawn = scene.World.DamagedNode ?? scene.World.SpoiltNode ?? (well.Length == 0 ? null : well[scene.Random.Next(well.Length)]);
        if (drawn is not { Life: { } life })
        {
            return;
        }

        Victim = drawn;
        FaultKind kind = Drawn[scene.Random.Next(Drawn.Length)];
        scene.Note(kind, $"{kind} of {drawn.Id}, for long");
        switch (kind)
        {
            case FaultKind.LastingDeath:
                drawn.IsHeldDown = true;
                drawn.Crash(scene.Random.OneIn(2) ? CrashKind.Process : CrashKind.Power);
                break;
            case FaultKind.LastingStandstill:
                if (!life.IsPaused)
                {
                    life.Pause();
                }

                break;
            case FaultKind.LastingMuteness:
                Cut(link => link.From == drawn.Id, all: scene.Random.OneIn(2));
                break;
            case FaultKind.LastingDeafness:
                Cut(link => link.To == drawn.Id, all: scene.Random.OneIn(2));
                break;
            case FaultKind.LastingGap:
                SimulatedNode[] others = [.. scene.Nodes.Where(node => node != drawn && node.IsWanted)];
                NodeId other = others[scene.Random.Next(others.Length)].Id;
                Cut(link => (link.From == drawn.Id && link.To == other) || (link.From == other && link.To == drawn.Id), all: true);
                break;
            case FaultKind.LastingSlowDisk:
                foreach (DiskLane lane in Enum.GetValues<DiskLane>())
                {
                    drawn.Pace.SlowDown(lane, SlowTimes);
                }

                break;
            default:
                foreach (DiskLane lane in Enum.GetValues<DiskLane>())
                {
                    drawn.Pace.Stall(lane, scene.World.NowUs + LengthUs);
                }

                break;
        }
    }

    /// <summary>It is over: the node may come back. The rest is made well with everything else.</summary>
    public void End()
    {
        if (Victim is { } victim)
        {
            victim.IsHeldDown = false;
        }
    }

    private void Cut(Func<Link, bool> concerns, bool all)
    {
        LinkState state = scene.Random.OneIn(2) ? LinkState.Dropped : LinkState.Stalled;
        Link[] links = [.. network.Links.Where(concerns)];
        int one = scene.Random.Next(links.Length);
        for (int i = 0; i < links.Length; i++)
        {
            if (all || i == one || scene.Random.OneIn(2))
            {
                scene.Note($"{state} for long: {links[i].From}>{links[i].To}");
                links[i].Conditions.State = state;
            }
        }
    }
}
