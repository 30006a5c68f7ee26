namespace RaftMq.Raft;

/// <summary>
/// Takes what a leader sends (Raft 5.3) and campaigns when it hears none. A learner is a follower that never campaigns.
/// </summary>
internal sealed class FollowerState : RoleState
{
    private int _ticksToElection;
    private LogIndex _acknowledged;

    public FollowerState(RaftGroup group, GroupState state)
        : base(group, state)
    {
        _ticksToElection = state.DrawElectionTicks();
    }

    public override Role Role => State.IsVoter ? Role.Follower : Role.Learner;

    public override bool HearsLeader => State.HearsLeader;

    public override void Tick()
    {
        State.TicksSinceLeader++;
        if (--_ticksToElection > 0)
        {
            return;
        }

        ResetElectionTimer();
        if (State.MayCampaign)
        {
            Group.Campaign(transfer: false);
        }
        else
        {
            AskToBeHeard();
        }
    }

    public void ResetElectionTimer() => _ticksToElection = State.DrawElectionTicks();

    public void ElectAtNextTick() => _ticksToElection = 1;

    /// <summary>
    /// The leader is known to be gone: the survivors take turns, one tick apart, so that they do not split the vote as equal draws
    /// would. Whose turn is first differs from group to group, or one node would take over all of a dead one's.
    /// </summary>
    public void ElectSoon(ReplicaId? gone) => _ticksToElection = 1 + TurnAfter(gone);

    public override void Step(ReplicaId from, RaftMessage message)
    {
        if (MessageCheck.IsOfLeader(message))
        {
            HearLeader(from);
        }

        if (message is Heartbeat)
        {
            State.Healing?.LeaderHeard(State, from);
        }

        switch (message)
        {
            case AppendEntries m:
                Append(from, m);
                break;
            case Heartbeat m:
                CommitTo(LogIndex.Min(m.Commit, State.Matched));
                State.Send(from, new HeartbeatReply(State.Term, m.ReadRound, Acknowledge()));
                break;
            case InstallSnapshot m:
                Install(from, m);
                break;
            case Quiesce m:
                Quiesce(from, m);
                break;
            case HealThrough m:
                State.Healing?.Told(State, m);
                break;
            case TimeoutNow when State.MayCampaign:
                Group.Campaign(transfer: true);
                break;
            default:
                // Answers to a candidacy or leadership that is over.
                break;
        }
    }

    public override void Persisted()
    {
        if (State.Leader is { } leader && State.Acknowledgeable > _acknowledged)
        {
            State.Send(leader, new AppendAccepted(State.Term, Acknowledge()));
        }
    }

    public override void Restarted(ReplicaId replica)
    {
        // A leader that started anew is not the leader of this term any more.
        if (replica == State.Leader)
        {
            State.Leader = null;
            ElectSoon(replica);
        }
    }

    public override void Woken()
    {
        ResetElectionTimer();
        if (State.Leader is { } leader)
        {
            State.Send(leader, new Wake(State.Term));
        }
    }

    /// <summary>The shell installed a snapshot, which is committed and hence part of every leader's log.</summary>
    public void SnapshotInstalled(LogIndex index)
    {
        State.MatchedTo(index);
        Answer(new SnapshotReply(State.Term, index, Installed: true));
    }

    public void SnapshotFailed(LogIndex index) => Answer(new SnapshotReply(State.Term, index, Installed: false));

    /// <summary>
    /// A voter's pre-vote would wake a leader that went quiet without this replica; this one can only say that it is here. Where it does
    /// not know who leads, it says so to all voters, each of which wakes its leader. Not to its own node: what had a former folder of it is gone, and a
    /// replica that came back with nothing may still read of that one as a voter.
    /// </summary>
    private void AskToBeHeard()
    {
        if (State.Leader is { } leader)
        {
            State.Send(leader, new Wake(State.Term));
            return;
        }

        foreach (ReplicaId voter in State.Log.Membership.Voters)
        {
            if (voter.Node != State.Config.Self.Node)
            {
                State.Send(voter, new Wake(State.Term));
            }
        }
    }

    private void Answer(SnapshotReply reply)
    {
        if (State.Leader is { } leader)
        {
            State.Send(leader, reply);
        }
    }

    private int TurnAfter(ReplicaId? gone)
    {
        IReadOnlyList<ReplicaId> voters = State.Log.Membership.Voters;
        int survivors = 0;
        int self = -1;
        foreach (ReplicaId voter in voters)
        {
            self = voter == State.Config.Self ? survivors : self;
            survivors += voter == gone ? 0 : 1;
        }

        if (self < 0)
        {
            return survivors;
        }

        UInt128 group = State.Config.Group.Value;
        ulong first = unchecked((ulong)group + (ulong)(group >> 64) + (ulong)State.Term.Value) % (ulong)survivors;
        return (self + survivors - (int)first) % survivors;
    }

