using RaftMq.Broker.Digests;
using RaftMq.Broker.Encoding;
using RaftMq.Broker.Partitions;
using RaftMq.Broker.Peers;
using RaftMq.Raft;
using RaftMq.Storage.Checkpoints;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Log;
using RaftMq.Storage.Recovery;

namespace RaftMq.Broker.Shards;

/// <summary>
/// One group on this node: consensus, log and state machine tied together. Everything that comes in goes to <see cref="RaftGroup"/>;
/// what consensus wants done is done once per turn, in <see cref="Act"/>, in the order that <see cref="Ready"/> prescribes.
/// </summary>
internal sealed class Replica : IReplica, IJournalWaiter, IGroupLogOwner
{
    /// <summary>One append message by default (<see cref="RaftConfig.AppendBytesMax"/>); a single larger entry counts as one too.</summary>
    private const int TakenWhenFullBytesMax = 1 << 20;

    /// <summary>A thousand idle groups would cost a stop ten fsyncs each for the few entries that a start and a stop leave in each.</summary>
    private const int ReplayedEntriesMin = 32;

    /// <summary>As often as a leader probes.</summary>
    private const int TakenWhenFullEveryMs = 2 * Shard.RaftTickMs;

    private readonly ShardContext _shard;
    private readonly RaftGroup _raft;
    private readonly LogIndex _membershipIndexAtStart;
    private readonly ConfirmedReads _reads = new();
    private readonly FollowerFeed _feed;
    private readonly SnapshotFetch _snapshot;
    private readonly StateWatch _watch;
    private StateRebuild? _rebuild;

    /// <summary>Messages that wait for what they depend on to be durable, in the order of their tokens.</summary>
    private readonly Queue<(PersistToken Token, List<Outgoing> Messages)> _afterPersist = new();

    private readonly ByteWriter _snapshotBytes = new(4096);
    private Term _servingTerm;
    private long _nextTakenWhenFullMs;
    private bool _wasLeader;

    /// <summary>The machine was told to serve, and not yet to stop.</summary>
    private bool _isServing;
    private bool _isDirty;

    /// <summary>The leader's own write came after its followers' had committed the entries: acks held for min.insync.replicas look again.</summary>
    private bool _caughtUpWithCommit;

    private int _inSync = 1;

    public Replica(
        ShardContext shard, GroupId group, GroupName name, GroupLog log, RaftGroup raft, Func<IReplica, IStateMachine> machine)
    {
        _shard = shard;
        Group = group;
        Name = name;
        _raft = raft;
        _membershipIndexAtStart = raft.MembershipIndex;
        Log = log;
        Machine = machine(this);
        _feed = new FollowerFeed(raft, log, shard, MarkDirty);
        _snapshot = new SnapshotFetch(this, shard);
        _watch = new StateWatch(this, shard);
        log.Attach(this);
    }

    public GroupName Name { get; }

    public ReplicaId Self => _shard.Self.Replica;

    /// <summary>As all its replicas know it; the log's is the store's key for this one.</summary>
    public GroupId Group { get; }

    public GroupLog Log { get; }

    public IStateMachine Machine { get; }

    public LogIndex Applied { get; private set; }

    public bool IsLeader => _raft.Role == Role.Leader;

    public bool IsLeaderElsewhere => IsClosed || (!IsLeader && _raft.Leader is not null);

    /// <summary>Ends the moment consensus steps down; the machine is told in the same turn's <see cref="Act"/>.</summary>
    public bool IsServing => _isServing && !IsFenced && (PlantedBug.AckByIndexAlone || (IsLeader && _raft.Term == _servingTerm));

    /// <summary>What this replica made of its log is wrong: it stores and votes, and serves nobody.</summary>
    public bool IsFenced => _raft.IsFenced;

    public Term Term => _raft.Term;

    public ReplicaId? Leader => _raft.Leader;

    public Role Role => _raft.Role;

    public LogIndex CommitIndex => _raft.CommitIndex;

    public LogIndex DurableIndex => _raft.DurableIndex;

    public Membership Membership => _raft.Membership;

