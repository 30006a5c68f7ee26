using RaftMq.Raft;
using RaftMq.Simulation.Coverage;
using RaftMq.Simulation.World;

namespace RaftMq.Simulation.Faults;

/// <summary>What all faults of a run share: whom they strike, chance, and until when.</summary>
internal sealed class FaultScene(SimulationWorld world, IReadOnlyList<SimulatedNode> nodes, RandomSource random)
{
    public SimulationWorld World => world;

    public IReadOnlyList<SimulatedNode> Nodes => nodes;

    public RandomSource Random => random;

    /// <summary>No fault strikes any more, and what some had done was undone: what was to end by itself must not undo what came after.</summary>
    public bool IsOver { get; set; }

    public SimulatedNode Draw() => nodes[random.Next(nodes.Count)];

    public int IndexOf(NodeId id)
    {
        for (int i = 0; i < nodes.Count; i++)
        {
            if (nodes[i].Id == id)
            {
                return i;
            }
        }

        return -1;
    }

    public void Note(string fault) => world.Trace.Add(world.NowUs, TraceKind.Fault, fault);

    public void Note(FaultKind kind, string fault)
    {
        world.Coverage.Hit(CoverageKind.Fault, kind.ToString());
        Note(fault);
    }

    /// <summary>What is set off before the faults are over must not strike after: a node that goes down then would be missed for long.</summary>
    public void WhileFaulty(long delayUs, Action then) => world.After(delayUs, () =>
    {
        if (!IsOver)
        {
            then();
        }
    });
}
