namespace RaftMq.Raft;

/// <summary>
/// Leads a term: 1. appends a no-op; 2. sends its log to all members while its own disk still writes; 3. commits what a quorum holds
/// durably, itself counted like the others; 4. steps down when it hears of a higher term, when it hears no quorum, when it hands over,
/// or when a membership without it is committed.
/// </summary>
internal sealed class LeaderState : RoleState
{
    private readonly PeerTable _peers;
    private readonly Replicator _replicator;
    private readonly UncommittedBytes _uncommitted;
    private readonly LeaderReads _reads;
    private LeadershipTransfer? _transfer;
    private int _ticksToHeartbeat;
    private int _idleTicks;
    private bool _sendDue = true;

    public LeaderState(RaftGroup group, GroupState state)
        : base(group, state)
    {
        Invariant.Holds(state.HardStateDurable);
        _peers = new PeerTable(state.Config, state.Log.Membership, state.Log.LastIndex.Next);
        _replicator = new Replicator(state);
        _uncommitted = new UncommittedBytes(state.Config.UncommittedBytesMax);
        _reads = new LeaderReads(state, _peers);
        _ticksToHeartbeat = state.Config.HeartbeatTicks;
        TermStart = state.Log.LastIndex.Next;
        AppendOwn(EntryKind.Noop, null);
    }

    public override Role Role => Role.Leader;

    public override bool HearsLeader => true;

    public override bool WantsFlush => _sendDue || (_reads.WantsRound && TermStartCommitted);

    /// <summary>The no-op of this term. Until it is committed, what is committed is not known (Raft 8).</summary>
    public LogIndex TermStart { get; }

    private bool TermStartCommitted => State.Log.Commit >= TermStart;

    private LogIndex OwnMatch => PlantedBug.LeaderCountsItselfBeforeWrite ? State.Log.LastIndex : State.Log.Durable;

    public override void Tick()
    {
        _reads.Tick();
        _idleTicks++;
        foreach (Peer peer in _peers.All)
        {
            peer.Tick(State.Log.LastIndex);
        }

        if (!PlantedBug.QuorumNotChecked && !HearsQuorum())
        {
            Group.BecomeFollower(State.Term, leader: null);
            return;
        }

        if (_transfer is { } transfer && transfer.TickIsOver())
        {
            _transfer = null;
        }

        if (TryQuiesce())
        {
            return;
        }

        if (--_ticksToHeartbeat <= 0)
        {
            BroadcastHeartbeat();
        }

        _replicator.TellCommit(_peers);
    }

    public override void Step(ReplicaId from, RaftMessage message)
    {
        // Somebody else leads this term (Raft 5.2), or a former life of this replica does, which boot numbers exclude.
        Invariant.Holds(!MessageCheck.IsOfLeader(message));
        if (_peers.Find(from) is not { } peer)
        {
            return;
        }

        peer.TicksSinceHeard = 0;
        switch (message)
        {
            case AppendAccepted m:
                Accepted(peer, m.DurableIndex);
                peer.ProbePaused = false;
                if (peer.Mode == PeerMode.Probe)
                {
                    peer.BecomeReplicate();
                }

                _sendDue = true;
                break;
            case AppendRejected m:
                if (_replicator.Rejected(peer, m))
                {
                    _idleTicks = 0;
                    _sendDue = true;
                }

                break;
            case HeartbeatReply m:
                HeartbeatAnswered(peer, m);
                break;
            case SnapshotReply m when peer.Mode == PeerMode.Snapshot && peer.Offered?.SnapshotIndex == m.SnapshotIndex:
                // What is durable there is asked by a probe. After a failure it waits for the next heartbeat's answer.
                peer.BecomeProbe(m.Installed ? m.SnapshotIndex.Next : peer.Match.Next);
                peer.ProbePaused = !m.Installed;
                _sendDue = true;
                break;
            case HealQuery m:
                State.Send(from, new HealThrough(State.Term, m.AskerBoot, State.Log.LastIndex));
                break;
            case Wake:
                _idleTicks = 0;
                peer.ProbePaused = false;
                _replicator.Heartbeat(peer, _reads.Round);
                break;
            default:
                // Late answers to the candidacy.
                break;
        }
    }

    public override void Persisted() => AdvanceCommit();

    public override void Restarted(ReplicaId replica)
    {
        if (_peers.Find(replica) is { } peer)
        {
            peer.Restarted();
            _idleTicks = 0;
            _sendDue = true;
        }
    }

    public override void Woken()
    {
        _idleTicks = 0;
        _reads.Woken();
        BroadcastHeartbeat();
    }

    public override void Flush()
    {
        if (_reads.WantsRound && TermStartCommitted && _reads.Begin(isHandingOver: _transfer is not null))
        {
            BroadcastHeartbeat();
            _reads.Confirm();
        }

        if (_sendDue)
        {
            _sendDue = false;
            _replicator.SendDue(_peers);
        }
    }