    /// <inheritdoc cref="RaftGroup.CommittedMembership"/>
    public Membership CommittedMembership => _raft.CommittedMembership;

    /// <inheritdoc cref="RaftGroup.MembershipIndex"/>
    public LogIndex MembershipIndex => _raft.MembershipIndex;

    /// <summary>The entry of the membership in force, if it came since the start and the log holds it; else zero.</summary>
    public LogIndex MembershipEntry =>
        _raft.MembershipIndex > LogIndex.Max(_raft.BaseIndex, _membershipIndexAtStart) ? _raft.MembershipIndex : LogIndex.Zero;

    public bool IsMembershipSettled => _raft.IsMembershipSettled;

    public IReadOnlyList<PeerProgress> Progress => _raft.Progress;

    public long UncommittedBytes => _raft.UncommittedBytes;

    /// <summary>The group left this node: its log is void, and what still comes of journal or disk finds nothing to do.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>Nothing of its log is on the way to the disk.</summary>
    public bool HasAllDurable => IsClosed || _raft.DurableIndex == _raft.LastIndex;

    public bool IsQuiet => _raft.IsQuiet;

    public int InSyncCount => _inSync;

    public int VoterCount => _raft.Membership.Voters.Count;

    public int HoldersOfCommitted
    {
        get
        {
            Membership membership = _raft.Membership;
            int smaller = membership.IsJoint ? Math.Min(membership.Voters.Count, membership.OutgoingVoters.Count) : membership.Voters.Count;
            return (smaller / 2) + 1;
        }
    }

    /// <summary>Start-up: the checkpoint's state, then the entries behind it that are known to be committed.</summary>
    /// <exception cref="Storage.Files.DamagedException">A durable entry is not whole.</exception>
    public void Restore(RecoveredGroup.Healthy found)
    {
        BeginRestore(found.Checkpoint);
        foreach (ReadOnlyMemory<byte> entry in found.Replay)
        {
            Restore(entry);
        }

        EndRestore();
    }

    public void BeginRestore(Checkpoint? checkpoint)
    {
        if (checkpoint is not null)
        {
            TakeState(checkpoint);
        }
    }

    /// <summary>The next entry behind the checkpoint.</summary>
    public void Restore(ReadOnlyMemory<byte> entry)
    {
        EntryHeader header = EntryLayout.ReadUnchecked(entry.Span);
        Invariant.Holds(header.Index == Applied.Next);
        Probe.ReachedWhen(Log.NeedsBaseBefore(header), RareBranch.BaseTakenInReplay);
        TakeBaseBefore(header);
        Applied = header.Index;
        Machine.Apply(header, entry.Span[EntryLayout.HeaderBytes..]);
    }

    public void EndRestore() => Log.Advance(_raft.DurableIndex, _raft.CommitIndex, Applied);

    /// <summary>Another voter that runs, had everything within replica.lag.max, and was heard of within it.</summary>
    public bool IsInSync(in PeerProgress peer) =>
        peer.IsVoter && peer.Replica != _shard.Self.Replica && peer.TicksSinceCaughtUp <= _shard.ReplicaLagTicksMax
        && _shard.Listener.SilentForMs(peer.Replica.Node) <= _shard.Options.ReplicaLagMax.TotalMilliseconds
        && !_shard.Listener.IsQuarantined(peer.Replica.Node, Group);

    public LogIndex DurableOn(int voters)
    {
        // A leader that is about to leave is no voter any more.
        List<LogIndex> matches = _raft.Membership.IsVoter(Self) ? [_raft.DurableIndex] : [];
        foreach (PeerProgress peer in _raft.Progress)
        {
            if (peer.IsVoter && peer.Replica != _shard.Self.Replica)
            {
                matches.Add(peer.Match);
            }
        }

        matches.Sort();
        return voters <= matches.Count ? matches[^voters] : LogIndex.Zero;
    }

    public ProposeResult Admit(int sizeBytes)
    {
        // Who is admitted makes an entry next. In a group that was quiet the last turn is long ago, and its time with it.
        Log.Tail.NowMs = _shard.Clock.UnixMs;
        return _raft.Admit(sizeBytes);
    }

