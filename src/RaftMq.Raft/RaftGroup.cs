namespace RaftMq.Raft;

/// <summary>
/// One replica of one Raft group: a pure state machine without clock, thread or I/O. Its life:
/// 1. made from what the store found (<see cref="RaftStart"/>);
/// 2. told what happens: time (<see cref="Tick"/>), messages (<see cref="Step"/>), proposals (<see cref="Admit"/>, then
///    <see cref="Propose"/>), the disk's confirmations (<see cref="Persisted"/>);
/// 3. asked what to do about it (<see cref="TakeReady"/>), after each of these or after several.
/// Not thread-safe: the owner's exclusive section calls it. Any broken invariant throws and must end the process.
/// </summary>
public sealed class RaftGroup
{
    private readonly GroupState _state;
    private RoleState _role;

    /// <param name="config">Who this replica is, and the limits.</param>
    /// <param name="start">What the store found; all of it durable.</param>
    /// <param name="tail">The newest part of the log; its last index is the start's.</param>
    /// <param name="random">For election times.</param>
    public RaftGroup(RaftConfig config, RaftStart start, ILogTail tail, RandomSource random)
    {
        _state = new GroupState(config, start, tail, random);
        FollowerState follower = new(this, _state);
        _role = follower;
        if (IsAlone)
        {
            follower.ElectAtNextTick();
        }

        CheckInvariants();
    }

    public Role Role => _role.Role;

    public Term Term => _state.Term;

    /// <summary>The leader of <see cref="Term"/> as far as known; this replica itself when it leads.</summary>
    public ReplicaId? Leader => _state.Leader;

    /// <summary>This replica lost what was durable here and has not got it back; it votes and follows with care and never leads.</summary>
    public bool IsDamaged => _state.Healing is not null;

    /// <summary>See <see cref="Fence"/>.</summary>
    public bool IsFenced => _state.IsFenced;

    /// <summary>Nothing happens in the group, and ticks are not needed until something does.</summary>
    public bool IsQuiet => _state.IsQuiet;

    public LogIndex CommitIndex => _state.Log.Commit;

    public LogIndex LastIndex => _state.Log.LastIndex;

    /// <summary>The log is durable on this replica up to here. May be below <see cref="CommitIndex"/>.</summary>
    public LogIndex DurableIndex => _state.Log.Durable;

    /// <summary>The last index that the log no longer holds.</summary>
    public LogIndex BaseIndex => _state.Log.BaseIndex;

    /// <summary>The leader's no-op of this term; zero when not leader. State-dependent proposals wait until it is applied.</summary>
    public LogIndex TermStartIndex => (_role as LeaderState)?.TermStart ?? LogIndex.Zero;

    /// <summary>The newest membership in the log, committed or not.</summary>
    public Membership Membership => _state.Log.Membership;

    /// <summary>In force at <see cref="CommitIndex"/>.</summary>
    public Membership CommittedMembership => _state.Log.CommittedMembership;

    /// <summary>
    /// Of the entry that brought <see cref="Membership"/>. After a start, or where the log no longer holds it, a committed index at or above
    /// that one.
    /// </summary>
    public LogIndex MembershipIndex => _state.Log.MembershipIndex;

    /// <summary><see cref="Membership"/> is committed as far as known here, and no change is under way.</summary>
    public bool IsMembershipSettled => !_state.Log.Membership.IsJoint && _state.Log.MembershipIndex <= _state.Log.Commit;

    /// <summary><see cref="TakeReady"/> has something to say.</summary>
    public bool HasReady => _role.WantsFlush || _state.Out.HasReady(Role);

    private bool IsAlone =>
        _state.IsBorn && _state.Log.Membership is { Voters.Count: 1, OutgoingVoters.Count: 0 }
        && _state.Log.Membership.IsVoter(_state.Config.Self);

    /// <summary>The term of any entry from the base on, without I/O; null below the base and above the end.</summary>
    public Term? TermAt(LogIndex index) => _state.Log.TermAt(index);

