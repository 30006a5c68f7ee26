namespace RaftMq.Broker.Groups;

/// <summary>The answer to the deletion of a group.</summary>
public abstract record GroupDeleteResult
{
    private GroupDeleteResult()
    {
    }

    /// <summary>The group and its offsets are gone, durably.</summary>
    public sealed record Deleted : GroupDeleteResult;

    public sealed record Refused(GroupRefusal Reason) : GroupDeleteResult;
}
