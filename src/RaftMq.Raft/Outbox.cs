namespace RaftMq.Raft;

/// <summary>
/// Collects what the next <see cref="Ready"/> will say. Two of them take turns, so that one can be filled while the shell still works
/// through the other. A message that depends on a hard state waits here, or in the ready, until that hard state is durable (P-01).
/// </summary>
internal sealed class Outbox(GroupState state)
{
    /// <summary>Messages kept back for a hard state that is on its way to the disk; the oldest go first, as on a bad network.</summary>
    private const int HeldMax = 64;

    private readonly Queue<Outgoing> _held = new();
    private Ready _filling = new();
    private Ready _given = new();
    private bool _hasContent;
    private LogIndex _committedTold = state.Log.Commit;
    private (Role Role, Term Term, ReplicaId? Leader) _leadershipTold;
    private Membership _membershipTold = state.Log.Membership;
    private bool _hardStateDirty;

    /// <summary>Entries, a hard state or the end of a damage wait to be handed to the disk.</summary>
    public bool HasUnissued => _hardStateDirty || _filling.Healed || _filling.Entries.Count > 0;

    public bool HardStateDirty => _hardStateDirty && !PlantedBug.VoteAndTermInTwoRecords;

    /// <summary>The token of the last hard state handed out.</summary>
    public long HardStateSequence { get; private set; }

    /// <summary>The token of the record that ends the damage; zero before it is handed out.</summary>
    public long HealedSequence { get; private set; }

    public bool HasReady(Role role) =>
        _hasContent || _hardStateDirty || state.Log.Commit > _committedTold || LeadershipMoved(role)
        || !ReferenceEquals(state.Log.Membership, _membershipTold);

    public void HardStateChanged() => _hardStateDirty = true;

    public void Send(ReplicaId to, RaftMessage message)
    {
        Invariant.Holds(to != state.Config.Self);
        Outgoing outgoing = new(to, message);
        _hasContent = true;
        if (_hardStateDirty)
        {
            (_filling.MessagesAfterPersist ??= []).Add(outgoing);
        }
        else if (!state.HardStateDurable)
        {
            if (_held.Count == HeldMax)
            {
                _held.Dequeue();
            }

            _held.Enqueue(outgoing);
        }
        else
        {
            _filling.Messages.Add(outgoing);
        }
    }

    public void Persist(in Entry entry)
    {
        _hasContent = true;
        _filling.Entries.Add(entry);
    }

    /// <summary>
    /// What was not handed out yet need not be. Appends of a leadership that ended since the last ready refer to memory that the tail
    /// now gives up; they go as if the network had lost them.
    /// </summary>
    public void TruncateFrom(LogIndex index)
    {
        _filling.Messages.RemoveAll(static m => m.Message is AppendEntries { Entries.Count: > 0 });
        List<Entry> entries = _filling.Entries;
        while (entries.Count > 0 && entries[^1].Index >= index)
        {
            entries.RemoveAt(entries.Count - 1);
        }
    }

    public void Healed()
    {
        _hasContent = true;
        _filling.Healed = true;
    }

    public void MatchAdvanced()
    {
        _hasContent = true;
        _filling.MatchAdvanced = true;
    }

    public void ReadLog(LogReadRequest request)
    {
        _hasContent = true;
        _filling.LogReads.Add(request);
    }

    public void SendSnapshot(ReplicaId to)
    {
        _hasContent = true;
        _filling.SnapshotsToSend.Add(to);
    }

    public void Install(InstallSnapshot snapshot)
    {
        _hasContent = true;
        _filling.SnapshotToInstall = snapshot;
    }

    public void ReadConfirmed(ReadConfirmed read)
    {
        _hasContent = true;
        _filling.ReadsConfirmed.Add(read);
    }

    public void ReadRefused(ReadRefused read)
    {
        _hasContent = true;
        _filling.ReadsRefused.Add(read);
    }

    /// <summary>The disk confirmed something; what waited for the hard state may go.</summary>
    public void Persisted()
    {
        if (state.HardStateDurable && _held.Count > 0)
        {
            _filling.Messages.AddRange(_held);
            _held.Clear();
            _hasContent = true;
        }
    }

    public Ready Take(Role role)
    {
        Ready ready = _filling;
        ready.HardState = _hardStateDirty ? new HardState(state.Term, PlantedBug.VoteNotPersisted ? null : state.Vote) : null;
#if PLANTED
        if (PlantedBug.VoteAndTermInTwoRecords && ready.HardState is not null && _termIssued < state.Term)
        {
            ready.HardState = new HardState(state.Term, Vote: null);
        }

        _termIssued = state.Term;
#endif
        if (HasUnissued)
        {
            ready.Persist = state.Log.Persists.Issue(state.Log.LastIndex, state.Log.LastTerm);
            HealedSequence = ready.Healed ? ready.Persist.Value.Sequence : HealedSequence;
            if (_hardStateDirty)
            {
                HardStateSequence = ready.Persist.Value.Sequence;
                _hardStateDirty = PlantedBug.VoteAndTermInTwoRecords && state.Vote is not null && ready.HardState?.Vote is null;
            }
        }

        Invariant.Holds(ready.MessagesAfterPersist is null || ready.Persist is not null);
        ready.Committed = state.Log.Commit;
        ready.CommitAdvanced = state.Log.Commit > _committedTold;
        _committedTold = state.Log.Commit;
        ready.LeadershipChanged = LeadershipMoved(role);
        _leadershipTold = (role, state.Term, state.Leader);
        ready.MembershipChanged =
            ReferenceEquals(state.Log.Membership, _membershipTold) ? null : state.Log.Membership;
        _membershipTold = state.Log.Membership;

        Clear(_given);
        (_filling, _given) = (_given, ready);
        _hasContent = false;
        return ready;
    }

#if PLANTED
    private Term _termIssued;
#endif

    private bool LeadershipMoved(Role role) => _leadershipTold != (role, state.Term, state.Leader);

    private static void Clear(Ready ready)
    {
        ready.HardState = null;
        ready.Healed = false;
        ready.Persist = null;
        ready.Entries.Clear();
        ready.Messages.Clear();
        ready.MessagesAfterPersist = null;
        ready.MatchAdvanced = false;
        ready.LogReads.Clear();
        ready.SnapshotsToSend.Clear();
        ready.SnapshotToInstall = null;
        ready.ReadsConfirmed.Clear();
        ready.ReadsRefused.Clear();
    }
}
