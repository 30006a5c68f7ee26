namespace RaftMq.Raft;

/// <summary>What a replica is whatever its role: term and vote, the log, the leader it knows, and what it wants done.</summary>
internal sealed class GroupState
{
    public GroupState(RaftConfig config, RaftStart start, ILogTail tail, RandomSource random)
    {
        Config = config;
        Random = random;
        Log = new RaftLog(start, tail);
        Term = start.HardState.Term;
        Vote = start.HardState.Vote;
        Matched = Log.Commit;
        Out = new Outbox(this);
    }

    public RaftConfig Config { get; }

    public RandomSource Random { get; }

    public RaftLog Log { get; }

    public Outbox Out { get; }

    public BootTable Boots { get; } = new();

    public Term Term { get; private set; }

    public ReplicaId? Vote { get; private set; }

    /// <summary>The leader of <see cref="Term"/>, once heard; this replica itself when it is.</summary>
    public ReplicaId? Leader { get; set; }

    /// <summary>
    /// The log equals that of the leader of <see cref="Term"/> up to here. Starts at commit, which every leader of a later term holds
    /// (Raft 5.4.3), and only grows within a term: it has one leader, who takes nothing back.
    /// </summary>
    public LogIndex Matched { get; private set; }

    /// <summary>Durable here and equal to the leader's log: all that may be acknowledged.</summary>
    public LogIndex Acknowledgeable => LogIndex.Min(Log.Durable, Matched);

    /// <summary>
    /// Ticks since any leader was heard. Where leases are on it stands above terms and roles, and a start counts as having heard one:
    /// a lease outlives them.
    /// </summary>
    public int TicksSinceLeader { get; set; }

    /// <summary>A leader is alive as far as a replica can tell that does not lead: no vote for others (dissertation 4.2.3).</summary>
    public bool HearsLeader =>
        TicksSinceLeader < Config.ElectionTicksMin && (Leader is not null || Config.LeaseReads);

    /// <summary>Nothing happens: ticks mean nothing until something does.</summary>
    public bool IsQuiet { get; set; }

    /// <summary>The snapshot the shell is installing. Until it answers, the log takes no entries and this replica does not campaign.</summary>
    public InstallSnapshot? Installing { get; set; }

    /// <summary>No campaign before the disk has confirmed this token: it stepped aside because its disk did not answer.</summary>
    public long CampaignAfterSequence { get; set; }

    /// <summary>
    /// Votes in the newest membership, or did in the last committed one: until the entry that takes its vote is committed, this
    /// replica may be the only one whose log can win (dissertation 4.2.2).
    /// </summary>
    public bool IsVoter => Log.Membership.IsVoter(Config.Self) || Log.CommittedMembership.IsVoter(Config.Self);

    /// <summary>Hard states up to this token's are durable, though entries handed out before may not be: see <see cref="RaftGroup.HardStatePersisted"/>.</summary>
    public long HardStateConfirmed { get; set; }

    public bool HardStateDurable =>
        !Out.HardStateDirty && Math.Max(Log.Persists.LastConfirmed, HardStateConfirmed) >= Out.HardStateSequence;

    public bool MayCampaign =>
        Installing is null && Log.Persists.LastConfirmed >= CampaignAfterSequence && Term < Term.Last && IsVoter;

    /// <summary>A new term has no vote and no leader yet.</summary>
    public void EnterTerm(Term term, ReplicaId? vote)
    {
        Invariant.Holds(term > Term);
        Term = term;
        Vote = vote;
        Leader = null;
        Matched = Log.Commit;
        Out.HardStateChanged();
    }

    public void MatchedTo(LogIndex index) => Matched = LogIndex.Max(Matched, index);

    public void VoteFor(ReplicaId candidate)
    {
        Invariant.Holds(Vote is null || Vote == candidate);
        if (Vote is null)
        {
            Vote = candidate;
            Out.HardStateChanged();
        }
    }

    /// <summary>Uniform in [min, 2·min] (Raft 5.2).</summary>
    public int DrawElectionTicks() => Config.ElectionTicksMin + Random.Next(Config.ElectionTicksMin + 1);

    public void Send(ReplicaId to, RaftMessage message) => Out.Send(to, message);

    public void CheckInvariants()
    {
        Log.CheckInvariants();
        Invariant.Holds(Log.LastTerm <= Term);
        Invariant.Holds(Matched <= Log.LastIndex);
    }
}
