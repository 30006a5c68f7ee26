using System.Collections.Immutable;
using RaftMq.Broker.Balance;
using RaftMq.Broker.Controller;
using RaftMq.Raft;

namespace RaftMq.Broker.Cluster;

/// <summary>
/// Carries a balance out, on the controller's leader: one step of <see cref="BalancePlan"/> after the other as movements end, until none is left. It waits
/// while a drain is under way or a node that serves is down: what they have would be moved twice.
/// </summary>
/// <param name="movesMax">Movements at a time in the whole cluster, whoever began them.</param>
internal sealed class BalanceKeeper(
    ClusterState state, int movesMax, Func<NodeId, bool> isAlive, Func<NodeId, bool> hasRoom, Func<GroupId, bool> hasLeader)
{
    private const int LookEveryMs = 50;

    /// <summary>Where there is nothing to begin now, finding that out again costs a look at all partitions.</summary>
    private const int WaitMs = 1_000;

    private long _nextLookMs;

    public void Keep(ControllerMachine machine, long nowMs)
    {
        if (!state.IsBalancing || nowMs < _nextLookMs || machine.IsBusy)
        {
            return;
        }

        _nextLookMs = nowMs + LookEveryMs;
        ReplicaPlace[] places = ReplicaPlace.Of(state, isAlive, hasRoom);
        TopicInfo[] topics = [.. state.Topics.Values];
        int underWay = topics.Sum(t => t.Partitions.Count(static p => p.IsMoving));
        if (underWay >= movesMax)
        {
            return;
        }

        if (BalancePlan.Obstacles(places, topics, static _ => true).Any())
        {
            _nextLookMs = nowMs + WaitMs;
            return;
        }

        ImmutableArray<BalanceMove> step = BalancePlan.Next(places, topics, p => !p.IsMoving && hasLeader(p.Group));
        bool fits = underWay == 0 || underWay + step.Count(static m => m.Copies > 0) <= movesMax;
        if (!step.IsEmpty && fits)
        {
            machine.TryPropose(new ClusterCommand.PartitionsPlaced(
                [.. step.Select(m => new PlacedPartition(m.Topic.Id, m.Partition.Number, m.To))]));
        }
        else if (step.IsEmpty && underWay == 0 && BalancePlan.Next(places, topics, static _ => true).IsEmpty)
        {
            machine.TryPropose(new ClusterCommand.BalanceSet(IsUnderWay: false));
        }
        else
        {
            _nextLookMs = nowMs + WaitMs;
        }
    }
}