    public void Propose(in Entry entry)
    {
        _raft.Propose(entry);
        _shard.Journal.Announce(entry.SizeBytes);
        MarkDirty();
    }

    public void WantTicks() => MarkDirty();

    public void ConfirmLeader(IConfirmation confirmation)
    {
        _raft.Read(_reads.Add(confirmation));
        MarkDirty();
    }

    public bool StoreHasRoom => !_shard.Journal.IsFull && !_shard.Tail.IsFull && !_shard.Room.IsBlind;

    public string? NoRoomBecause => _shard.Room.RefusalOf(Group, _raft.Membership, Log.NoRoom);

    public void Step(in PeerSender from, RaftMessage message)
    {
        if (message is AppendEntries { Entries.Count: > 0 } append)
        {
            long bytes = append.Entries.Sum(static entry => (long)entry.SizeBytes);
            if (!MayTake(append, bytes))
            {
                // As if the network had lost it: the window of its sender stays filled, then a small probe goes with each heartbeat's
                // answer.
                _shard.Holds.AppendsHeldOff++;
                return;
            }

            _shard.Journal.Announce(bytes);
        }

        _raft.Step(from.Replica, from.Boot, message);
        MarkDirty();
    }

    /// <summary>
    /// A follower takes no entries that its full journal has no room for (BOUNDED). Being full ends by itself only while what fills the
    /// journals can be committed, and where all of a group's replicas are full, that takes appends. So three things are taken all the same:
    /// what brings nothing new; the controller's few entries; and one small append of a group every <see cref="TakenWhenFullEveryMs"/>, or, where the
    /// journal's queue in memory is full too, of one group at a time (<see cref="PastFullQueue"/>). On a disk that is far slower than the others even that is too
    /// much: at the journal's hard limit what they have committed without this replica waits, if all that this node holds is committed, as then its own work
    /// alone brings it below. A partition's records find no taker either where the node is short of room on its disk and the
    /// others go on without it (<see cref="Space.GroupRoom.IsSpared"/>): what is left is for consumers' offsets, the cluster's own group, and deletions.
    /// </summary>
    private bool MayTake(AppendEntries append, long bytes)
    {
        bool isSpared = Machine is Partition && _shard.Room.IsSpared(Group, _raft.Membership);
        if ((StoreHasRoom && !isSpared) || append.Term < _raft.Term || Name is GroupName.Controller)
        {
            return true;
        }

        Entry last = append.Entries[^1];
        if (last.Index <= _raft.LastIndex && (last.Index <= _raft.BaseIndex || _raft.TermAt(last.Index) == last.Term))
        {
            return true;
        }

        if (isSpared)
        {
            Probe.Reached(RareBranch.FullFollowerHeldOff);
            return false;
        }

        long now = _shard.Clock.MonotonicMs;
        if (!HasAllDurable || now < _nextTakenWhenFullMs || (append.Entries.Count > 1 && bytes > TakenWhenFullBytesMax)
            || (_shard.Journal.QueueIsFull && (PlantedBug.FullQueueTakesNothing || !_shard.PastFullQueue.MayTake(this))))
        {
            return false;
        }

        _nextTakenWhenFullMs = now + TakenWhenFullEveryMs;
        if (_shard.Journal.IsAtHardLimit && append.Commit >= last.Index && !_shard.Listener.HasUncommitted)
        {
            Probe.Reached(RareBranch.FullFollowerLeftBehind);
            return false;
        }

        Probe.Reached(RareBranch.AppendTakenWhenFull);
        return true;
    }

    /// <summary>Time may bring it work before anything else happens to it.</summary>
    public bool NeedsTicks => !IsQuiet || Machine.TicksWhileQuiet;

    /// <summary>The shard's note that it ticks this one.</summary>
    public bool IsAwake { get; set; }

    /// <summary>About every 10 ms while awake.</summary>
    public void TickMachine()
    {
        if ((IsServing && !IsQuiet) || Machine.TicksWhileQuiet)
        {
            Machine.Tick();
        }
    }

