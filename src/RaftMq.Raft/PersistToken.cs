namespace RaftMq.Raft;

/// <summary>
/// Names one request of <see cref="Ready"/> to make things durable. Tokens of a group grow by one; the store confirms them in order.
/// The notice carries index and term of the last entry it covers, so that a late one never counts for another entry.
/// </summary>
public readonly record struct PersistToken(long Sequence, LogIndex LastIndex, Term LastTerm);
