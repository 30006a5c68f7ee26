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
        Healing = start.Damage is { } damage ? new Healing(config, damage) : null;
        Out = new Outbox(this);
        if (start.IsTermUnwritten || start.Damage is { HardStateLost: true })
        {
            // Before anything is said in it, and before the damage is over: once healed, nobody asks the others for their terms any more.
            Out.HardStateChanged();
        }
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
    public LogIndex Acknowledgeable =>
        Healing?.KnowsTerm(this) == false ? LogIndex.Min(Log.Durable, Log.Commit)
        : PlantedBug.FollowerAcksBeforeWrite ? Matched
        : LogIndex.Min(Log.Durable, Matched);

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

    /// <summary>Not null while this replica is damaged.</summary>
    public Healing? Healing { get; private set; }

    /// <summary>What a candidate's log must not be behind: the end of the log here, or of what it was before it was damaged.</summary>
    public LogPosition Held
    {
        get
        {
            LogPosition here = new(Log.LastTerm, Log.LastIndex);
            return !PlantedBug.HeldForgotten && Healing?.Held is { } held && !here.IsAtLeast(held) ? held : here;
        }
    }

    /// <summary>It can't be told what this replica held, so its vote would mean nothing.</summary>
    public bool HeldIsUnknown => Healing is { Held: null } && !PlantedBug.HeldForgotten && !PlantedBug.TermFloorIgnored;

    /// <summary>The state that this replica made of its log is wrong: it stores and votes, and leads no more.</summary>
    public bool IsFenced { get; set; }

    /// <summary>No campaign before the disk has confirmed this token: it stepped aside because its disk did not answer.</summary>
    public long CampaignAfterSequence { get; set; }

    /// <summary>
    /// Votes in the newest membership, or did in the last committed one: until the entry that takes its vote is committed, this
    /// replica may be the only one whose log can win (dissertation 4.2.2).
    /// </summary>
    public bool IsVoter =>
        IsBorn && (Log.Membership.IsVoter(Config.Self) || Log.CommittedMembership.IsVoter(Config.Self));

    /// <summary>The log holds a membership that speaks of this replica; see <see cref="RaftConfig.BornFrom"/>.</summary>
    public bool IsBorn => Log.MembershipIndex >= Config.BornFrom || PlantedBug.FormerMembershipBelieved;

    /// <summary>Hard states up to this token's are durable, though entries handed out before may not be: see <see cref="RaftGroup.HardStatePersisted"/>.</summary>
    public long HardStateConfirmed { get; set; }

    public bool HardStateDurable =>
        !Out.HardStateDirty && Math.Max(Log.Persists.LastConfirmed, HardStateConfirmed) >= Out.HardStateSequence;

    public bool MayCampaign =>
        Installing is null && Healing is null && !IsFenced && Log.Persists.LastConfirmed >= CampaignAfterSequence && Term < Term.Last && IsVoter;

    /// <summary>A new term has no vote and no leader yet.</summary>
    public void EnterTerm(Term term, ReplicaId? vote)
    {
        Invariant.Holds(term > Term);
        Term = term;
        Vote = vote;
        Leader = null;
        Matched = Log.Commit;
        if (!PlantedBug.TermNotPersisted)
        {
            Out.HardStateChanged();
        }
    }

    /// <summary>Ends the damage when there is nothing left to wait for.</summary>
    public void LookWhetherHealed()
    {
        if (Healing is not { } healing)
        {
            return;
        }

        if (healing.IsEnding && Out.HealedSequence > 0 && Log.Persists.LastConfirmed >= Out.HealedSequence)
        {
            Healing = null;
        }
        else if (healing.IsWhole(this))
        {
            healing.IsEnding = true;
            Out.Healed();
        }
    }

    public void MatchedTo(LogIndex index) => Matched = LogIndex.Max(Matched, index);

    public void VoteFor(ReplicaId candidate)
    {
        Invariant.Holds(PlantedBug.TwoVotesInOneTerm || Vote is null || Vote == candidate);
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
