namespace RaftMq.Broker.Groups;

/// <summary>The answer to a heartbeat.</summary>
public abstract record HeartbeatResult
{
    private HeartbeatResult()
    {
    }

    /// <summary>The session goes on, nothing to do.</summary>
    public sealed record Alive : HeartbeatResult;

    /// <summary>With <see cref="GroupRefusal.RebalanceInProgress"/> the session goes on too; the member has to join again.</summary>
    public sealed record Refused(GroupRefusal Reason) : HeartbeatResult;
}
