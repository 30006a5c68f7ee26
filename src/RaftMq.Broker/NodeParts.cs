using System.Collections.Immutable;
using RaftMq.Broker.Cluster;
using RaftMq.Broker.Controller;
using RaftMq.Broker.Digests;
using RaftMq.Broker.Environment;
using RaftMq.Broker.Groups;
using RaftMq.Broker.Leadership;
using RaftMq.Broker.Movement;
using RaftMq.Broker.Partitions;
using RaftMq.Broker.Peers;
using RaftMq.Broker.Repair;
using RaftMq.Broker.Shards;
using RaftMq.Broker.Space;
using RaftMq.Raft;
using RaftMq.Storage.Files;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Log;
using RaftMq.Storage.Recovery;
using RaftMq.Storage.Space;

namespace RaftMq.Broker;

/// <summary>
/// Everything a started node consists of, wired. All of it lives in one section; the journal in one of its own.
/// </summary>
internal sealed class NodeParts : IClusterHost, IReplicaListener, ISectionOwner
{
    /// <summary>A node that goes waits this long for others to take over what it leads.</summary>
    private const int DrainMs = 5_000;

    /// <summary>
    /// What is wrong here may be wrong everywhere (nodes that share a disk): the others' word is awaited before leadership goes to one of
    /// them.
    /// </summary>
    private const int HearOthersMs = 200;

    /// <summary>A start is registered within a second where nothing is wrong; a node that is not takes no clients and should not lead.</summary>
    private const int RegistrationMs = 5_000;

    private readonly BrokerOptions _options;
    private readonly NodeSettings _settings;
    private readonly INodeEnvironment _environment;
    private readonly Action<ClusterImage> _publish;
    private readonly LeaderFitness _fitness;
    private readonly Connectivity _connectivity;
    private readonly LeaderBalancer _balancer;
    private readonly DamageRegister _damages;
    private Repairs _repairs = null!;
    private RepairService _repairService = null!;
    private Scrubber _scrubber = null!;
    private Renewals _renewals = null!;
    private readonly SlowDiskWatch _disk = new();
    private readonly long _startMs;
    private ReplicaManager _replicas = null!;
    private Movements _movements = null!;
    private ISection _journalSection = null!;
    private NodeJournal _journal = null!;
    private ShardJournal _shardJournal = null!;
    private GroupLogEnvironment _logEnvironment = null!;
    private UncommittedBudget _budget = null!;
    private SpaceWatch _space = null!;
    private Housekeeping _housekeeping = null!;
    private volatile bool _wantsFineTicks;
    private volatile string? _notReadyBecause = "what the data folder holds is being read";
    private bool _slowDisk;

    /// <summary>Nodes that this one misses, as was reported last.</summary>
    private IReadOnlyList<NodeId> _toldMissed = [];
    private long _handOverMs;
    private long? _drainUntilMs;

    private NodeParts(
        BrokerOptions options, NodeSettings settings, INodeEnvironment environment, Action<ClusterImage> publish)
    {
        _options = options;
        _settings = settings;
        _environment = environment;
        _publish = publish;
        _startMs = environment.Clock.MonotonicMs;
        _fitness = new LeaderFitness(settings.Self);
        _connectivity = new Connectivity(settings.Self);
        _balancer = new LeaderBalancer(settings.Self, _fitness, _connectivity, options);
        _damages = new DamageRegister(_fitness, environment.Report);
    }

    public ISection Section { get; private set; } = null!;

    public Shard Shard { get; private set; } = null!;

    public ClusterMember Cluster { get; private set; } = null!;

    public string? Refusal { get; private set; }

    /// <summary>The journal waits to seal itself. Read from any thread.</summary>
    public bool WantsFineTicks => _wantsFineTicks;

    /// <summary>Called, by whoever is in the journal's section, when <see cref="WantsFineTicks"/> becomes true.</summary>
    public Action FineTicksWanted { get; set; } = static () => { };