    /// <summary>About once a second while asleep: consensus does not count then, but a replica may die.</summary>
    public void QuietTick()
    {
        if (IsLeader)
        {
            CountInSync();
        }
    }

    /// <summary>A tick of consensus while awake.</summary>
    public void RaftTick()
    {
        if (IsQuiet)
        {
            return;
        }

        _raft.Tick();
        if (IsLeader)
        {
            CountInSync();
        }

        _snapshot.Tick();
        MarkDirty();
    }

    public void WakeUp()
    {
        _raft.WakeUp();
        MarkDirty();
    }

    public void LeaderLost()
    {
        _raft.LeaderLost();
        MarkDirty();
    }

    public void StepAside()
    {
        _raft.StepAside();
        MarkDirty();
    }

    public ChangeResult TransferLeadership(NodeId to)
    {
        ChangeResult result = _raft.TransferLeadership(to);
        MarkDirty();
        return result;
    }

    public ChangeResult ProposeMembership(IReadOnlyList<ReplicaId> voters, IReadOnlyList<ReplicaId> learners)
    {
        Log.Tail.NowMs = _shard.Clock.UnixMs;
        ChangeResult result = _raft.ProposeMembership(voters, learners);
        MarkDirty();
        return result;
    }

    public void MarkDirty()
    {
        if (!_isDirty && !IsClosed)
        {
            _isDirty = true;
            _shard.Dirty.Add(this);
        }
    }

    /// <summary>Does what consensus wants done. Called once per turn for every group that something happened to.</summary>
    public void Act()
    {
        _isDirty = false;
        if (IsClosed)
        {
            return;
        }

        bool progressed = _caughtUpWithCommit;
        _caughtUpWithCommit = false;
        Log.Tail.NowMs = _shard.Clock.UnixMs;
        while (_raft.HasReady)
        {
            Ready ready = _raft.TakeReady();
            bool ends = ready.LeadershipChanged && _wasLeader && (!IsLeader || _raft.Term != _servingTerm);
            if (ends && !PlantedBug.AckByIndexAlone)
            {
                // Before anything is applied: another leader's entry may stand where one of this one's was awaited.
                _wasLeader = false;
                EndServing();
            }

            Persist(ready);
            Send(ready.Messages);
            progressed |= ready.MatchAdvanced;
            if (ready.CommitAdvanced)
            {
                ApplyCommitted(ready.Committed);
                progressed = true;
            }

            if (ends && PlantedBug.AckByIndexAlone)
            {
                Machine.AfterProgress();
                _wasLeader = false;
                EndServing();
            }

            if (ready.LeadershipChanged)
            {
                LeadershipChanged();
            }

            foreach (LogReadRequest request in ready.LogReads)
            {
                _feed.Read(request);
            }

            foreach (ReplicaId follower in ready.SnapshotsToSend)
            {
                _feed.SendSnapshot(follower);
            }

            if (ready.SnapshotToInstall is { } offered)
            {
                _snapshot.Begin(offered);
            }

            _reads.Take(ready, Applied);
            StartServingWhenSettled();
        }

        Log.Advance(_raft.DurableIndex, _raft.CommitIndex, Applied);
        _reads.Applied(Applied);
        if (progressed)
        {
            Machine.AfterProgress();
        }
    }

    /// <summary>The journal has made a record of this group durable.</summary>
    public void Written(JournalRecord record)
    {
        if (IsClosed)
        {
            return;
        }

        bool wasBehind = _raft.DurableIndex < _raft.CommitIndex;
        _raft.Persisted(record.Token);
        _caughtUpWithCommit |= wasBehind && IsLeader;
        if (record.Healed)
        {
            _shard.Listener.Healed(this);
        }

        SendAfter(record.Token);
        MarkDirty();
    }

    /// <summary>As <see cref="Written"/>, of the record's hard state alone: elections go on while entries wait.</summary>
    public void HardStateWritten(JournalRecord record)
    {
        if (IsClosed)
        {
            return;
        }

        _raft.HardStatePersisted(record.Token);
        SendAfter(record.Token);
        MarkDirty();
    }

