using RaftMq.Broker.Shards;
using RaftMq.Raft;

namespace RaftMq.Broker.Leadership;

/// <summary>
/// Moves leadership of what this node leads: to where it is preferred, and away from here when this replica should not lead.
/// </summary>
internal sealed class LeaderBalancer(NodeId self, LeaderFitness fitness, BrokerOptions options)
{
    /// <summary>A follower this many ticks behind at most may take over without anybody noticing.</summary>
    private const int CaughtUpTicks = 4;

    private readonly SortedDictionary<GroupId, long> _misplacedSinceMs = [];

    /// <summary>Groups of which an operator named another leader while they were led here: these need not wait.</summary>
    private readonly SortedSet<GroupId> _wished = [];

    /// <summary>About once a second for each replica.</summary>
    /// <param name="preferred">Null while nothing is preferred.</param>
    public void Balance(Replica replica, NodeId? preferred, Func<NodeId, bool> isAlive, long nowMs)
    {
        if (preferred is not { } wanted || wanted == self || !replica.IsLeader)
        {
            _wished.Remove(replica.Group);
            _misplacedSinceMs.Remove(replica.Group);
            return;
        }

        if (!replica.IsServing || !isAlive(wanted) || !IsNoWorse(wanted, replica.Group) || !IsCaughtUp(replica, wanted))
        {
            _misplacedSinceMs.Remove(replica.Group);
            return;
        }

        if (_wished.Contains(replica.Group))
        {
            replica.TransferLeadership(wanted);
            return;
        }

        if (!_misplacedSinceMs.TryGetValue(replica.Group, out long since))
        {
            _misplacedSinceMs.Add(replica.Group, nowMs);
        }
        else if (nowMs - since >= options.LeaderBalanceDelay.TotalMilliseconds)
        {
            replica.TransferLeadership(wanted);
        }
    }

    /// <summary>The operator named another preferred leader: now if that one may lead, else as soon as it may.</summary>
    public void MoveNow(Replica replica, NodeId preferred)
    {
        if (!replica.IsLeader || preferred == self)
        {
            return;
        }

        _wished.Add(replica.Group);
        if (replica.IsServing && IsNoWorse(preferred, replica.Group))
        {
            replica.TransferLeadership(preferred);
        }
    }

    /// <summary>The group left this node.</summary>
    public void Forget(GroupId group)
    {
        _wished.Remove(group);
        _misplacedSinceMs.Remove(group);
    }

    /// <summary>True when this replica leads, should not, and another one can take over: it is asked to.</summary>
    public bool HandOverIfUnfit(Replica replica, Func<NodeId, bool> isAlive, long nowMs)
    {
        LeaderFaults faults = fitness.Of(self, replica.Group);
        if (!replica.IsLeader || faults == LeaderFaults.None)
        {
            return false;
        }

        // Who goes anyway takes any successor: consensus brings it up to date first. Else a pause of the writes must be worth it.
        bool goesAnyway = (faults & (LeaderFaults.Stopping | LeaderFaults.NoController)) != 0;
        if (BestSuccessor(replica, isAlive, mustBeCaughtUp: !goesAnyway, mustBeFaster: faults == LeaderFaults.SlowDisk, nowMs) is not { } successor)
        {
            return false;
        }

        replica.TransferLeadership(successor);
        return true;
    }

    private NodeId? BestSuccessor(Replica replica, Func<NodeId, bool> isAlive, bool mustBeCaughtUp, bool mustBeFaster, long nowMs)
    {
        PeerProgress? best = null;
        foreach (PeerProgress peer in replica.Progress)
        {
            NodeId node = peer.Replica.Node;
            if (peer.IsVoter && node != self && isAlive(node) && MayLead(node, replica.Group)
                && (!mustBeCaughtUp || IsCaughtUp(replica, node))
                && (!mustBeFaster || fitness.IsDiskClearlyFaster(node, nowMs))
                && (best is null || peer.Match > best.Value.Match))
            {
                best = peer;
            }
        }

        return best?.Replica.Node;
    }

    /// <summary>Has no fault that this replica has not: an operator may choose among damaged ones.</summary>
    private bool IsNoWorse(NodeId node, GroupId group) => (fitness.Of(node, group) & ~fitness.Of(self, group)) == LeaderFaults.None;

    private bool MayLead(NodeId node, GroupId group) => fitness.Of(node, group) == LeaderFaults.None;

    private static bool IsCaughtUp(Replica replica, NodeId node)
    {
        // A quiet group is one in which every live voter has everything.
        if (replica.IsQuiet)
        {
            return true;
        }

        foreach (PeerProgress peer in replica.Progress)
        {
            if (peer.Replica.Node == node)
            {
                return peer.IsVoter && peer.TicksSinceCaughtUp <= CaughtUpTicks;
            }
        }

        return false;
    }
}