    public bool IsReady { get; private set; }

    /// <summary>A clause for people; null when the node is ready. Read from any thread.</summary>
    public string? NotReadyBecause => Cluster.WaitsBecause ?? _notReadyBecause;

    public bool IsDrained { get; private set; }

    public static NodeParts Open(
        BrokerOptions options, NodeSettings settings, JournalOptions journalOptions, ISubscriptionReader subscriptions,
        INodeEnvironment environment, Action<ClusterImage> publish)
    {
        var parts = new NodeParts(options, settings, environment, publish);
        parts.Section = environment.CreateSection("shard-0", parts);
        parts.Section.RunFirst(() => parts.Recover(journalOptions, subscriptions));
        return parts;
    }

    public Partition? FindPartition(GroupId group) => Shard.Find(group)?.Machine as Partition;

    public void Received(in PeerSender from, PeerMessage message)
    {
        switch (message)
        {
            case PeerMessage.RepairWanted wanted:
                _repairService.Wanted(from.Replica.Node, wanted);
                break;
            case PeerMessage.RepairEntries entries:
                _repairs.EntriesCame(from.Replica.Node, entries);
                break;
            case PeerMessage.SnapshotChunk chunk when _repairs.BaseCame(from.Replica.Node, chunk):
                break;
            case PeerMessage.ForGroup or PeerMessage.SnapshotWanted or PeerMessage.SnapshotChunk
                or PeerMessage.StateDigested or PeerMessage.StateDiverged:
                Shard.Received(from, message);
                break;
            default:
                Cluster.Received(from, message);
                break;
        }
    }

    public void NodeLost(NodeId node)
    {
        Cluster.Lost(node);
        Shard.LeaderLost(node);
    }

    public void Tick()
    {
        Cluster.Tick();
        Shard.Tick();
        FineTick();
        _replicas.CatchUp();
        _space.Tick();
        _repairs.Tick();
        _scrubber.Tick(_environment.Clock.MonotonicMs);
        _replicas.ReleaseOwed();
        _renewals.Tick(_environment.Clock.MonotonicMs);
        _movements.Tick(_environment.Clock.MonotonicMs);
        JudgeFitness();
        _housekeeping.Tick(_replicas.PreferredLeader, Cluster.IsAlive);
        Drain();
    }

    /// <summary>Time for the journal alone. From any thread.</summary>
    public void FineTick() => _journalSection.Post(new JournalTick(_journal, _environment.Clock));

    public void BeginDrain() => _drainUntilMs ??= _environment.Clock.MonotonicMs + DrainMs;

    public void EndTurn()
    {
        Shard.EndTurn();
        if (Cluster.ReconcileWhenDue())
        {
            Shard.EndTurn();
        }

        Cluster.PublishWhenDue();
    }

    public IReadOnlyCollection<DamagedGroup> Damaged =>
        [.. _damages.All.Select(damaged => damaged with { Repair = _repairs.Describe(damaged.Group) })];

    /// <summary>From any thread: first the journal says how it is, then the replicas, each in its own section.</summary>
    public void CollectStatus(Action<NodeStatus> completion) => _journalSection.Post(new JournalStatus(this, completion));