    /// <summary>Time passes. Nothing to do, and nothing done, while <see cref="IsQuiet"/>.</summary>
    public void Tick()
    {
        if (_state.IsQuiet)
        {
            return;
        }

        _state.Healing?.Tick(_state);
        _role.Tick();
        CheckInvariants();
    }

    /// <summary>
    /// A message came in. Its entries' bytes are copied to the tail during the call. Dropped without a trace: messages of an older boot
    /// of the sender, malformed ones, and those of replicas that have no say here (docs/raft.md, strangers).
    /// </summary>
    public void Step(ReplicaId from, BootNumber boot, RaftMessage message)
    {
        if (from == _state.Config.Self || !MessageCheck.IsWellFormed(message) || !MayBeHeard(from, message))
        {
            return;
        }

        switch (_state.Boots.Observe(from, boot, _state.Log.Membership))
        {
            case BootNews.Older:
                Probe.Reached(RareBranch.FormerBootDropped);
                return;
            case BootNews.Newer:
                WakeUp();
                _role.Restarted(from);
                break;
            default:
                break;
        }

        WakeFor(from, message);
        switch (message)
        {
            case PreVoteRequest m:
                AnswerPreVote(from, m);
                break;
            case VoteRequest m:
                AnswerVote(from, m);
                break;
            case TermQuery m:
                _state.Send(from, new TermAnswer(_state.Term, m.AskerBoot));
                break;
            case TermAnswer m:
                HearTerm(from, m);
                break;
            default:
                StepInTerm(from, message);
                break;
        }

        CheckInvariants();
    }

    /// <summary>May an entry of this size be proposed now? <see cref="ProposeResult.Admitted"/> says as what.</summary>
    public ProposeResult Admit(int sizeBytes) => _role is LeaderState leader
        ? leader.RefusalOf(sizeBytes) ?? new ProposeResult.Admitted(_state.Log.LastIndex.Next, _state.Term)
        : new ProposeResult.NotLeader(_state.Leader);

    /// <summary>
    /// Appends the entry that was admitted. It lies at the end of the tail already; if the tail ends just before it, it is copied there.
    /// </summary>
    public void Propose(in Entry entry)
    {
        Invariant.Holds(_role is LeaderState);
        WakeUp();
        Entry stored = _state.Log.Tail.LastIndex == entry.Index.Previous ? _state.Log.Tail.Append(entry) : entry;
        ((LeaderState)_role).Propose(stored);
        CheckInvariants();
    }

    /// <summary>
    /// Starts a change to this membership. A change of voters goes through a joint membership and leaves it by itself; watch
    /// <see cref="Ready.MembershipChanged"/>. One change at a time.
    /// </summary>
    public ChangeResult ProposeMembership(IReadOnlyList<ReplicaId> voters, IReadOnlyList<ReplicaId> learners)
    {
        if (_role is not LeaderState leader)
        {
            return new ChangeResult.NotLeader(_state.Leader);
        }

        WakeUp();
        ChangeResult result = leader.ProposeMembership(voters, learners);
        CheckInvariants();
        return result;
    }

    /// <summary>The journal confirms a ready's <see cref="Ready.Persist"/>, and with it all earlier ones. Repeated notices are ignored.</summary>
    public void Persisted(PersistToken token)
    {
        _state.Log.Persists.Confirm(token);
        _state.Out.Persisted();
        _role.Persisted();
        _state.LookWhetherHealed();
        CheckInvariants();
    }

    /// <summary>
    /// The journal confirms the hard state of a ready's <see cref="Ready.Persist"/>, and with it all earlier hard states, but not its entries
    /// nor those of earlier readies: <see cref="Persisted"/> follows. What depends on term and vote may happen now, so that an election
    /// does not wait for entries in a full journal. Safe, since nothing that a vote or a term promises is about entries that are not
    /// acknowledged: the voter compared the candidate's log with all of its own, durable or not (Raft 5.4.1), and both a candidate's and a
    /// leader's own entries count only once they are durable themselves.
    /// </summary>
    public void HardStatePersisted(PersistToken token)
    {
        Invariant.Holds(token.Sequence <= _state.Log.Persists.LastIssued);
        _state.HardStateConfirmed = Math.Max(_state.HardStateConfirmed, token.Sequence);
        _state.Out.Persisted();
        _role.Persisted();
        CheckInvariants();
    }

