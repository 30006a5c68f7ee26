namespace RaftMq.Raft;

/// <summary>The answer to a request to change the membership or the leader.</summary>
public abstract record ChangeResult
{
    private ChangeResult() { }

    /// <param name="Index">Of the entry that starts a membership change; for a transfer, the last index that the target has to hold.</param>
    public sealed record Started(LogIndex Index) : ChangeResult;

    public sealed record NotLeader(ReplicaId? Leader) : ChangeResult;

    public sealed record Refused(string Reason) : ChangeResult;
}
