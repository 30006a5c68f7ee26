namespace RaftMq.Broker.Groups;

/// <summary>Members leave now and do not wait for their session to run out.</summary>
public sealed record LeaveRequest
{
    public required ConsumerGroupId Group { get; init; }

    public required LeavingMember[] Members { get; init; }
}

/// <summary>By member id, or (an operator removes a static member) by instance id with <see cref="MemberId.None"/>.</summary>
public readonly record struct LeavingMember(MemberId Member, InstanceId? Instance);

/// <summary>The answer to a <see cref="LeaveRequest"/>.</summary>
public abstract record LeaveResult
{
    private LeaveResult()
    {
    }

    /// <summary>Per member, in the order of the request: null when it left, else why not.</summary>
    public sealed record Left(GroupRefusal?[] Members) : LeaveResult;

    public sealed record Refused(GroupRefusal Reason) : LeaveResult;
}
