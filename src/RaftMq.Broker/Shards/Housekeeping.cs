using RaftMq.Broker.Environment;
using RaftMq.Broker.Leadership;
using RaftMq.Broker.Partitions;
using RaftMq.Broker.Space;
using RaftMq.Raft;

namespace RaftMq.Broker.Shards;

/// <summary>
/// What is done for each replica about once a second: retention, pending disk work, leadership to where it belongs; and a look at who is
/// in want of room on the disk (<see cref="SpaceWatch"/>), and at who leads what.
/// </summary>
/// <param name="tryAgainForRoom">
/// Tries again to make and delete replicas for which the disk had no room; says how many these were, and counts the journal as one more.
/// </param>
internal sealed class Housekeeping(
    Shard shard, LeaderBalancer balancer, LeaderFitness fitness, SpaceWatch space, Action<NodeEvent> report, Func<int> tryAgainForRoom)
{
    public const int PeriodMs = 1_000;

    private readonly LeadershipLog _leaderships = new(report);
    private long _nextMs;

    /// <summary>Who leads what may be different since the last look.</summary>
    private bool _leadershipsDue;
    private int _replicasSeen;

    public void LeadershipChanged() => _leadershipsDue = true;

    public void Tick(Func<GroupId, NodeId?> preferredLeader, Func<NodeId, bool> isAlive)
    {
        long now = shard.Context.Clock.MonotonicMs;
        if (now < _nextMs)
        {
            return;
        }

        _nextMs = now + PeriodMs;
        int withoutRoom = tryAgainForRoom();
        foreach (Replica replica in shard.All)
        {
            if (replica.Machine is Partition partition)
            {
                partition.Housekeep();
            }

            replica.Log.Pump();
            if (replica.Log.NoRoom)
            {
                withoutRoom++;
                fitness.SetGroup(replica.Group, LeaderFaults.DiskFull, has: true);
            }
            else if (!space.IsFull)
            {
                fitness.SetGroup(replica.Group, LeaderFaults.DiskFull, has: false);
            }

            balancer.Balance(replica, preferredLeader(replica.Group), isAlive, now);
        }

        space.WithoutRoom(withoutRoom);
        LookAtLeaderships();
    }

    /// <summary>With a thousand idle partitions a look each second is what costs. A group that left this node led here or not says nothing itself.</summary>
    private void LookAtLeaderships()
    {
        if (!_leadershipsDue && _replicasSeen == shard.All.Count)
        {
            return;
        }

        _leadershipsDue = false;
        _replicasSeen = shard.All.Count;
        _leaderships.Look(shard.All);
    }
}
