namespace RaftMq.Broker.Groups;

/// <summary>A member as the coordinator knows it now.</summary>
internal sealed class LiveMember(MemberId id, InstanceId? instance)
{
    /// <summary>Changes only when a static member's process is replaced by another (KIP-345).</summary>
    public MemberId Id { get; set; } = id;

    public InstanceId? Instance { get; } = instance;

    public string ClientId { get; set; } = "";

    public string ClientHost { get; set; } = "";

    public int SessionTimeoutMs { get; set; }

    public int RebalanceTimeoutMs { get; set; }

    public MemberProtocol[] Protocols { get; set; } = [];

    /// <summary>In the group's generation; empty until the leader has assigned.</summary>
    public byte[] Assignment { get; set; } = [];

    /// <summary>When its session ends unless it is heard. While a join or sync of it waits it counts as heard, a new member apart.</summary>
    public long DeadlineMs { get; set; }

    /// <summary>It is in no generation yet; its join may not wait longer than <see cref="GroupLimits.NewMemberJoinMsMax"/>.</summary>
    public bool IsNew { get; set; }

    /// <summary>It heard of the generation and owes a sync.</summary>
    public bool OwesSync { get; set; }

    /// <summary>Not null in <see cref="GroupPhase.Joining"/> only.</summary>
    public IReply<JoinResult>? WaitingJoin { get; set; }

    /// <summary>Not null in <see cref="GroupPhase.Syncing"/> only.</summary>
    public IReply<SyncResult>? WaitingSync { get; set; }

    public bool CanExpire => IsNew || (WaitingJoin is null && WaitingSync is null);

    public int Bytes
    {
        get
        {
            int bytes = Assignment.Length;
            foreach (MemberProtocol protocol in Protocols)
            {
                bytes += protocol.Metadata.Length;
            }

            return bytes;
        }
    }

    public MemberProtocol? FindProtocol(string name) => Array.Find(Protocols, protocol => protocol.Name == name);

    public MemberRecord ToRecord() =>
        new(Id, Instance, ClientId, ClientHost, SessionTimeoutMs, RebalanceTimeoutMs, Protocols, Assignment);

    public static LiveMember From(MemberRecord record) => new(record.Id, record.Instance)
    {
        ClientId = record.ClientId,
        ClientHost = record.ClientHost,
        SessionTimeoutMs = record.SessionTimeoutMs,
        RebalanceTimeoutMs = record.RebalanceTimeoutMs,
        Protocols = record.Protocols,
        Assignment = record.Assignment,
    };
}
