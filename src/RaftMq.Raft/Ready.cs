namespace RaftMq.Raft;

/// <summary>A message and whom it is for.</summary>
public readonly record struct Outgoing(ReplicaId To, RaftMessage Message);

/// <summary>Read entries from disk for a follower that is behind the memory; answer with <see cref="RaftGroup.EntriesRead"/>.</summary>
public readonly record struct LogReadRequest(ReplicaId Follower, LogIndex From, LogIndex To, long MaxBytes);

/// <summary>Everything before this index was committed when the read was asked for and a quorum has confirmed the leader since (dissertation 6.4).</summary>
public readonly record struct ReadConfirmed(long ReadId, LogIndex Index);

/// <summary>A read that this replica can't confirm any more (it is not the leader); the caller asks elsewhere.</summary>
public readonly record struct ReadRefused(long ReadId);

/// <summary>
/// What a group wants done, in this order:
/// 1. hand <see cref="HardState"/> and <see cref="Entries"/> to the journal as one unit, named <see cref="Persist"/>
///    (entries replace whatever stood at and behind the first one's index);
/// 2. send <see cref="Messages"/> now;
/// 3. when the journal confirms <see cref="Persist"/>, call <see cref="RaftGroup.Persisted"/> with it and only then send
///    <see cref="MessagesAfterPersist"/>, which depend on the hard state alone: where the journal confirms that one earlier, call
///    <see cref="RaftGroup.HardStatePersisted"/> and send them then;
/// 4. apply entries up to <see cref="Committed"/>.
/// The object is reused: it is valid until the next <see cref="RaftGroup.TakeReady"/> of the same group, except
/// <see cref="MessagesAfterPersist"/>, which is a list of its own that the caller keeps until it may be sent.
/// </summary>
public sealed class Ready
{
    /// <summary>Not null when term or vote changed.</summary>
    public HardState? HardState { get; internal set; }

    public List<Entry> Entries { get; } = [];

    /// <summary>
    /// The damage that this replica was started with is over. To be recorded with the rest of this ready; from <see cref="RaftGroup.Persisted"/>
    /// on it is a replica like any other.
    /// </summary>
    public bool Healed { get; internal set; }

    /// <summary>Not null when there is a hard state or an entry to make durable, or the end of a damage.</summary>
    public PersistToken? Persist { get; internal set; }

    public List<Outgoing> Messages { get; } = [];

    /// <summary>Messages that depend on this ready's <see cref="Persist"/>; null when there are none.</summary>
    public List<Outgoing>? MessagesAfterPersist { get; internal set; }

    /// <summary>The commit index, which never goes back.</summary>
    public LogIndex Committed { get; internal set; }

    /// <summary>True when <see cref="Committed"/> moved since the last ready.</summary>
    public bool CommitAdvanced { get; internal set; }

    /// <summary>True when a follower's durable position moved (acks held for min.insync.replicas look again).</summary>
    public bool MatchAdvanced { get; internal set; }

    /// <summary>True when role, term or known leader changed.</summary>
    public bool LeadershipChanged { get; internal set; }

    /// <summary>Not null when the newest membership in the log changed (in force at once, also when not yet committed, or truncated away).</summary>
    public Membership? MembershipChanged { get; internal set; }

    public List<LogReadRequest> LogReads { get; } = [];

    /// <summary>Followers that are behind the log's start: send them the base snapshot, then call <see cref="RaftGroup.SnapshotSent"/>.</summary>
    public List<ReplicaId> SnapshotsToSend { get; } = [];

    /// <summary>Not null when the leader offers a snapshot that this follower should fetch and install; answer with <see cref="RaftGroup.SnapshotInstalled"/> or <see cref="RaftGroup.SnapshotFailed"/>.</summary>
    public InstallSnapshot? SnapshotToInstall { get; internal set; }

    public List<ReadConfirmed> ReadsConfirmed { get; } = [];

    public List<ReadRefused> ReadsRefused { get; } = [];
}