    public override void CheckInvariants()
    {
        Invariant.Holds(State.HardStateDurable);
        Invariant.Holds(State.Leader == State.Config.Self);
        foreach (Peer peer in _peers.All)
        {
            Invariant.Holds(peer.Match < peer.Next);
            Invariant.Holds(peer.Next <= State.Log.LastIndex.Next);
        }
    }

    public ProposeResult? RefusalOf(int sizeBytes)
    {
        if (_transfer is not null)
        {
            return Refusals.HandingOver;
        }

        return _uncommitted.HasRoomFor(sizeBytes) ? null : Refusals.UncommittedFull;
    }

    public void Propose(in Entry entry)
    {
        Invariant.Holds(entry.Term == State.Term);
        Invariant.Holds(entry.Index == State.Log.LastIndex.Next);
        Invariant.Holds(entry.Membership is null);
        Appended(entry);
        _uncommitted.Proposed(entry.Index, entry.SizeBytes);
    }

    public ChangeResult ProposeMembership(IReadOnlyList<ReplicaId> voters, IReadOnlyList<ReplicaId> learners)
    {
        if (_transfer is not null)
        {
            return new ChangeResult.Refused("leadership is being handed over");
        }

        // Without an entry of the own term committed, a change of an earlier leader may still be undecided.
        if (!TermStartCommitted)
        {
            return new ChangeResult.Refused("no entry of this term is committed yet");
        }

        if ((State.Log.Membership.IsJoint || State.Log.MembershipIndex > State.Log.Commit) && !PlantedBug.ChangeUnderWayIgnored)
        {
            return new ChangeResult.Refused("another change is under way");
        }

        if (MembershipPlan.First(State.Log.Membership, voters, learners, out string refusal) is not { } first)
        {
            return new ChangeResult.Refused(refusal);
        }

        AppendOwn(EntryKind.Membership, first);
        return new ChangeResult.Started(State.Log.LastIndex);
    }

    public ChangeResult TransferTo(NodeId node)
    {
        if (_transfer is not null)
        {
            return new ChangeResult.Refused("leadership is being handed over already");
        }

        if (node == State.Config.Self.Node)
        {
            return new ChangeResult.Refused("that node leads");
        }

        Peer? target = _peers.All.Find(p => p.Id.Node == node && Membership.Has(State.Log.Membership.Voters, p.Id));
        if (target is null)
        {
            return new ChangeResult.Refused("that node is no voter");
        }

        _transfer = new LeadershipTransfer(target.Id, State.Config.TransferTicksMax);
        _idleTicks = 0;
        _sendDue = true;
        TellTarget();
        return new ChangeResult.Started(State.Log.LastIndex);
    }

    public void Read(long readId)
    {
        _idleTicks = 0;
        _reads.Add(readId);
    }

    public void EntriesRead(ReplicaId follower, LogIndex from, IReadOnlyList<Entry> entries)
    {
        if (_peers.Find(follower) is { } peer)
        {
            _replicator.EntriesRead(peer, from, entries);
            _sendDue = true;
        }
    }

    public void SnapshotSent(ReplicaId follower, LogIndex index, Term term, Membership membership)
    {
        if (_peers.Find(follower) is { Mode: PeerMode.Snapshot } peer)
        {
            _replicator.Offer(peer, new InstallSnapshot(State.Term, index, term, membership));
        }
    }

    public void StepAside()
    {
        if (BestSuccessor() is { } successor)
        {
            State.Send(successor.Id, new TimeoutNow(State.Term));
        }

        Group.BecomeFollower(State.Term, leader: null);
    }

    /// <summary>The leadership ends: who waits for it is told.</summary>
    public void Ended() => _reads.RefuseAll();

    public long UncommittedBytes => _uncommitted.Total;

    public int VotersDurableAt(LogIndex index) =>
        _peers.VotersAt(static p => p.Match.Value, OwnMatch.Value, index.Value);

    public PeerProgress[] Progress()
    {
        PeerProgress[] progress = new PeerProgress[_peers.All.Count];
        for (int i = 0; i < progress.Length; i++)
        {
            Peer p = _peers.All[i];
            progress[i] = new PeerProgress(
                p.Id, p.IsVoter, p.Match, p.TicksSinceCaughtUp, p.TicksSinceHeard, p.Mode == PeerMode.Snapshot,
                p.Window.Entries, p.Window.Bytes);
        }

        return progress;
    }

    private void AppendOwn(EntryKind kind, Membership? membership)
    {
        Entry entry = State.Log.Tail.AppendOwn(State.Log.LastIndex.Next, State.Term, kind, membership);
        Invariant.Holds(entry.Index == State.Log.LastIndex.Next);
        Invariant.Holds(entry.Term == State.Term);
        Invariant.Holds(ReferenceEquals(entry.Membership, membership));
        Appended(entry);
        if (membership is not null)
        {
            // In force at once (Raft 6); new members are probed from here.
            _peers.Update(membership, State.Log.LastIndex);

            // Whose answer was awaited may have left.
            _reads.Confirm();
        }
    }

