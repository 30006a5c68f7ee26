namespace RaftMq.Raft;

public enum Role { Follower, PreCandidate, Candidate, Leader, Learner }

/// <summary>What a group needs to know of itself and of time. Ticks are the caller's; the product's tick is 50 ms.</summary>
public sealed record RaftConfig
{
    public required GroupId Group { get; init; }
    public required ReplicaId Self { get; init; }
    public required BootNumber Boot { get; init; }

    /// <summary>100 ms.</summary>
    public int HeartbeatTicks { get; init; } = 2;

    /// <summary>0.6 s; an election time is drawn from [min, 2·min].</summary>
    public int ElectionTicksMin { get; init; } = 12;

    /// <summary>Quiet after this many ticks in which nothing happened and all live voters had everything.</summary>
    public int QuietAfterTicks { get; init; } = 20;

    public int TransferTicksMax { get; init; } = 24;
    public int WindowEntries { get; init; } = 256;
    public long WindowBytes { get; init; } = 8 << 20;

    /// <summary>One append message carries at most this much; a single larger entry travels alone.</summary>
    public int AppendBytesMax { get; init; } = 1 << 20;

    public long UncommittedBytesMax { get; init; } = 32 << 20;
    public bool LeaseReads { get; init; }
}

/// <summary>What the store found at start.</summary>
/// <param name="BaseIndex">The last index that the log no longer holds (the snapshot's), with its term and membership.</param>
/// <param name="TermStarts">First index of each term in the log above the base, ascending.</param>
/// <param name="LastIndex">The last durable index.</param>
/// <param name="Memberships">Membership entries in the log above the base, ascending.</param>
/// <param name="Commit">A lower bound of the commit index that the store knows.</param>
public sealed record RaftStart(
    HardState HardState,
    LogIndex BaseIndex,
    Term BaseTerm,
    Membership BaseMembership,
    IReadOnlyList<(LogIndex First, Term Term)> TermStarts,
    LogIndex LastIndex,
    IReadOnlyList<(LogIndex Index, Membership Membership)> Memberships,
    LogIndex Commit);

public abstract record ProposeResult
{
    private ProposeResult() { }

    /// <summary>The entry must be built for this index and term and given to <see cref="RaftGroup.Propose"/> before anything else.</summary>
    public sealed record Admitted(LogIndex Index, Term Term) : ProposeResult;

    public sealed record NotLeader(ReplicaId? Leader) : ProposeResult;

    /// <summary>Too many uncommitted bytes, or leadership is being handed over.</summary>
    public sealed record Busy(string Reason) : ProposeResult;
}

public abstract record ChangeResult
{
    private ChangeResult() { }

    public sealed record Started(LogIndex Index) : ChangeResult;

    public sealed record NotLeader(ReplicaId? Leader) : ChangeResult;

    public sealed record Refused(string Reason) : ChangeResult;
}

/// <summary>How far a peer is, as the leader believes.</summary>
/// <param name="Match">Durable there, and equal to the leader's log.</param>
/// <param name="TicksSinceCaughtUp">Ticks since its match last reached what the leader's last index then was.</param>
/// <param name="TicksSinceHeard">Ticks since anything was heard of it.</param>
public readonly record struct PeerProgress(
    ReplicaId Replica, bool IsVoter, LogIndex Match, int TicksSinceCaughtUp, int TicksSinceHeard, bool InSnapshot);

/// <summary>One replica of one Raft group: a pure state machine. SKELETON: replaced by the real one.</summary>
public sealed class RaftGroup
{
    public RaftGroup(RaftConfig config, RaftStart start, ILogTail tail, RandomSource random) => throw new NotSupportedException();

    public Role Role => throw new NotSupportedException();
    public Term Term => throw new NotSupportedException();
    public ReplicaId? Leader => throw new NotSupportedException();
    public bool IsQuiet => throw new NotSupportedException();
    public LogIndex CommitIndex => throw new NotSupportedException();
    public LogIndex LastIndex => throw new NotSupportedException();
    public LogIndex DurableIndex => throw new NotSupportedException();

    /// <summary>The leader's no-op of this term; zero when not leader. State-dependent proposals wait until it is applied.</summary>
    public LogIndex TermStartIndex => throw new NotSupportedException();
    public Membership Membership => throw new NotSupportedException();
    public bool HasReady => throw new NotSupportedException();

    public Term? TermAt(LogIndex index) => throw new NotSupportedException();

    public void Tick() => throw new NotSupportedException();
    public void Step(ReplicaId from, BootNumber boot, RaftMessage message) => throw new NotSupportedException();
    public ProposeResult Admit(int sizeBytes) => throw new NotSupportedException();
    public void Propose(in Entry entry) => throw new NotSupportedException();
    public ChangeResult ProposeMembership(IReadOnlyList<ReplicaId> voters, IReadOnlyList<ReplicaId> learners) => throw new NotSupportedException();
    public void Persisted(PersistToken token) => throw new NotSupportedException();
    public void EntriesRead(ReplicaId follower, LogIndex from, IReadOnlyList<Entry> entries) => throw new NotSupportedException();
    public void SnapshotSent(ReplicaId follower, LogIndex snapshotIndex, Term snapshotTerm, Membership membership) => throw new NotSupportedException();
    public void SnapshotInstalled(LogIndex index, Term term, Membership membership) => throw new NotSupportedException();
    public void SnapshotFailed(LogIndex index) => throw new NotSupportedException();

    /// <summary>The log now starts behind <paramref name="baseIndex"/> (retention).</summary>
    public void LogCut(LogIndex baseIndex) => throw new NotSupportedException();
    public ChangeResult TransferLeadership(NodeId target) => throw new NotSupportedException();
    public void Read(long readId) => throw new NotSupportedException();

    /// <summary>The connection to the leader's node was reset and refused when dialled again: forget that it was heard.</summary>
    public void LeaderLost() => throw new NotSupportedException();
    public void WakeUp() => throw new NotSupportedException();

    /// <summary>The node's flush is overdue: stop heartbeating as leader and hand over; needs no disk.</summary>
    public void StepAside() => throw new NotSupportedException();

    /// <summary>Voters (this one included) that hold <paramref name="index"/> durably, as far as the leader knows.</summary>
    public int VotersDurableAt(LogIndex index) => throw new NotSupportedException();
    public IReadOnlyList<PeerProgress> Progress => throw new NotSupportedException();
    public Ready TakeReady() => throw new NotSupportedException();
}
