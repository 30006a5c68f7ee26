namespace RaftMq.Broker.Groups;

/// <summary>Become, or stay, a member of the group's next generation. Arrays are handed over and must not change afterwards.</summary>
public sealed record JoinRequest
{
    public required ConsumerGroupId Group { get; init; }

    /// <summary><see cref="MemberId.None"/> for a newcomer.</summary>
    public required MemberId Member { get; init; }

    public InstanceId? Instance { get; init; }

    /// <summary>For display, and the beginning of the member id.</summary>
    public required string ClientId { get; init; }

    /// <summary>For display.</summary>
    public required string ClientHost { get; init; }

    public required int SessionTimeoutMs { get; init; }

    /// <summary>How long the other members wait for this one in a rebalance. Not positive: the session timeout.</summary>
    public required int RebalanceTimeoutMs { get; init; }

    /// <summary>"consumer" for consumers; any other word for other users of the protocol. All members have the same.</summary>
    public required string ProtocolType { get; init; }

    /// <summary>In the member's order of preference; at least one.</summary>
    public required MemberProtocol[] Protocols { get; init; }

    /// <summary>KIP-394: a newcomer without instance id first gets its member id and joins again with it, so that a join whose answer
    /// was lost leaves no ghost behind.</summary>
    public bool RequireKnownMember { get; init; }

    /// <summary>KIP-814: the client understands <see cref="JoinResult.Joined.SkipAssignment"/>.</summary>
    public bool CanSkipAssignment { get; init; }
}