    public void SnapshotArrived(PeerMessage.SnapshotChunk chunk) => _snapshot.Arrived(chunk);

    public void SnapshotWanted(NodeId by, PeerMessage.SnapshotWanted wanted) => _feed.SendChunk(_shard.Outbox, by, wanted);

    public void StateDigested(ReplicaId by, in StateDigest digest) => _watch.Heard(by, digest);

    public void StateDiverged(ReplicaId by, in StateDigest right) => _watch.Diverged(by, right);

    /// <summary>The state here is wrong from some entry on. Its log is not, so others may count on that.</summary>
    public void Fence(in StateDigest own, in StateDigest right)
    {
        if (IsFenced)
        {
            return;
        }

        _raft.Fence();
        _shard.Listener.StateDiverged(this, own, right);
        MarkDirty();
    }

    /// <summary>The fenced replica's state can be made again here, where it is.</summary>
    public bool IsRebuildable => Machine is IRebuildable && Log.BaseIndex == LogIndex.Zero;

    /// <summary>Begins with that, or goes on.</summary>
    public void Rebuild()
    {
        if (IsFenced && IsRebuildable)
        {
            _rebuild = _rebuild is { IsOver: false } underWay ? underWay : new StateRebuild(this, ((IRebuildable)Machine).BeginAgain());
            _rebuild.GoOn();
        }
    }

    /// <summary>The state is what the log says, here and on the disk.</summary>
    public void Rebuilt()
    {
        Probe.Reached(RareBranch.StateRebuilt);
        _raft.LiftFence();
        _watch.StateReplaced();
        _shard.Listener.StateRebuilt(this);
        MarkDirty();
    }

    /// <summary>A checkpoint took the place of log and state.</summary>
    public void SnapshotInstalled(Checkpoint checkpoint)
    {
        if (IsClosed)
        {
            return;
        }

        TakeState(checkpoint);
        _rebuild?.Abandon();
        _watch.StateReplaced();
        _shard.Listener.SnapshotTaken(this);
        _raft.SnapshotInstalled(checkpoint.Head.LastIndex, checkpoint.Head.LastTerm, checkpoint.Head.Membership);
        MarkDirty();
    }

    public void SnapshotFailed(LogIndex index)
    {
        _raft.SnapshotFailed(index);
        MarkDirty();
    }

    void IGroupLogOwner.LogCut(LogIndex baseIndex) => _raft.LogCut(baseIndex);

    void IGroupLogOwner.LogDamaged(string report) => _shard.Listener.LogDamaged(this, report);

    void IGroupLogOwner.NewestDamaged() => WriteCheckpoint();

    /// <summary>A journal file is due: what it holds of this group goes to segments, and start-up may begin from here.</summary>
    public void ReleaseJournal(LogIndex upTo)
    {
        Log.ReleaseUpTo(upTo);
        WriteCheckpoint();
    }

    /// <summary>The node stops: a checkpoint saves the next start work, unless there is next to nothing to read again anyway.</summary>
    public void WriteLastCheckpoint()
    {
        if (Applied - Log.CheckpointedUpTo > ReplayedEntriesMin)
        {
            WriteCheckpoint();
        }
    }

    /// <summary>Renews the checkpoint that start-up begins from.</summary>
    /// <returns>False: there is nothing to write, or not yet (<see cref="GroupLog.WriteNewest"/>).</returns>
    public bool WriteCheckpoint(ICheckpointWaiter? waiter = null) =>
        Applied > LogIndex.Zero && Log.WriteNewest(Log.FreezeHead(Applied), StateVersions.Current, SnapshotOfState(), waiter);

    /// <summary>Stops for good: the group leaves this node.</summary>
    public void Close()
    {
        IsClosed = true;
        EndServing();
        Machine.LeaderIsElsewhere();
        _reads.RefuseAll();
        _snapshot.Abandon();
        _rebuild?.Abandon();
        _feed.Close();
        _afterPersist.Clear();
    }

