namespace RaftMq.Raft;

/// <summary>A hand-over under way (dissertation 3.10): no proposals, the target catches up, then it is told to campaign.</summary>
internal sealed class LeadershipTransfer(ReplicaId target, int ticksMax)
{
    private int _ticksLeft = ticksMax;

    public ReplicaId Target { get; } = target;

    public bool TickIsOver() => --_ticksLeft <= 0;
}