    /// <summary>
    /// Answers a <see cref="LogReadRequest"/>: entries from its first index on, at least one; or none, when they could not be read (they
    /// are asked for again when still needed). Their bytes must stay valid until the ready after this call was worked through.
    /// </summary>
    public void EntriesRead(ReplicaId follower, LogIndex from, IReadOnlyList<Entry> entries)
    {
        (_role as LeaderState)?.EntriesRead(follower, from, entries);
        CheckInvariants();
    }

    /// <summary>
    /// Answers <see cref="Ready.SnapshotsToSend"/>: this snapshot can be fetched now. Its index is at least the log's base. The follower
    /// is offered it until it answers.
    /// </summary>
    public void SnapshotSent(ReplicaId follower, LogIndex snapshotIndex, Term snapshotTerm, Membership membership)
    {
        (_role as LeaderState)?.SnapshotSent(follower, snapshotIndex, snapshotTerm, membership);
        CheckInvariants();
    }

    /// <summary>
    /// The snapshot of <see cref="Ready.SnapshotToInstall"/> is durable, the journal's reset record too, and the tail was emptied: its last
    /// index is <paramref name="index"/>. The log begins behind it; whatever it held is void.
    /// </summary>
    public void SnapshotInstalled(LogIndex index, Term term, Membership membership)
    {
        _state.IsFenced = false;
        Invariant.Holds(_state.Installing?.SnapshotIndex == index);
        _state.Installing = null;
        _state.Out.TruncateFrom(LogIndex.Zero);
        _state.Log.ResetTo(index, term, membership);
        ((FollowerState)_role).SnapshotInstalled(index);
        CheckInvariants();
    }

    /// <summary>The snapshot could not be fetched or was damaged. The log is as it was; the leader will offer another one.</summary>
    public void SnapshotFailed(LogIndex index)
    {
        Invariant.Holds(_state.Installing?.SnapshotIndex == index);
        _state.Installing = null;
        ((FollowerState)_role).SnapshotFailed(index);
        CheckInvariants();
    }

    /// <summary>
    /// The log now starts behind <paramref name="baseIndex"/> (retention), which is committed and durable here. An index that was cut
    /// already changes nothing.
    /// </summary>
    public void LogCut(LogIndex baseIndex)
    {
        _state.Log.CutTo(baseIndex);
        CheckInvariants();
    }

    /// <summary>
    /// Hands leadership to a voter: no proposals are admitted until it took over or
    /// <see cref="RaftConfig.TransferTicksMax"/> have passed.
    /// </summary>
    public ChangeResult TransferLeadership(NodeId target)
    {
        if (_role is not LeaderState leader)
        {
            return new ChangeResult.NotLeader(_state.Leader);
        }

        WakeUp();
        return leader.TransferTo(target);
    }

    /// <summary>
    /// Asks for a linearizable read. Answered in a ready: by <see cref="Ready.ReadsConfirmed"/> (apply up to its index, then read), or by
    /// <see cref="Ready.ReadsRefused"/> when this replica does not lead or stops leading.
    /// </summary>
    public void Read(long readId)
    {
        if (_role is LeaderState leader)
        {
            WakeUp();
            leader.Read(readId);
        }
        else
        {
            _state.Out.ReadRefused(new ReadRefused(readId));
        }
    }

    /// <summary>
    /// The connection to the leader's node was reset and refused when dialled again: forget that it was heard, and elect soon. Ignored
    /// where leases are on, as the leader may rely on having been heard.
    /// </summary>
    public void LeaderLost()
    {
        if (_state.Config.LeaseReads || _role is not FollowerState follower)
        {
            return;
        }

        _state.IsQuiet = false;
        ReplicaId? gone = _state.Leader;
        _state.Leader = null;
        follower.ElectSoon(gone);
        CheckInvariants();
    }

