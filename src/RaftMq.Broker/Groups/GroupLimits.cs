namespace RaftMq.Broker.Groups;

/// <summary>What one group coordinator (one partition of the offsets topic) holds at most. At a limit a request is refused, never queued.</summary>
public sealed record GroupLimits
{
    /// <summary>Members of one group, promised member ids included (group.max.size).</summary>
    public int MembersPerGroupMax { get; init; } = 1000;

    /// <summary>Bytes of one group's stored record: all members' protocol metadata and assignments. An entry must fit well into the
    /// 32 MiB that a Raft group may have uncommitted.</summary>
    public int GroupBytesMax { get; init; } = 8 << 20;

    /// <summary>Protocols (assignment strategies) that one member offers. Clients offer one to three.</summary>
    public int ProtocolsPerMemberMax { get; init; } = 32;

    /// <summary>UTF-8 bytes of a group id, member id, protocol type or protocol name.</summary>
    public int NameBytesMax { get; init; } = 1024;

    /// <summary>UTF-8 bytes of an instance id: what a topic name may have, as clients check it too.</summary>
    public int InstanceIdBytesMax { get; init; } = 249;

    /// <summary>Characters of a client id or host that are kept for display; the rest is cut.</summary>
    public int ClientTextCharsMax { get; init; } = 255;

    /// <summary>group.min.session.timeout.ms: below it, a garbage collection pause looks like a death.</summary>
    public int SessionTimeoutMsMin { get; init; } = 6_000;

    /// <summary>group.max.session.timeout.ms: above it, a dead member's partitions stand still for too long.</summary>
    public int SessionTimeoutMsMax { get; init; } = 1_800_000;

    /// <summary>A longer rebalance timeout is cut to this: nobody waits for a join or a sync longer than a day.</summary>
    public int RebalanceTimeoutMsMax { get; init; } = 86_400_000;

    /// <summary>A new member whose join waits longer than this is taken for gone; nothing else shows that its client died.</summary>
    public int NewMemberJoinMsMax { get; init; } = 300_000;

    /// <summary>UTF-8 bytes of the text a consumer may store beside an offset (offset.metadata.max.bytes).</summary>
    public int CommitMetadataBytesMax { get; init; } = 4096;

    /// <summary>Bytes of one offset commit as an entry.</summary>
    public int CommitBytesMax { get; init; } = 8 << 20;

    /// <summary>Groups of one coordinator.</summary>
    public int GroupsMax { get; init; } = 100_000;

    /// <summary>Offsets of one coordinator over all its groups: about 200 bytes of memory each.</summary>
    public int OffsetsMax { get; init; } = 2_000_000;

    /// <summary>Offset commits, reads and deletions whose answer waits for the Raft group.</summary>
    public int ProposalsInFlightMax { get; init; } = 10_000;

    /// <summary>Requests that wait for this replica's leadership to settle.</summary>
    public int CallsHeldMax { get; init; } = 1_000;

    /// <summary>So long they wait: longer than a leader needs to settle or to be followed by another, shorter than clients wait for an answer.</summary>
    public int CallHeldMsMax { get; init; } = 3_000;
}
