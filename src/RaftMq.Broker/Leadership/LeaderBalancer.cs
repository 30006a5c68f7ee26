using RaftMq.Broker.Shards;
using RaftMq.Raft;

namespace RaftMq.Broker.Leadership;

/// <summary>
/// Moves leadership of what this node leads: to where it is preferred, and away from here when this replica should not lead.
/// </summary>
internal sealed class LeaderBalancer(NodeId self, LeaderFitness fitness, Connectivity connectivity, BrokerOptions options)
{
    /// <summary>A follower this many ticks behind at most may take over without anybody noticing.</summary>
    private const int CaughtUpTicks = 4;

    private readonly SortedDictionary<GroupId, long> _misplacedSinceMs = [];

    /// <summary>Groups of which an operator named another leader while they were led here: these need not wait.</summary>
    private readonly SortedSet<GroupId> _wished = [];

    /// <summary>
    /// When each group may go for broken links again: whoever judges by other words than its successor must not send it to and fro, and one that nobody took
    /// stood still meanwhile.
    /// </summary>
    private readonly SortedDictionary<GroupId, long> _linksAgainMs = [];

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

        if (!replica.IsServing || !isAlive(wanted) || !IsNoWorse(wanted, replica) || !IsCaughtUp(replica, wanted))
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
        if (replica.IsServing && IsNoWorse(preferred, replica))
        {
            replica.TransferLeadership(preferred);
        }
    }

    /// <summary>The group left this node.</summary>
    public void Forget(GroupId group)
    {
        _wished.Remove(group);
        _misplacedSinceMs.Remove(group);
        _linksAgainMs.Remove(group);
    }

    /// <summary>True when this replica leads, should not, and another one can take over: it is asked to.</summary>
    public bool HandOverIfUnfit(Replica replica, Func<NodeId, bool> isAlive, long nowMs)
    {
        if (!replica.IsLeader || (SuccessorForFaults(replica, isAlive, nowMs) ?? SuccessorForLinks(replica, isAlive, nowMs)) is not { } successor)
        {
            return false;
        }

        replica.TransferLeadership(successor);
        return true;
    }

    private NodeId? SuccessorForFaults(Replica replica, Func<NodeId, bool> isAlive, long nowMs)
    {
        LeaderFaults faults = fitness.Of(self, replica.Group);
        if (faults == LeaderFaults.None)
        {
            return null;
        }

        // Who goes anyway takes any successor: consensus brings it up to date first. Else a pause of the writes must be worth it.
        bool mustBeCaughtUp = (faults & (LeaderFaults.Stopping | LeaderFaults.NoController)) == 0;
        bool mustBeFaster = faults == LeaderFaults.SlowDisk;

        // Nothing is wrong with one that is being drained, and it may lead for the sake of its links.
        int missedMax = faults == LeaderFaults.Draining ? connectivity.MissedOf(self, replica.Membership) : int.MaxValue;
        return BestSuccessor(
            replica, isAlive, tolerated: LeaderFaults.None,
            node => (!mustBeCaughtUp || IsCaughtUp(replica, node)) && (!mustBeFaster || fitness.IsDiskClearlyFaster(node, nowMs))
                && connectivity.MissedOf(node, replica.Membership) <= missedMax);
    }

    /// <summary>
    /// Members that this node misses can't follow it, or it can't hear them, whatever quorum it has: a replica that misses fewer is the better leader. Where
    /// none does, as on both sides of a cut through the middle, all stays as it is. One that is being drained may have to do.
    /// </summary>
    private NodeId? SuccessorForLinks(Replica replica, Func<NodeId, bool> isAlive, long nowMs)
    {
        int missed = connectivity.MissedOf(self, replica.Membership);
        if (missed == 0 || !replica.IsServing || !connectivity.IsSettled(nowMs) || nowMs < _linksAgainMs.GetValueOrDefault(replica.Group))
        {
            return null;
        }

        NodeId? successor = BestSuccessor(
            replica, isAlive, tolerated: LeaderFaults.Draining,
            node => connectivity.IsLinked(node) && connectivity.MissedOf(node, replica.Membership) < missed && IsCaughtUp(replica, node));
        if (successor is not null)
        {
            _linksAgainMs[replica.Group] = nowMs + (long)options.LeaderBalanceDelay.TotalMilliseconds;
        }

        return successor;
    }

    /// <summary>One that misses the fewest members, and of these one that has most of the log.</summary>
    /// <param name="tolerated">Faults that it may have.</param>
    private NodeId? BestSuccessor(Replica replica, Func<NodeId, bool> isAlive, LeaderFaults tolerated, Func<NodeId, bool> canTakeOver)
    {
        (PeerProgress Peer, int Missed)? best = null;
        foreach (PeerProgress peer in replica.Progress)
        {
            NodeId node = peer.Replica.Node;
            if (!peer.IsVoter || node == self || !isAlive(node) || (fitness.Of(node, replica.Group) & ~tolerated) != LeaderFaults.None || !canTakeOver(node))
            {
                continue;
            }

            int missed = connectivity.MissedOf(node, replica.Membership);
            if (best is not { } found || missed < found.Missed || (missed == found.Missed && peer.Match > found.Peer.Match))
            {
                best = (peer, missed);
            }
        }

        return best?.Peer.Replica.Node;
    }

    /// <summary>Has no fault that this replica has not, hears this node and is heard, and misses no more members: an operator may choose among damaged ones.</summary>
    private bool IsNoWorse(NodeId node, Replica replica) =>
        (fitness.Of(node, replica.Group) & ~fitness.Of(self, replica.Group)) == LeaderFaults.None
        && !connectivity.Misses(node) && connectivity.MissedOf(node, replica.Membership) <= connectivity.MissedOf(self, replica.Membership);

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
