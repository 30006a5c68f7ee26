using RaftMq.Broker.Balance;
using RaftMq.Raft;

namespace RaftMq.Broker.Controller;

/// <summary>
/// What the controller's leader makes of the wish for a balance. It is only written down that one is under way: its steps follow from the state, so
/// the next leader goes on with it.
/// </summary>
/// <param name="isAlive">Whether a node was heard of lately.</param>
internal sealed class BalanceDecisions(ClusterState state, Func<NodeId, bool> isAlive, Func<NodeId, bool> hasRoom)
{
    public Decision Decide(AdminCommand.Balance balance)
    {
        if (balance.Cancel)
        {
            return state.IsBalancing ? new Decision(new ClusterCommand.BalanceSet(IsUnderWay: false), null) : Done();
        }

        if (state.IsBalancing)
        {
            return Refuse("A balance is under way already: `raftmq cluster status` shows what is left of it, `raftmq cluster balance --cancel` stops it.");
        }

        ReplicaPlace[] places = ReplicaPlace.Of(state, isAlive, hasRoom);
        TopicInfo[] topics = [.. state.Topics.Values];
        if (BalancePlan.Obstacles(places, topics, static _ => true).ToArray() is [_, ..] obstacles)
        {
            return Refuse($"No balance now: {string.Join("; ", obstacles)}.");
        }

        return BalancePlan.Next(places, topics, static _ => true).IsEmpty ? Done() : new Decision(new ClusterCommand.BalanceSet(IsUnderWay: true), null);
    }

    private static Decision Done() => new(null, new AdminResult(AdminOutcome.Done));

    private static Decision Refuse(string message) => new(null, new AdminResult(AdminOutcome.Refused, message));
}