    private NodeStatus Describe(LimitUse journalBytes, LimitUse journalFiles)
    {
        HoldCounts holds = Shard.Context.Holds;
        return new NodeStatus(_settings.Self, [.. Shard.Replicas.Values.Select(Describe)], [.. Damaged])
        {
            Limits = [.. LimitsOf(journalBytes, journalFiles)],
            Movements = _movements.Status(),
            IsJournalFull = _shardJournal.IsFull && !_shardJournal.HasNoRoom,
            Room = _space.IsFull ? RoomLevel.Short : _space.Level,
            RoomNote = _space.Describe(),
            FreeBytes = _space.FreeBytes ?? 0,
            ReserveBytes = _space.ReserveBytes,
            IsDiskSlow = _slowDisk,
            LinksBroken = _connectivity.Missed.Count,
            Repairs = new RepairStatus(_repairs.FilesMended, _repairs.BytesTaken),
            Scrub = new ScrubStatus(
                _scrubber.BytesRead, _scrubber.Passes,
                _scrubber.LastPassEndedMs is { } ended ? _environment.Clock.MonotonicMs - ended : -1,
                _scrubber.Progress.Done, _scrubber.Progress.Of, _scrubber.Found, _scrubber.LastPassFound),
            Holds = new HoldStatus(holds.ProducesHeld, holds.ProducesTimedOut, holds.AppendsHeldOff),
        };
    }

    /// <summary>For who looks while no section is at work.</summary>
    public IEnumerable<LimitUse> LimitsNow() => LimitsOf(JournalBytes(_journal), JournalFilesOf(_journal));

    private static LimitUse JournalBytes(NodeJournal journal) => new("journal_bytes", journal.UsedBytes, journal.Options.TotalBytesMax);

    private static LimitUse JournalFilesOf(NodeJournal journal) =>
        new("journal_files", journal.UsedFiles, journal.Options.TotalBytesMax / journal.Options.FileBytes);

    private IEnumerable<LimitUse> LimitsOf(LimitUse journalBytes, LimitUse journalFiles)
    {
        int waiting = Shard.Replicas.Values.Max(static replica => (replica.Machine as Partition)?.WaitingCount) ?? 0;
        TailPool tail = _logEnvironment.Tail;
        return
        [
            journalBytes,
            journalFiles,
            new LimitUse("journal_queue_bytes", _shardJournal.QueuedBytes, _shardJournal.QueueBytesMax),
            new LimitUse("tail_bytes", tail.UsedBytes, tail.BudgetBytes),
            new LimitUse("uncommitted_bytes", _budget.UsedBytes, _budget.BytesMax),
            .. GroupLimits(),
            new LimitUse("waiting_produces_per_partition", waiting, _options.Limits.WaitingProducesPerPartition),
            new LimitUse("movements", _movements.ActiveCount, _options.Limits.Movements),
        ];
    }

    /// <summary>Each in the group, or towards the follower, that has most of it.</summary>
    private IEnumerable<LimitUse> GroupLimits()
    {
        BrokerLimits limits = _options.Limits;
        long uncommittedBytes = 0;
        long windowEntries = 0;
        long windowBytes = 0;
        foreach (Replica replica in Shard.All)
        {
            uncommittedBytes = Math.Max(uncommittedBytes, replica.UncommittedBytes);
            foreach (PeerProgress peer in replica.Progress)
            {
                windowEntries = Math.Max(windowEntries, peer.WindowEntries);
                windowBytes = Math.Max(windowBytes, peer.WindowBytes);
            }
        }

        yield return new LimitUse("uncommitted_bytes_per_group", uncommittedBytes, limits.UncommittedBytesPerGroup);
        yield return new LimitUse("replication_window_entries", windowEntries, limits.ReplicationWindowEntries);
        yield return new LimitUse("replication_window_bytes", windowBytes, limits.ReplicationWindowBytes);
    }

    // --- the cluster's wishes ---

    void IClusterHost.OpenController(FormedCluster formed)
    {
        if (_replicas.CreateController(formed.ControllerGroup, Membership.Of(formed.Voters)))
        {
            int[] voters = [.. formed.Voters.Select(v => v.Node.Value)];
            _environment.Report(new NodeEvent(
                NodeEventKind.ClusterForms, $"Node {_settings.Self.Value} forms a cluster with nodes {string.Join(", ", voters)}.",
                [("node", _settings.Self.Value), ("voters", voters)]));
        }
    }