    private void Persist(Ready ready)
    {
        if (ready.Persist is not { } token)
        {
            Invariant.Holds(ready.MessagesAfterPersist is null);
            return;
        }

        _shard.Journal.Append(new JournalRecord
        {
            Group = Log.Group,
            HardState = ready.HardState,
            Entries = ready.Entries.Count == 0 ? [] : ready.Entries.ToArray(),
            Commit = ready.Committed,
            Healed = ready.Healed,
            Waiter = this,
            Token = token,
        });
        if (ready.MessagesAfterPersist is { } messages)
        {
            _afterPersist.Enqueue((token, messages));
        }
    }

    private void Send(List<Outgoing> messages)
    {
        foreach (Outgoing outgoing in messages)
        {
            _shard.Outbox.Add(outgoing.To.Node, new PeerMessage.ForGroup(Group, outgoing.Message));
        }
    }

    private void SendAfter(PersistToken token)
    {
        while (_afterPersist.TryPeek(out (PersistToken Token, List<Outgoing> Messages) waiting)
            && waiting.Token.Sequence <= token.Sequence)
        {
            Send(_afterPersist.Dequeue().Messages);
        }
    }

    private void ApplyCommitted(LogIndex committed)
    {
        LogTail tail = Log.Tail;
        Log.Advance(_raft.DurableIndex, committed, Applied);
        for (LogIndex index = Applied.Next; index <= committed; index = index.Next)
        {
            ReadOnlySpan<byte> bytes = tail.BytesAt(index).Span;
            EntryHeader header = EntryLayout.ReadUnchecked(bytes);
            Invariant.Holds(header.Index == index);
            TakeBaseBefore(header);

            // First the index, so that the machine's own answers see the entry as applied.
            Applied = index;
            Machine.Apply(header, bytes[EntryLayout.HeaderBytes..]);
            if (_watch.IsDue(index))
            {
                _watch.Take(index, WrittenState());
            }
        }
    }

    /// <summary>
    /// A segment's base is the state just before its first entry. Also while start-up replays: a crash may have come before the base
    /// was durable, and without it neither retention nor the newest checkpoint gets past the segment.
    /// </summary>
    private void TakeBaseBefore(in EntryHeader next)
    {
        if (Log.NeedsBaseBefore(next))
        {
            Log.WriteBase(Log.FreezeHead(Applied), StateVersions.Current, SnapshotOfState(), waiter: null);
        }
    }

    private void TakeState(Checkpoint checkpoint)
    {
        if (!Machine.TryReadSnapshot(checkpoint.State.Span))
        {
            throw new InvariantViolationException(
                $"The checkpoint at {checkpoint.Head.LastIndex} of {Log.Folder} is of a version that this node does not read.");
        }

        Applied = checkpoint.Head.LastIndex;
    }

    private byte[] SnapshotOfState() => WrittenState().ToArray();

    /// <summary>The state's bytes, until it is written the next time.</summary>
    private ReadOnlySpan<byte> WrittenState()
    {
        _snapshotBytes.Clear();
        Machine.WriteSnapshot(_snapshotBytes);
        return _snapshotBytes.Written;
    }

    private void LeadershipChanged()
    {
        _wasLeader = IsLeader;
        _servingTerm = _raft.Term;
        if (IsLeader)
        {
            CountInSync();
        }
        else
        {
            _feed.Forget();
            _watch.LeadershipEnded();
            if (IsLeaderElsewhere)
            {
                Machine.LeaderIsElsewhere();
            }
        }

        _shard.Listener.LeadershipChanged(this);
    }

    private void StartServingWhenSettled()
    {
        if (!_isServing && IsLeader && (PlantedBug.ServesBeforeOwnTermCommits || Applied >= _raft.TermStartIndex))
        {
            _isServing = true;
            Machine.StartServing();
        }
    }

    private void EndServing()
    {
        _isServing = false;
        Machine.StopServing();
    }

    private void CountInSync()
    {
        int inSync = _raft.Membership.IsVoter(Self) ? 1 : 0;
        foreach (PeerProgress peer in _raft.Progress)
        {
            if (IsInSync(peer))
            {
                inSync++;
            }
        }

        if (inSync != _inSync)
        {
            _inSync = inSync;
            _shard.Listener.InSyncChanged(this);
        }
    }
}