    /// <summary>Something happened to a node that shares the group: leave the quiet, if it is quiet, with fresh timers.</summary>
    public void WakeUp()
    {
        if (_state.IsQuiet && !PlantedBug.QuietGroupSleepsOn)
        {
            _state.IsQuiet = false;
            _role.Woken();
        }
    }

    /// <summary>
    /// Campaign now instead of after an election time, if allowed to: for the replica that should lead a new group. Voters that hear a
    /// leader still refuse.
    /// </summary>
    public void Campaign()
    {
        if (_role is FollowerState && _state.Leader is null && _state.MayCampaign)
        {
            Campaign(transfer: false);
            CheckInvariants();
        }
    }

    /// <summary>
    /// The node's flush is overdue: stop heartbeating as leader and hand over; needs no disk. This replica does not campaign again until
    /// its disk has confirmed what is under way. A lone voter, which can't hand over, goes on.
    /// </summary>
    public void StepAside()
    {
        if (IsAlone)
        {
            return;
        }

        if (_role is LeaderState leader)
        {
            Probe.Reached(RareBranch.SteppedAside);
            WakeUp();
            leader.StepAside();
        }

        _state.CampaignAfterSequence = _state.Log.Persists.LastIssued + (_state.Out.HasUnissued ? 1 : 0);

        CheckInvariants();
    }

    /// <summary>
    /// What the shell made of this replica's log is wrong, though the log itself is whole: from now on it stores and votes as before and does not lead.
    /// For as long as this object lives, or until a snapshot takes the place of log and state, or <see cref="LiftFence"/>.
    /// </summary>
    public void Fence()
    {
        _state.IsFenced = true;
        StepAside();
    }

    /// <summary>The shell has made it again, and right.</summary>
    public void LiftFence() => _state.IsFenced = false;

    /// <summary>Voters (this one included) that hold <paramref name="index"/> durably, as far as the leader knows; zero when not leader.</summary>
    public int VotersDurableAt(LogIndex index) => (_role as LeaderState)?.VotersDurableAt(index) ?? 0;

    /// <summary>Proposed by this leader and not committed, of <see cref="RaftConfig.UncommittedBytesMax"/>; zero when not leader.</summary>
    public long UncommittedBytes => (_role as LeaderState)?.UncommittedBytes ?? 0;

    /// <summary>The other members as the leader sees them, sorted by id; empty when not leader. Made anew at each call.</summary>
    public IReadOnlyList<PeerProgress> Progress => (_role as LeaderState)?.Progress() ?? [];

    /// <summary>What is to be done since the last call; see <see cref="Ready"/> for the order and for how long it is valid.</summary>
    public Ready TakeReady()
    {
        _state.LookWhetherHealed();
        _role.Flush();
        Ready ready = _state.Out.Take(Role);
        CheckInvariants();
        return ready;
    }

    internal void Campaign(bool transfer)
    {
        Invariant.Holds(_state.MayCampaign);
        _state.Leader = null;

        // The old leader asked for it, or there is nobody to ask: no need to find out whether others agree.
        if (transfer || IsAlone)
        {
            BecomeCandidate(transfer);
            return;
        }

        CandidateState candidate = new(this, _state, pre: true, transfer: false);
        _role = candidate;
        candidate.Start();
    }

    internal void BecomeCandidate(bool transfer)
    {
        _state.EnterTerm(_state.Term.Next, _state.Config.Self);
        CandidateState candidate = new(this, _state, pre: false, transfer);
        _role = candidate;
        candidate.Start();
    }

    internal void BecomeLeader()
    {
        Invariant.Holds(_role is CandidateState { Role: Role.Candidate });
        Invariant.Holds(_state.Leader is null);
        _state.Leader = _state.Config.Self;
        _role = new LeaderState(this, _state);
    }

    /// <summary>Follows in <paramref name="term"/>, which is this one or a higher one.</summary>
    internal FollowerState BecomeFollower(Term term, ReplicaId? leader)
    {
        (_role as LeaderState)?.Ended();
        if (term > _state.Term)
        {
            _state.EnterTerm(term, vote: null);
        }

        Invariant.Holds(term == _state.Term);
        _state.Leader = leader;
        _state.IsQuiet = false;
        FollowerState follower = new(this, _state);
        _role = follower;
        return follower;
    }

