using RaftMq.Broker.Peers;
using RaftMq.Broker.Shards;
using RaftMq.Raft;

namespace RaftMq.Broker.Digests;

/// <summary>
/// One replica's part in comparing states: it digests its own at each point and tells the leader; as leader it hears the others, and tells those that a
/// majority contradicts. Who is told so, and has that very digest still, fences itself.
/// </summary>
internal sealed class StateWatch(Replica replica, ShardContext shard)
{
    private readonly DigestPoints _points = new(shard.Options.Limits.DigestEntries);
    private readonly DigestTally _tally = new();

    public bool IsDue(LogIndex applied) => _points.IsDue(applied);

    public void Take(LogIndex applied, ReadOnlySpan<byte> state)
    {
        StateDigest digest = _points.Take(applied, state);
        if (replica.IsFenced || PlantedBug.DigestNotTold)
        {
            return;
        }

        if (replica.IsLeader)
        {
            Heard(replica.Self, digest);
        }
        else if (replica.Leader is { } leader)
        {
            shard.Outbox.Add(leader.Node, new PeerMessage.StateDigested(replica.Group, digest));
        }
    }

    public void Heard(ReplicaId by, in StateDigest digest)
    {
        if (!replica.IsLeader)
        {
            return;
        }

        DigestVerdict verdict = _tally.Add(by, digest, replica.Membership);
        if (verdict.IsUndecided)
        {
            shard.Listener.DigestsDiffer(replica, verdict.Right.Index);
        }

        foreach (ReplicaId diverged in verdict.Diverged)
        {
            if (diverged == replica.Self)
            {
                Fence(verdict.Right);
            }
            else
            {
                shard.Outbox.Add(diverged.Node, new PeerMessage.StateDiverged(replica.Group, verdict.Right));
            }
        }
    }

    public void Diverged(ReplicaId by, in StateDigest right)
    {
        if (replica.Leader == by)
        {
            Fence(right);
        }
    }

    public void LeadershipEnded() => _tally.Clear();

    public void StateReplaced() => _points.Clear();

    private void Fence(in StateDigest right)
    {
        if (_points.At(right.Index) is { } own && own.Version == right.Version && own.Hash != right.Hash)
        {
            replica.Fence(own, right);
        }
    }
}
