using RaftMq.Raft;

namespace RaftMq.Broker.Movement;

/// <summary>What a leader sees of its group, as far as a movement depends on it.</summary>
/// <param name="MembershipIndex">Of the entry of <paramref name="Membership"/>.</param>
/// <param name="Commit">Up to there the log is committed.</param>
/// <param name="Progress">Of the other members.</param>
internal readonly record struct MoveView(
    ReplicaId Self, Membership Membership, LogIndex MembershipIndex, LogIndex Commit, LogIndex LastIndex,
    IReadOnlyList<PeerProgress> Progress);
