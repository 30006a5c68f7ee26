namespace RaftMq.Broker.Groups;

/// <summary>Why a request of a group's member or user was not done. A front end maps each to its own code.</summary>
public enum GroupRefusal
{
    /// <summary>This node does not lead the group's partition (any more). Find the coordinator again and retry.</summary>
    NotCoordinator,

    /// <summary>A limit of what may be under way is reached, nothing was done. Retry later.</summary>
    Busy,

    /// <summary>A new group or offset would go beyond what the coordinator may hold.</summary>
    LimitReached,

    /// <summary>The group has as many members as it may have.</summary>
    GroupFull,

    /// <summary>Group id empty or too long.</summary>
    InvalidGroupId,

    /// <summary>A field is missing or breaks a limit of <see cref="GroupLimits"/>; repeating the request does not help.</summary>
    InvalidRequest,

    /// <summary>The session timeout lies outside the allowed range.</summary>
    InvalidSessionTimeout,

    /// <summary>No protocol that all members know, another protocol type, or not the protocol the group uses.</summary>
    InconsistentProtocol,

    /// <summary>No such member: it left, its session ran out, or it never was. Join anew without a member id.</summary>
    UnknownMember,

    /// <summary>Another process joined with the same instance id. Stop: this one must not go on.</summary>
    FencedInstance,

    /// <summary>The request speaks for another generation than the group's. Join again.</summary>
    IllegalGeneration,

    /// <summary>The group rebalances, or a newer request of the same member took this one's place. Join again.</summary>
    RebalanceInProgress,

    /// <summary>What would be stored is larger than a commit or a group may be.</summary>
    TooLarge,

    /// <summary>No such group.</summary>
    GroupNotFound,

    /// <summary>The group has members; this needs one without.</summary>
    GroupNotEmpty,
}
