namespace RaftMq.Raft;

/// <summary>How far a peer is, as the leader believes.</summary>
/// <param name="Match">Durable there, and equal to the leader's log.</param>
/// <param name="TicksSinceCaughtUp">Ticks since its match last reached what the leader's last index then was.</param>
/// <param name="TicksSinceHeard">Ticks since anything was heard of it.</param>
/// <param name="WindowEntries">Sent to it and not acknowledged, of <see cref="RaftConfig.WindowEntries"/>.</param>
/// <param name="WindowBytes">The same in bytes, of <see cref="RaftConfig.WindowBytes"/>.</param>
public readonly record struct PeerProgress(
    ReplicaId Replica, bool IsVoter, LogIndex Match, int TicksSinceCaughtUp, int TicksSinceHeard, bool InSnapshot,
    int WindowEntries, long WindowBytes);