    void IClusterHost.JoinController(GroupId controllerGroup, UInt128 clusterId)
    {
        if (_replicas.CreateController(controllerGroup, Membership.None))
        {
            _environment.Report(new NodeEvent(
                NodeEventKind.JoinsCluster, $"Node {_settings.Self.Value} joins cluster {clusterId:x32}.",
                [("node", _settings.Self.Value), ("cluster", clusterId.ToString("x32"))]));
        }
    }

    void IClusterHost.Reconcile(ClusterState state) => _replicas.Reconcile(state);

    void IClusterHost.WakeGroupsOf(NodeId node) => Shard.WakeGroupsOf(node);

    void IClusterHost.ContactMade() => _repairs.AskAgain();

    void IClusterHost.CollectLeads(List<GroupLead> leads)
    {
        foreach (Replica replica in Shard.Replicas.Values)
        {
            if (replica.IsLeader)
            {
                leads.Add(new GroupLead(replica.Group, replica.Term.Value, InSyncOf(replica)));
            }
        }
    }

    void IClusterHost.Publish(ClusterImage image)
    {
        _notReadyBecause = WhatIsMissing(image);
        IsReady = _notReadyBecause is null;
        _publish(image);
    }

    private string? WhatIsMissing(ClusterImage image) =>
        image.ControllerLeader is null ? "the controller group has no leader that this node hears: a majority of its nodes must run"
        : !Cluster.IsRegistered ? "the controller has not registered this start of the node yet"
        : image.Topics.ContainsKey(OffsetsTopic.Name) ? null
        : $"the internal topic {OffsetsTopic.Name} is not made yet: every initial node must have come once";

    void IClusterHost.RefusedByCluster(string reason)
    {
        if (Refusal is null)
        {
            Refusal = reason;
            _environment.Report(new NodeEvent(NodeEventKind.RefusedByCluster, reason, []));
        }
    }

    // --- what happens to replicas ---

    void IReplicaListener.LeadershipChanged(Replica replica)
    {
        if (replica.Machine is ControllerMachine)
        {
            Cluster.ControllerLeaderChanged();
        }

        _housekeeping.LeadershipChanged();
        Cluster.LeadershipChanged(
            replica.Group, replica.IsLeader, replica.Leader?.Node, replica.Term.Value, InSyncOf(replica));
    }

    void IReplicaListener.LogDamaged(Replica replica, string report)
    {
        bool isNews = _damages.Found(replica, report);
        _replicas.Mend(replica);
        if (isNews)
        {
            _repairs.Hurry(replica.Group);
        }
    }

    void IReplicaListener.Healed(Replica replica) => _damages.Healed(replica);

    void IReplicaListener.StateDiverged(Replica replica, StateDigest own, StateDigest right) => _damages.Diverged(replica, own, right);

    bool IReplicaListener.HasUncommitted => Shard.All.Any(static replica => replica.CommitIndex < replica.Log.LastIndex);

    void IReplicaListener.StateRebuilt(Replica replica) => _damages.Rebuilt(replica);

    void IReplicaListener.DigestsDiffer(Replica replica, LogIndex at) => _environment.Report(new NodeEvent(
        NodeEventKind.StatesDiffer,
        $"{replica.Name}: after entry {at} its replicas have different states, and no majority agrees. Nothing is done: nobody can tell who is right. "
        + "Compare what consumers read from each replica, keep the right one's, and restore the others from it (docs/operations.md).",
        [("group", replica.Name.ToString()!), ("index", at.Value)]));

    void IReplicaListener.SnapshotTaken(Replica replica)
    {
        _repairs.Forget(replica.Group);
        _damages.Over(replica.Group);
    }

    void IReplicaListener.SnapshotRefused(Replica replica, string reason) => _environment.Report(new NodeEvent(
        NodeEventKind.SnapshotRefused,
        $"{replica.Name}: the snapshot from node {replica.Leader?.Node.Value} was not taken, {reason}. It is fetched again; if this does not "
        + "end, the checkpoint is damaged there, or there is no room here.",
        [("group", replica.Name.ToString()!), ("leader", replica.Leader?.Node.Value ?? -1), ("reason", reason)]));