    private void HearLeader(ReplicaId from)
    {
        State.Leader ??= from;

        // A term has one leader (Raft 5.2).
        Invariant.Holds(State.Leader == from);
        State.TicksSinceLeader = 0;
        ResetElectionTimer();
    }

    private void Append(ReplicaId from, AppendEntries m)
    {
        if (State.Installing is not null)
        {
            return;
        }

        if (m.PreviousIndex > State.Log.LastIndex || !Fits(m))
        {
            LogIndex hint = State.Log.LastWithTermAtMost(m.PreviousIndex, m.PreviousTerm);
            Term hintTerm = State.Log.TermAt(hint) ?? Term.Zero;
            State.Send(from, new AppendRejected(State.Term, m.PreviousIndex, hint, hintTerm));
            return;
        }

        bool appended = AppendNew(m.Entries);
        LogIndex matches = m.PreviousIndex + m.Entries.Count;
        State.MatchedTo(matches);
        CommitTo(LogIndex.Min(m.Commit, matches));

        // New entries are acknowledged when they are durable; anything else at once, as its answer may have been lost.
        if (!appended || State.Acknowledgeable > _acknowledged)
        {
            State.Send(from, new AppendAccepted(State.Term, Acknowledge()));
        }
    }

    // What lies below the base was committed, and all leaders agree on it.
    private bool Fits(AppendEntries m)
    {
        if (m.PreviousIndex < State.Log.BaseIndex || State.Log.TermAt(m.PreviousIndex) == m.PreviousTerm)
        {
            return true;
        }

        Invariant.Holds(m.PreviousIndex > State.Log.Commit);
        return false;
    }

    // Nothing is cut for entries that are here already, however old or repeated the message: only the first one that conflicts
    // ends the log, and it is never a committed one.
    private bool AppendNew(IReadOnlyList<Entry> entries)
    {
        int known = 0;
        while (known < entries.Count && IsHere(entries[known]))
        {
            known++;
        }

        if (known == entries.Count)
        {
            if (PlantedBug.TruncateOnStaleAppend && known > 0 && LogIndex.Max(entries[^1].Index, State.Log.Commit) < State.Log.LastIndex)
            {
                LogIndex cut = LogIndex.Max(entries[^1].Index, State.Log.Commit).Next;
                State.Log.TruncateFrom(cut);
                State.Out.TruncateFrom(cut);
            }

            if (PlantedBug.TruncateBelowCommit && known > 0 && entries[^1].Index < State.Log.LastIndex)
            {
                State.Log.TruncateFrom(entries[^1].Index.Next);
                State.Out.TruncateFrom(entries[^1].Index.Next);
            }

            return false;
        }

        LogIndex first = entries[known].Index;
        if (first <= State.Log.LastIndex)
        {
            Invariant.Holds(first > State.Log.Commit);
            Invariant.Holds(first > State.Matched);
            Probe.Reached(RareBranch.ConflictTruncated);
            State.Log.TruncateFrom(first);
            State.Out.TruncateFrom(first);
        }

        for (int i = known; i < entries.Count; i++)
        {
            State.Out.Persist(State.Log.Append(entries[i]));
        }

        return true;
    }

    private bool IsHere(in Entry entry) =>
        entry.Index <= State.Log.BaseIndex || State.Log.TermAt(entry.Index) == entry.Term;

    private void CommitTo(LogIndex index)
    {
        // Only what equals the leader's log: behind it may lie entries of another history.
        Invariant.Holds(index <= State.Matched || index <= State.Log.Commit);
        State.Log.CommitTo(index);
    }

    private LogIndex Acknowledge()
    {
        _acknowledged = LogIndex.Max(_acknowledged, State.Acknowledgeable);
        return State.Acknowledgeable;
    }

    private void Install(ReplicaId from, InstallSnapshot m)
    {
        if (State.Installing is not null)
        {
            return;
        }

        if (m.SnapshotIndex <= State.Log.Commit || State.Log.TermAt(m.SnapshotIndex) == m.SnapshotTerm)
        {
            Probe.Reached(RareBranch.SnapshotOfKnownEntries);

            // All of it is here already (Raft 7); being a snapshot, it is committed. Logs that agree there agree below.
            State.MatchedTo(LogIndex.Max(m.SnapshotIndex, State.Log.Commit));
            CommitTo(m.SnapshotIndex);
            State.Send(from, new SnapshotReply(State.Term, m.SnapshotIndex, Installed: true));
            return;
        }

        State.Installing = m;
        State.Out.Install(m);
    }

    private void Quiesce(ReplicaId from, Quiesce m)
    {
        if (State.Installing is not null || State.Healing is not null || State.Log.LastIndex != m.LastIndex || State.Acknowledgeable < m.LastIndex
            || !State.HardStateDurable)
        {
            State.Send(from, new Wake(State.Term));
            return;
        }

        CommitTo(m.Commit);
        State.IsQuiet = true;
    }
}
