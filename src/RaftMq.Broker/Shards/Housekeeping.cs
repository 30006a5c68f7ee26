using RaftMq.Broker.Environment;
using RaftMq.Broker.Partitions;
using RaftMq.Raft;

namespace RaftMq.Broker.Shards;

/// <summary>
/// What is done for each replica about once a second: retention, pending disk work, leadership back to where it is preferred; and a look
/// at who is in want of room on the disk.
/// </summary>
internal sealed class Housekeeping(Shard shard, BrokerOptions options, Action<NodeEvent> report)
{
    public const int PeriodMs = 1_000;

    /// <summary>A follower this many ticks behind at most may take over without anybody noticing.</summary>
    private const int CaughtUpTicks = 4;

    private readonly SortedDictionary<GroupId, long> _misplacedSinceMs = [];
    private readonly RoomWatch _room = new(report);
    private long _nextMs;

    public void Tick(Func<GroupId, NodeId?> preferredLeader, Func<NodeId, bool> isAlive)
    {
        long now = shard.Context.Clock.MonotonicMs;
        if (now < _nextMs)
        {
            return;
        }

        _nextMs = now + PeriodMs;
        int withoutRoom = 0;
        foreach (Replica replica in shard.Replicas.Values)
        {
            if (replica.Machine is Partition partition)
            {
                partition.Housekeep();
            }

            replica.Log.Pump();
            withoutRoom += replica.Log.NoRoom ? 1 : 0;
            Balance(replica, preferredLeader(replica.Group), isAlive, now);
        }

        _room.Look(withoutRoom);
    }

    /// <summary>The operator named another preferred leader: no need to wait.</summary>
    public static void MoveNow(Replica replica, NodeId preferred)
    {
        if (replica.IsServing && replica.Leader?.Node != preferred)
        {
            replica.TransferLeadership(preferred);
        }
    }

    /// <summary>The follower that can take over soonest, for a node that goes.</summary>
    public static NodeId? BestSuccessor(Replica replica, Func<NodeId, bool> isAlive)
    {
        PeerProgress? best = null;
        foreach (PeerProgress peer in replica.Progress)
        {
            if (peer.IsVoter && peer.Replica.Node != replica.Leader?.Node && isAlive(peer.Replica.Node)
                && (best is null || peer.Match > best.Value.Match))
            {
                best = peer;
            }
        }

        return best?.Replica.Node;
    }

    private void Balance(Replica replica, NodeId? preferred, Func<NodeId, bool> isAlive, long now)
    {
        if (preferred is not { } wanted || !replica.IsServing || replica.Leader?.Node == wanted
            || !isAlive(wanted) || !IsCaughtUp(replica, wanted))
        {
            _misplacedSinceMs.Remove(replica.Group);
            return;
        }

        if (!_misplacedSinceMs.TryGetValue(replica.Group, out long since))
        {
            _misplacedSinceMs.Add(replica.Group, now);
        }
        else if (now - since >= options.LeaderBalanceDelay.TotalMilliseconds)
        {
            replica.TransferLeadership(wanted);
        }
    }

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