    long IReplicaListener.SilentForMs(NodeId node) => Cluster.SilentForMs(node);

    bool IReplicaListener.IsQuarantined(NodeId node, GroupId group) => _fitness.Of(node, group).HasFlag(LeaderFaults.Quarantined);

    void IReplicaListener.InSyncChanged(Replica replica) => Cluster.LeadershipChanged(
        replica.Group, replica.IsLeader, replica.Leader?.Node, replica.Term.Value, InSyncOf(replica));

    // --- start ---

    private void Recover(JournalOptions journalOptions, ISubscriptionReader subscriptions)
    {
        var start = new StartDisk(_environment.Disk);
        IDisk disk = start;
        StoreIdentity identity = StoreIdentity.Open(
            disk, _settings.Self, _settings.Expectation,
            new StoreId(PlantedBug.EmptyFolderKeepsIdentity ? (UInt128)_settings.Self.Value + 1 : _environment.Random.NextUInt128()));
        var sender = new PeerSender(new ReplicaId(_settings.Self, identity.Store), identity.Boot);
        var outbox = new PeerOutbox(sender, _environment.Peers, _options.Limits.PeerQueueBytesMax);
        var journalOwner = new JournalSection(this);
        _journalSection = _environment.CreateSection("journal", journalOwner);
        long queueBytesMax = Math.Min(_options.Limits.JournalQueueBytes, journalOptions.TotalBytesMax / 4);
        _shardJournal = new ShardJournal(_journalSection, _environment.Clock, queueBytesMax) { Section = Section };
        _logEnvironment = new GroupLogEnvironment(
            _environment.CreateDiskQueue(Section), _shardJournal, new TailPool(_options.Limits.TailBytes));
        _space = new SpaceWatch(
            _options.Space, _logEnvironment.Disk, _environment.Clock, _environment.Report, () => Shard.JournalRoomCame());
        _shardJournal.Appended = _space.Written;
        var context = new ShardContext
        {
            Room = new GroupRoom(
                _settings.Self, _space, _fitness, node => Cluster.IsAlive(node), () => _shardJournal.HasNoRoom),
            Self = sender,
            Clock = _environment.Clock,
            Outbox = outbox,
            Journal = _shardJournal,
            Tail = _logEnvironment.Tail,
            Recovery = new RecoveryPace(_options.Limits.RecoveryBytesPerSecond, _environment.Clock.MonotonicMs),
            Listener = this,
            Options = _options,
        };
        Shard = new Shard(context, _environment.Clock.MonotonicMs);
        _shardJournal.RoomCame = Shard.JournalRoomCame;
        Cluster = new ClusterMember(_settings, _options, sender, _environment, outbox, _fitness, _connectivity, this);
        _budget = new UncommittedBudget(Math.Min(_options.Limits.UncommittedBytesPerNode, journalOptions.TotalBytesMax / 2));
        _housekeeping = new Housekeeping(
            Shard, _balancer, _fitness, _space, _environment.Report,
            () => _replicas.TryAgainForRoom() + (_shardJournal.HasNoRoom ? 1 : 0));

        NodeStore store = NodeStore.Scan(disk, new NodeStoreLimits());
        var factory = new ReplicaFactory(
            _options, context, _budget, _options.Groups, subscriptions,
            _environment.Random.Split(), Cluster);
        _movements = new Movements(Shard, _options.Limits, Cluster.Tell);
        _repairs = new Repairs(context, group => _replicas.HoldersOf(group), _environment.Report);
        _replicas = new ReplicaManager(
            Shard, store, _logEnvironment, factory, Cluster, _fitness, _balancer, _damages, _repairs, _movements, _environment.Report);
        _renewals = new Renewals(Shard, _damages, _movements, _replicas.IsBeyondRepair, Cluster.Tell);
        _scrubber = new Scrubber(
            Shard, _options.Limits.ScrubBytesPerSecond, (long)_options.ScrubInterval.TotalMilliseconds, _environment.Clock.MonotonicMs);
        _repairService = new RepairService(Shard, store, _logEnvironment, _replicas.QuarantinedKeyOf);
        store.RouteReleases((group, upTo) => Section.Post(new Release(this, group, upTo)));
        _journalSection.RunFirst(() =>
        {
            _journal = JournalRecovery.Open(
                disk, journalOptions, identity.Store, store, _environment.CreateDiskQueue(_journalSection), store,
                mayBeNew: !store.HasGroups);
            _shardJournal.Journal = _journal;
        });
        foreach (RecoveredGroup found in store.Finish((_, _) => _logEnvironment))
        {
            _replicas.Restore(found);
        }

        start.Over();
        _space.Start(_environment.Disk);
        _replicas.Restored();
    }

