namespace RaftMq.Broker.Groups;

/// <summary>The answer to a <see cref="SyncRequest"/>.</summary>
public abstract record SyncResult
{
    private SyncResult()
    {
    }

    /// <summary>The member's assignment in its generation; the whole generation's assignment is durable.</summary>
    public sealed record Synced(string ProtocolType, string ProtocolName, byte[] Assignment) : SyncResult;

    public sealed record Refused(GroupRefusal Reason) : SyncResult;
}
