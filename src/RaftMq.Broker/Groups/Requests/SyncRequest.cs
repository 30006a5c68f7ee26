namespace RaftMq.Broker.Groups;

/// <summary>Bring (as leader) and get the assignment of a generation. Arrays are handed over and must not change afterwards.</summary>
public sealed record SyncRequest
{
    public required ConsumerGroupId Group { get; init; }

    public required Generation Generation { get; init; }

    public required MemberId Member { get; init; }

    public InstanceId? Instance { get; init; }

    /// <summary>Null: not said, not checked.</summary>
    public string? ProtocolType { get; init; }

    /// <summary>Null: not said, not checked.</summary>
    public string? ProtocolName { get; init; }

    /// <summary>Looked at when the leader sends it. Members it does not name get an empty assignment; unknown ones are ignored.</summary>
    public required MemberAssignment[] Assignments { get; init; }
}

public readonly record struct MemberAssignment(MemberId Member, byte[] Assignment);
