namespace RaftMq.Simulation.Coverage;

/// <summary>What a run can reach.</summary>
public enum CoverageKind
{
    /// <summary>Something that goes wrong outside of the nodes.</summary>
    Fault,

    /// <summary>What a node's disk was doing when the node ended in the middle of it.</summary>
    CrashPoint,

    /// <summary>A message that left a node.</summary>
    Message,

    /// <summary>A change of a replica's role, as seen from outside.</summary>
    Transition,

    /// <summary>A place in the product's code (<see cref="Raft.RareBranch"/>); counted in the configuration Planted only.</summary>
    RareBranch,
}
