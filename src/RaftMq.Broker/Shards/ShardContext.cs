using RaftMq.Broker.Digests;
using RaftMq.Broker.Environment;
using RaftMq.Broker.Peers;
using RaftMq.Broker.Space;
using RaftMq.Raft;
using RaftMq.Storage.Log;

namespace RaftMq.Broker.Shards;

/// <summary>What the replicas of one shard share.</summary>
internal sealed class ShardContext
{
    public required PeerSender Self { get; init; }

    public required IClock Clock { get; init; }

    public required PeerOutbox Outbox { get; init; }

    public required ShardJournal Journal { get; init; }

    public required TailPool Tail { get; init; }

    public required GroupRoom Room { get; init; }

    public required RecoveryPace Recovery { get; init; }

    public required IReplicaListener Listener { get; init; }

    public required BrokerOptions Options { get; init; }

    /// <summary>What limits held back on this node since its start.</summary>
    public HoldCounts Holds { get; } = new();

    public PastFullQueue PastFullQueue { get; } = new();

    /// <summary>Groups that something happened to in this turn.</summary>
    public List<Replica> Dirty { get; } = [];

    public int ReplicaLagTicksMax => (int)(Options.ReplicaLagMax.TotalMilliseconds / Shard.RaftTickMs);
}

/// <summary>Hears of what happens to this node's replicas.</summary>
internal interface IReplicaListener
{
    void LeadershipChanged(Replica replica);

    void InSyncChanged(Replica replica);

    /// <summary>See <see cref="Storage.Log.IGroupLogOwner.LogDamaged"/>.</summary>
    void LogDamaged(Replica replica, string report);

    /// <summary>What the journal lost of the replica is made up for.</summary>
    void Healed(Replica replica);

    /// <summary>This replica made something else of its log than a majority. It stores and votes on, and serves nobody.</summary>
    void StateDiverged(Replica replica, StateDigest own, StateDigest right);

    /// <summary>What this replica made of its log is right again.</summary>
    void StateRebuilt(Replica replica);

    /// <summary>On the leader: the replicas' states differ after that entry, and no majority agrees.</summary>
    void DigestsDiffer(Replica replica, LogIndex at);

    /// <summary>A leader's snapshot took the place of log and state, and of whatever was damaged there.</summary>
    void SnapshotTaken(Replica replica);

    /// <summary>A snapshot that a leader sent was not taken; it is asked for again. The reason is a clause.</summary>
    void SnapshotRefused(Replica replica, string reason);

    /// <summary>A group of this node holds entries of which it does not know that they are committed.</summary>
    bool HasUncommitted { get; }

    /// <summary>How long nothing was heard of a node that is not alive; 0 while it is.</summary>
    long SilentForMs(NodeId node);

    /// <summary>Whether that node said that its replica does not run (<see cref="Leadership.LeaderFaults.Quarantined"/>).</summary>
    bool IsQuarantined(NodeId node, GroupId group);
}

/// <summary>The version that the store notes beside a state machine's snapshot; the snapshot's first byte is its own.</summary>
internal static class StateVersions
{
    public const int Current = 1;
}
