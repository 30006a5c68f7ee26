namespace RaftMq.Raft;

/// <summary>The answer to <see cref="RaftGroup.Admit"/>.</summary>
public abstract record ProposeResult
{
    private ProposeResult() { }

    /// <summary>The entry must be built for this index and term and given to <see cref="RaftGroup.Propose"/> before anything else.</summary>
    public sealed record Admitted(LogIndex Index, Term Term) : ProposeResult;

    public sealed record NotLeader(ReplicaId? Leader) : ProposeResult;

    /// <summary>Too many uncommitted bytes, or leadership is being handed over.</summary>
    public sealed record Busy(string Reason) : ProposeResult;
}
