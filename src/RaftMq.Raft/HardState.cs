namespace RaftMq.Raft;

/// <summary>Term and vote: one record, durable before any message that depends on them (Raft 5.1, P-01).</summary>
public readonly record struct HardState(Term Term, ReplicaId? Vote);
