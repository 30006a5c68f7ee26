using RaftMq.Raft;

namespace RaftMq.Broker.Movement;

/// <summary>What a group's leader does next to bring the membership where it is wanted.</summary>
internal abstract record MoveStep
{
    private MoveStep() { }

    /// <summary>The membership is as wanted, and committed.</summary>
    public sealed record Settled : MoveStep
    {
        public static readonly Settled Instance = new();
    }

    /// <summary>A change of the membership is on its way.</summary>
    public sealed record AwaitChange : MoveStep
    {
        public static readonly AwaitChange Instance = new();
    }

    /// <summary>These do not hold enough yet.</summary>
    public sealed record AwaitCatchUp(IReadOnlyList<ReplicaId> Learners) : MoveStep;

    /// <summary>Who comes listens first; who was to come and is not wanted any more stops listening. The voters stay.</summary>
    /// <param name="IsStart">Data will flow to a node that has none of it.</param>
    public sealed record SetLearners(IReadOnlyList<ReplicaId> Learners, bool IsStart) : MoveStep;

    /// <summary>The leader is about to leave: one that stays takes over first, so that nobody waits for an election.</summary>
    public sealed record HandOver(NodeId To) : MoveStep;

    /// <summary>The voters become the wanted ones, through a joint membership.</summary>
    public sealed record SetVoters : MoveStep
    {
        public static readonly SetVoters Instance = new();
    }
}
