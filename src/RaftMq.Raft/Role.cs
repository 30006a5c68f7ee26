namespace RaftMq.Raft;

/// <summary>What a replica is to its group at the moment (docs/raft.md shows the arrows between them).</summary>
public enum Role
{
    /// <summary>Follows a leader or waits for one; campaigns when it hears none for an election time.</summary>
    Follower,

    /// <summary>Asks whether it would be elected, without touching its term (dissertation 9.6).</summary>
    PreCandidate,

    /// <summary>Asks for votes in a term of its own.</summary>
    Candidate,

    Leader,

    /// <summary>Follows but never campaigns: a learner, or a replica whose membership does not name it (yet, or any more).</summary>
    Learner,
}