    // --- leadership ---

    /// <summary>Says what speaks against leading here, to the others too, and hands over what should not be led here.</summary>
    private void JudgeFitness()
    {
        long now = _environment.Clock.MonotonicMs;
        bool slow = _disk.IsSlow(now, _shardJournal.IsFull && !_shardJournal.HasNoRoom, _shardJournal.IsOverdue(now, Shard.FlushOverdueMs));
        TellOfSlowDisk(slow);
        _fitness.SetNode(
            (_drainUntilMs is null ? 0 : LeaderFaults.Stopping)
            | (_replicas.HasController || Cluster.IsEmpty ? 0 : LeaderFaults.NoController)
            | (Cluster.IsRegistered || now - _startMs < RegistrationMs ? 0 : LeaderFaults.NotRegistered)
            | (slow ? LeaderFaults.SlowDisk : 0)
            | (_space.IsShort || _shardJournal.HasNoRoom ? LeaderFaults.DiskFull : 0)
            | (Cluster.State.Roster.DutyOf(_settings.Self) == NodeDuty.Serving ? 0 : LeaderFaults.Draining),
            now);
        if (_fitness.TakeNews())
        {
            Cluster.FaultsChanged();
            _handOverMs = now + HearOthersMs;
        }

        TellOfBrokenLinks();
        if ((_fitness.HasOwnFaults || _connectivity.Missed.Count > 0) && now >= _handOverMs)
        {
            _handOverMs = now + Housekeeping.PeriodMs;
            HandLeadershipOver();
        }
    }

    private void TellOfSlowDisk(bool slow)
    {
        if (slow == _slowDisk)
        {
            return;
        }

        _slowDisk = slow;
        _environment.Report(slow
            ? new NodeEvent(
                NodeEventKind.DiskSlow,
                "The disk does not keep up with what comes: leadership goes to nodes whose disks do. Look for what else uses it, and at its health.", [])
            : new NodeEvent(NodeEventKind.DiskKeepsUp, "The disk keeps up again: this node may lead again.", []));
    }

    private void TellOfBrokenLinks()
    {
        IReadOnlyList<NodeId> missed = _connectivity.Missed;
        if (missed.SequenceEqual(_toldMissed))
        {
            return;
        }

        _toldMissed = missed;
        int[] nodes = [.. missed.Select(static node => node.Value)];
        _environment.Report(nodes.Length > 0
            ? new NodeEvent(
                NodeEventKind.LinkBroken,
                $"Between this node and {string.Join(", ", nodes)} messages do not go both ways, and other nodes hear each of them: leadership goes to nodes that miss "
                + "fewer. Look at the network between them.",
                [("nodes", nodes)])
            : new NodeEvent(NodeEventKind.LinksWhole, "Messages go both ways again between this node and each that others hear.", []));
    }