    private bool MayBeHeard(ReplicaId from, RaftMessage message) => message switch
    {
        PreVoteRequest m => Voter.MayAsk(_state, from, m.LastTerm, m.LastIndex),
        VoteRequest m => Voter.MayAsk(_state, from, m.LastTerm, m.LastIndex),
        _ => MessageCheck.IsOfLeader(message) || _state.Log.Membership.IsMember(from),
    };

    private void WakeFor(ReplicaId from, RaftMessage message)
    {
        if (!_state.IsQuiet)
        {
            return;
        }

        if (from == _state.Leader && message.Term == _state.Term && message is not Quiesce)
        {
            // The leader is awake, then, and need not be woken.
            _state.IsQuiet = false;
            return;
        }

        // Answers that were on their way when the group went quiet say nothing new.
        bool isLate = message switch
        {
            Quiesce m => m.Term == _state.Term && from == _state.Leader,
            AppendAccepted m => m.Term == _state.Term && m.DurableIndex <= _state.Log.LastIndex,
            HeartbeatReply m => m.Term == _state.Term && m.DurableIndex <= _state.Log.LastIndex,
            _ => message.Term < _state.Term && !MessageCheck.IsOfLeader(message) && message is not (PreVoteRequest or VoteRequest or Wake),
        };
        if (!isLate)
        {
            WakeUp();
        }
    }

    private void AnswerPreVote(ReplicaId from, PreVoteRequest request)
    {
        bool isTimely = Voter.IsTimely(_state, _role.HearsLeader, request);
        bool granted = isTimely && Voter.IsUpToDate(_state, request.LastTerm, request.LastIndex);
        bool abstains = isTimely && !granted && IsDamaged;
        _state.Send(from, new PreVoteReply(granted || abstains ? request.Term : _state.Term, granted, abstains));
    }

    private void AnswerVote(ReplicaId from, VoteRequest request)
    {
        if (request.Term > _state.Term)
        {
            // A leader is alive: the request is not heard, and its term does not disturb (dissertation 4.2.3).
            if (_role.HearsLeader && !request.LeadershipTransfer)
            {
                return;
            }

            BecomeFollower(request.Term, leader: null);
        }

        bool granted = request.Term == _state.Term && Voter.Votes(_state, from, request);
        if (granted)
        {
            _state.VoteFor(from);
            FollowerState follower = _role as FollowerState ?? BecomeFollower(_state.Term, leader: null);
            follower.ResetElectionTimer();
        }

        _state.Send(from, new VoteReply(_state.Term, granted, Abstains: !granted && IsDamaged && _state.IsBorn && request.Term == _state.Term));
    }

    private void HearTerm(ReplicaId from, TermAnswer answer)
    {
        if (answer.Term > _state.Term)
        {
            BecomeFollower(answer.Term, leader: null);
        }

        _state.Healing?.TermHeard(from, answer);
    }

    private void StepInTerm(ReplicaId from, RaftMessage message)
    {
        bool isOfLeader = MessageCheck.IsOfLeader(message);
        if (isOfLeader && _state.Healing?.KnowsTerm(_state) == false)
        {
            return;
        }

        bool isOfNextTerm = message is PreVoteReply { Granted: true } or PreVoteReply { Abstains: true };
        if (message.Term < _state.Term)
        {
            // A leader of the past learns of this term, or a replica with a higher term could neither follow nor be elected.
            if (isOfLeader)
            {
                _state.Send(from, new HeartbeatReply(_state.Term, 0, LogIndex.Zero));
            }

            return;
        }

        if (message.Term > _state.Term && !isOfNextTerm)
        {
            BecomeFollower(message.Term, isOfLeader ? from : null);
        }

        _role.Step(from, message);
    }

    private void CheckInvariants()
    {
        _state.CheckInvariants();
        _role.CheckInvariants();
    }
}
