namespace RaftMq.Broker.Groups;

/// <summary>The answer to a <see cref="JoinRequest"/>.</summary>
public abstract record JoinResult
{
    private JoinResult()
    {
    }

    /// <summary>The member belongs to this generation, which is durable. Next: sync.</summary>
    /// <param name="Leader">The member that assigns. To a client that cannot skip assignment a returned static leader is shown its
    /// former id here, so that it does not assign again in a stable group.</param>
    /// <param name="SkipAssignment">The member leads, but the assignment stands and it must not make a new one (KIP-814).</param>
    /// <param name="Members">For the leader: all members, in the order they joined. Else empty.</param>
    public sealed record Joined(
        Generation Generation,
        string ProtocolType,
        string ProtocolName,
        MemberId Leader,
        MemberId Member,
        bool SkipAssignment,
        JoinedMember[] Members) : JoinResult;

    /// <summary>Join again with this member id (KIP-394).</summary>
    public sealed record MemberIdRequired(MemberId Member) : JoinResult;

    public sealed record Refused(GroupRefusal Reason) : JoinResult;
}

/// <summary>A member as the leader sees it: the metadata is that of the protocol the group chose.</summary>
public sealed record JoinedMember(MemberId Member, InstanceId? Instance, byte[] Metadata);
