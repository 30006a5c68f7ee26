namespace RaftMq.Broker.Groups;

/// <summary>The answer to "what is this group".</summary>
public abstract record GroupDescribeResult
{
    private GroupDescribeResult()
    {
    }

    /// <param name="ProtocolName">Empty unless the group is syncing or stable.</param>
    public sealed record Described(
        ConsumerGroupId Group,
        GroupPhase Phase,
        Generation Generation,
        string ProtocolType,
        string ProtocolName,
        DescribedMember[] Members) : GroupDescribeResult;

    public sealed record Refused(GroupRefusal Reason) : GroupDescribeResult;
}

/// <param name="Metadata">Of the group's protocol; empty while the group has none.</param>
public sealed record DescribedMember(
    MemberId Member, InstanceId? Instance, string ClientId, string ClientHost, byte[] Metadata, byte[] Assignment);

/// <summary>The answer to "which groups are there".</summary>
public abstract record GroupListResult
{
    private GroupListResult()
    {
    }

    /// <summary>Sorted by group id.</summary>
    public sealed record Listed(List<ListedGroup> Groups) : GroupListResult;

    public sealed record Refused(GroupRefusal Reason) : GroupListResult;
}

/// <param name="ProtocolType">Empty for a group that only ever stored offsets.</param>
public readonly record struct ListedGroup(ConsumerGroupId Group, GroupPhase Phase, string ProtocolType);