    /// <summary>True while there is something to hand over and somebody to take it.</summary>
    private bool HandLeadershipOver()
    {
        bool handsOver = false;
        foreach (Replica replica in Shard.Replicas.Values)
        {
            handsOver |= _balancer.HandOverIfUnfit(replica, Cluster.IsAlive, _environment.Clock.MonotonicMs);
        }

        return handsOver;
    }

    private void Drain()
    {
        if (_drainUntilMs is not { } until || IsDrained)
        {
            return;
        }

        if (HandLeadershipOver() && _environment.Clock.MonotonicMs < until)
        {
            return;
        }

        foreach (Replica replica in Shard.Replicas.Values)
        {
            replica.WriteLastCheckpoint();
        }

        _environment.CreateDiskQueue(Section).Submit(DiskLane.Background, new LastWork(this));
        _drainUntilMs = long.MaxValue;
    }

    private void JournalTurnEnded()
    {
        _shardJournal.JournalTurnEnded();
        bool wanted = _journal is { WantsTick: true };
        if (wanted != _wantsFineTicks)
        {
            _wantsFineTicks = wanted;
            if (wanted)
            {
                FineTicksWanted();
            }
        }
    }

    private ImmutableArray<NodeId> InSyncOf(Replica replica)
    {
        ImmutableArray<NodeId>.Builder inSync = ImmutableArray.CreateBuilder<NodeId>();
        inSync.Add(_settings.Self);
        foreach (PeerProgress peer in replica.Progress)
        {
            if (replica.IsInSync(peer))
            {
                inSync.Add(peer.Replica.Node);
            }
        }

        return inSync.ToImmutable();
    }

    private static ReplicaStatus Describe(Replica replica)
    {
        var partition = replica.Machine as Partition;
        var name = replica.Name as GroupName.Partition;
        return new ReplicaStatus(
            replica.Group, replica.Name.ToString()!, name?.Topic, name?.Number ?? -1, replica.Role, replica.Term.Value, replica.Leader?.Node,
            replica.Log.LogStartOffset, partition?.State.HighWatermark ?? replica.Log.NextOffset, replica.Log.NextOffset,
            replica.IsLeader ? replica.InSyncCount : 0, replica.VoterCount, partition?.PendingCount ?? 0, replica.Log.SegmentBytes,
            replica.IsQuiet)
        {
            HasNoRoom = replica.Log.NoRoom,
        };
    }

    private sealed class Release(NodeParts parts, GroupId group, LogIndex upTo) : SectionWork
    {
        public override void Run() => parts._replicas.ReleaseJournal(group, upTo);
    }

    /// <summary>The journal's section: what was written during its turn goes back to the shard at once.</summary>
    private sealed class JournalSection(NodeParts parts) : ISectionOwner
    {
        public void EndTurn() => parts.JournalTurnEnded();
    }

    private sealed class JournalTick(NodeJournal journal, IClock clock) : SectionWork
    {
        public override void Run() => journal.Tick(clock.MonotonicMs);
    }

    private sealed class JournalStatus(NodeParts parts, Action<NodeStatus> completion) : SectionWork
    {
        public override void Run()
        {
            NodeJournal journal = parts._journal;
            parts.Section.Post(new ReplicaStatuses(parts, completion, JournalBytes(journal), JournalFilesOf(journal)));
        }
    }

    private sealed class ReplicaStatuses(
        NodeParts parts, Action<NodeStatus> completion, LimitUse journalBytes, LimitUse journalFiles) : SectionWork
    {
        public override void Run() => completion(parts.Describe(journalBytes, journalFiles));
    }

    /// <summary>Behind the checkpoints in the same lane: when it completes they are durable.</summary>
    private sealed class LastWork(NodeParts parts) : DiskWork
    {
        public override void Execute(IDisk disk)
        {
        }

        public override void Complete() => parts.IsDrained = true;

        public override void Full(DiskFullException fault) => parts.IsDrained = true;
    }
}