    private void Appended(in Entry entry)
    {
        State.Log.Appended(entry);
        State.Out.Persist(entry);
        _idleTicks = 0;
        _sendDue = true;
    }

    private void Accepted(Peer peer, LogIndex durable)
    {
        // A follower acknowledges only what equals the log of this term's leader, and a leader loses nothing within its term.
        Invariant.Holds(durable <= State.Log.LastIndex);
        if (!peer.Accepted(durable, State.Log.LastIndex))
        {
            return;
        }

        if (peer.Mode == PeerMode.Snapshot && peer.Match >= State.Log.BaseIndex)
        {
            peer.BecomeProbe(peer.Match.Next);
        }

        _idleTicks = 0;
        _sendDue = true;
        State.Out.MatchAdvanced();
        AdvanceCommit();
        if (State.Leader == State.Config.Self)
        {
            TellTarget();
        }
    }

    private void HeartbeatAnswered(Peer peer, HeartbeatReply m)
    {
        Accepted(peer, m.DurableIndex);
        if (State.Leader != State.Config.Self)
        {
            // That commit ended this leadership.
            return;
        }

        _reads.Answered(peer, m.ReadRound);
        _replicator.SendAgain(peer);
    }

    private void AdvanceCommit()
    {
        LogIndex reached = new(_peers.Reached(static p => p.Match.Value, OwnMatch.Value));
        reached = LogIndex.Min(reached, State.Log.LastIndex);

        // Only entries of the own term are committed by counting (Raft 5.4.2); those before them go along.
        Probe.ReachedWhen(reached < TermStart && reached > State.Log.Commit, RareBranch.OldTermHeldBack);
        if ((!PlantedBug.OldTermCommittedByCounting && reached < TermStart) || !State.Log.CommitTo(reached))
        {
            return;
        }

        Invariant.Holds(PlantedBug.OldTermCommittedByCounting || State.Log.TermAt(reached) == State.Term);
        _uncommitted.Committed(reached);
        _idleTicks = 0;
        if (State.Config.EagerCommit)
        {
            _replicator.TellCommit(_peers);
        }

        MembershipCommitted();
    }

    // A joint membership is left as soon as it is committed; a leader that the next one does not name ends with that (Raft 6).
    private void MembershipCommitted()
    {
        Membership membership = State.Log.Membership;
        if (State.Log.MembershipIndex > State.Log.Commit)
        {
            return;
        }

        if (membership.IsJoint)
        {
            AppendOwn(EntryKind.Membership, membership.WithoutOutgoing());
            AdvanceCommit();
        }
        else if (!_peers.SelfVotes)
        {
            StepAside();
        }
    }

    private bool HearsQuorum()
    {
        int ticksMax = State.Config.ElectionTicksMin;
        return -_peers.Reached(static p => -p.TicksSinceHeard, 0) <= ticksMax;
    }

    private void BroadcastHeartbeat()
    {
        _ticksToHeartbeat = State.Config.HeartbeatTicks;
        _reads.NextRound();
        foreach (Peer peer in _peers.All)
        {
            _replicator.Heartbeat(peer, _reads.Round);
        }

        TellTarget();
    }

    private void TellTarget()
    {
        if (_transfer is { } transfer && _peers.Find(transfer.Target) is { } target
            && target.Match == State.Log.LastIndex)
        {
            _reads.GiveUpLease();
            State.Send(target.Id, new TimeoutNow(State.Term));
        }
    }

    // The one with the longest log among those heard of lately: it has all that is committed, as a majority of them would.
    private Peer? BestSuccessor()
    {
        Peer? best = null;
        foreach (Peer peer in _peers.All)
        {
            if (peer.TicksSinceHeard <= State.Config.ElectionTicksMin
                && Membership.Has(State.Log.Membership.Voters, peer.Id)
                && (best is null || peer.Match > best.Match))
            {
                best = peer;
            }
        }

        return best;
    }

    private bool TryQuiesce()
    {
        if (_idleTicks < State.Config.QuietAfterTicks || !TermStartCommitted || _transfer is not null || !_reads.IsEmpty
            || State.Log.Commit != State.Log.LastIndex || State.Log.Durable != State.Log.LastIndex)
        {
            return false;
        }

        foreach (Peer peer in _peers.All)
        {
            if (IsAlive(peer) && peer.Match != State.Log.LastIndex)
            {
                return false;
            }
        }

        foreach (Peer peer in _peers.All)
        {
            if (peer.Match != State.Log.LastIndex)
            {
                peer.LeftBehind();
            }

            State.Send(peer.Id, new Quiesce(State.Term, State.Log.LastIndex, State.Log.Commit));
        }

        State.IsQuiet = true;
        return true;
    }

    private bool IsAlive(Peer peer) => peer.TicksSinceHeard <= State.Config.ElectionTicksMin;
}
