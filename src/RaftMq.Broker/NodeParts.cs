using System.Collections.Immutable;
using RaftMq.Broker.Cluster;
using RaftMq.Broker.Controller;
using RaftMq.Broker.Environment;
using RaftMq.Broker.Groups;
using RaftMq.Broker.Partitions;
using RaftMq.Broker.Peers;
using RaftMq.Broker.Shards;
using RaftMq.Raft;
using RaftMq.Storage.Files;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Log;
using RaftMq.Storage.Recovery;

namespace RaftMq.Broker;

/// <summary>
/// Everything a started node consists of, wired. All of it lives in one section; the journal in one of its own.
/// </summary>
internal sealed class NodeParts : IClusterHost, ILeadershipListener, ISectionOwner
{
    /// <summary>Places of damage that are told of; more say nothing new.</summary>
    private const int DamagesReportedMax = 1_000;

    /// <summary>A node that goes waits this long for others to take over what it leads.</summary>
    private const int DrainMs = 5_000;

    private readonly BrokerOptions _options;
    private readonly NodeSettings _settings;
    private readonly INodeEnvironment _environment;
    private readonly Action<ClusterImage> _publish;
    private readonly List<DamagedGroup> _damaged = [];
    private readonly HashSet<string> _damagesReported = [];
    private readonly SortedDictionary<GroupId, PartitionInfo> _placement = [];
    private readonly SortedSet<GroupId> _creating = [];
    private readonly SortedDictionary<UInt128, string> _knownTopics = [];
    private NodeStore _store = null!;
    private ISection _journalSection = null!;
    private NodeJournal _journal = null!;
    private ShardJournal _shardJournal = null!;
    private GroupLogEnvironment _logEnvironment = null!;
    private UncommittedBudget _budget = null!;
    private ReplicaFactory _factory = null!;
    private Housekeeping _housekeeping = null!;
    private LogIndex _controllerEndAtStart;
    private Replica? _controller;

    /// <summary>The controller group's state is, or may be, older than what this node knew when it stopped.</summary>
    private bool _catchUpDue;

    /// <summary>Whether groups on this disk are still the cluster's is not known yet.</summary>
    private bool _strangersDue;

    private bool _recovering = true;
    private volatile bool _wantsFineTicks;
    private long? _drainUntilMs;

    private NodeParts(
        BrokerOptions options, NodeSettings settings, INodeEnvironment environment, Action<ClusterImage> publish)
    {
        _options = options;
        _settings = settings;
        _environment = environment;
        _publish = publish;
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

    public bool IsDrained { get; private set; }

    public static NodeParts Open(
        BrokerOptions options, NodeSettings settings, JournalOptions journalOptions, ISubscriptionReader subscriptions,
        INodeEnvironment environment, Action<ClusterImage> publish)
    {
        var parts = new NodeParts(options, settings, environment, publish);
        parts.Section = environment.CreateSection("shard-0", parts);
        parts.Recover(journalOptions, subscriptions);
        return parts;
    }

    public Partition? FindPartition(GroupId group) => Shard.Find(group)?.Machine as Partition;

    public void Received(in PeerSender from, PeerMessage message)
    {
        if (message is PeerMessage.ForGroup or PeerMessage.SnapshotWanted or PeerMessage.SnapshotChunk)
        {
            Shard.Received(from, message);
        }
        else
        {
            Cluster.Received(from, message);
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
        CatchUpWithCluster();
        if (_controller is null && !Cluster.IsEmpty)
        {
            // The controller group is damaged here: this node learns no settings, so others must lead.
            HandLeadershipOver();
        }

        _housekeeping.Tick(
            group => _drainUntilMs is null && _placement.TryGetValue(group, out PartitionInfo? p) ? p.Replicas[0].Node : null,
            Cluster.IsAlive);
        Drain();
    }

    /// <summary>Time for the journal alone. From any thread.</summary>
    public void FineTick() => _journalSection.Post(new JournalTick(_journal, _environment.Clock));

    public void BeginDrain() => _drainUntilMs ??= _environment.Clock.MonotonicMs + DrainMs;

    public void EndTurn()
    {
        Shard.EndTurn();
        Cluster.PublishWhenDue();
    }

    public IReadOnlyList<DamagedGroup> Damaged => _damaged;

    /// <summary>From any thread: first the journal says how it is, then the replicas, each in its own section.</summary>
    public void CollectStatus(Action<NodeStatus> completion) => _journalSection.Post(new JournalStatus(this, completion));

    private NodeStatus Describe(LimitUse journalBytes, LimitUse journalFiles)
    {
        HoldCounts holds = Shard.Context.Holds;
        int waiting = Shard.Replicas.Values.Max(static replica => (replica.Machine as Partition)?.WaitingCount) ?? 0;
        TailPool tail = _logEnvironment.Tail;
        return new NodeStatus(_settings.Self, IsReady, [.. Shard.Replicas.Values.Select(Describe)], [.. _damaged])
        {
            Limits =
            [
                journalBytes,
                journalFiles,
                new LimitUse("journal_queue_bytes", _shardJournal.QueuedBytes, _shardJournal.QueueBytesMax),
                new LimitUse("tail_bytes", tail.UsedBytes, tail.BudgetBytes),
                new LimitUse("uncommitted_bytes", _budget.UsedBytes, _budget.BytesMax),
                new LimitUse("waiting_produces_per_partition", waiting, _options.Limits.WaitingProducesPerPartition),
            ],
            IsJournalFull = _shardJournal.IsFull,
            Holds = new HoldStatus(holds.ProducesHeld, holds.ProducesTimedOut, holds.AppendsHeldOff),
        };
    }

    // --- the cluster's wishes ---

    void IClusterHost.OpenController(FormedCluster formed)
    {
        if (_creating.Add(formed.ControllerGroup))
        {
            _environment.Report(new NodeEvent(NodeEventLevel.Information, "ClusterForms",
                $"Node {_settings.Self.Value} forms a cluster with nodes {string.Join(", ", formed.Voters.Select(v => v.Node.Value))}."));
            Create(formed.ControllerGroup, new GroupName.Controller(), Membership.Of(formed.Voters), electFirst: false);
        }
    }

    void IClusterHost.Reconcile(ClusterState state)
    {
        if (_recovering)
        {
            // Replicas are still being restored; once all are there this is called again.
            return;
        }

        var wanted = new SortedDictionary<GroupId, (TopicInfo Topic, PartitionInfo Partition)>();
        foreach (TopicInfo topic in state.Topics.Values)
        {
            foreach (PartitionInfo partition in topic.Partitions)
            {
                wanted.Add(partition.Group, (topic, partition));
            }
        }

        RemoveUnplaced(wanted);
        ForgetDeletedTopics(state);
        foreach ((GroupId group, (TopicInfo topic, PartitionInfo partition)) in wanted)
        {
            Place(group, topic, partition);
        }
    }

    void IClusterHost.WakeGroupsOf(NodeId node) => Shard.WakeGroupsOf(node);

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
        IsReady = Cluster.IsRegistered && image.ControllerLeader is not null
            && image.Topics.ContainsKey(OffsetsTopic.Name);
        _publish(image);
    }

    void IClusterHost.RefusedByCluster(string reason)
    {
        if (Refusal is null)
        {
            Refusal = reason;
            _environment.Report(new NodeEvent(NodeEventLevel.Error, "RefusedByCluster", reason));
        }
    }

    // --- leadership ---

    void ILeadershipListener.LeadershipChanged(Replica replica)
    {
        if (replica.Machine is ControllerMachine)
        {
            Cluster.ControllerLeaderChanged();
        }

        Cluster.LeadershipChanged(
            replica.Group, replica.IsLeader, replica.Leader?.Node, replica.Term.Value, InSyncOf(replica));
    }

    void ILeadershipListener.LogDamaged(Replica replica, string report)
    {
        // A consumer asks again and again; the log needs to say it once.
        if (_damagesReported.Count < DamagesReportedMax && _damagesReported.Add(report))
        {
            _environment.Report(new NodeEvent(NodeEventLevel.Error, "LogDamaged",
                $"{replica.Name}: {report} Nothing of it is served here; the other replicas have it whole."));
        }
    }

    void ILeadershipListener.SnapshotRefused(Replica replica, string reason) => _environment.Report(new NodeEvent(
        NodeEventLevel.Warning, "SnapshotRefused",
        $"{replica.Name}: the snapshot from node {replica.Leader?.Node.Value} was not taken, {reason}. It is fetched again; if this does not "
        + "end, the checkpoint is damaged there, or there is no room here."));

    long ILeadershipListener.SilentForMs(NodeId node) => Cluster.SilentForMs(node);

    void ILeadershipListener.InSyncChanged(Replica replica) => Cluster.LeadershipChanged(
        replica.Group, replica.IsLeader, replica.Leader?.Node, replica.Term.Value, InSyncOf(replica));

    // --- start ---

    private void Recover(JournalOptions journalOptions, ISubscriptionReader subscriptions)
    {
        IDisk disk = _environment.Disk;
        StoreIdentity identity = StoreIdentity.Open(
            disk, _settings.Self, _settings.Expectation, new StoreId(_environment.Random.NextUInt128()));
        var sender = new PeerSender(new ReplicaId(_settings.Self, identity.Store), identity.Boot);
        var outbox = new PeerOutbox(sender, _environment.Peers, _options.Limits.PeerQueueBytesMax);
        var journalOwner = new JournalSection(this);
        _journalSection = _environment.CreateSection("journal", journalOwner);
        long queueBytesMax = Math.Min(_options.Limits.JournalQueueBytes, journalOptions.TotalBytesMax / 4);
        _shardJournal = new ShardJournal(_journalSection, _environment.Clock, queueBytesMax) { Section = Section };
        _logEnvironment = new GroupLogEnvironment(
            _environment.CreateDiskQueue(Section), _shardJournal, new TailPool(_options.Limits.TailBytes), new UnpacedWrites());
        var context = new ShardContext
        {
            Self = sender,
            Clock = _environment.Clock,
            Outbox = outbox,
            Journal = _shardJournal,
            Tail = _logEnvironment.Tail,
            Recovery = new RecoveryPace(_options.Limits.RecoveryBytesPerSecond, _environment.Clock.MonotonicMs),
            Leadership = this,
            Options = _options,
        };
        Shard = new Shard(context, _environment.Clock.MonotonicMs);
        _shardJournal.RoomCame = Shard.JournalRoomCame;
        Cluster = new ClusterMember(_settings, _options, sender, _environment, outbox, this);
        _budget = new UncommittedBudget(Math.Min(_options.Limits.UncommittedBytesPerNode, journalOptions.TotalBytesMax / 2));
        _factory = new ReplicaFactory(
            _options, context, _budget, _options.Groups, subscriptions,
            _environment.Random.Split(), Cluster);
        _housekeeping = new Housekeeping(Shard, _options, _environment.Report);

        _store = NodeStore.Scan(disk, new NodeStoreLimits());
        _store.RouteReleases((group, upTo) => Section.Post(new Release(this, group, upTo)));
        _journal = JournalRecovery.Open(
            disk, journalOptions, identity.Store, _store, _environment.CreateDiskQueue(_journalSection), _store,
            mayBeNew: !_store.HasGroups);
        _shardJournal.Journal = _journal;
        foreach (RecoveredGroup found in _store.Finish(_journal, (_, _) => _logEnvironment))
        {
            Cluster.IsEmpty = false;
            Restore(found);
        }

        _recovering = false;
        ((IClusterHost)this).Reconcile(Cluster.State);
    }

    private void Restore(RecoveredGroup found)
    {
        string report;
        switch (found)
        {
            case RecoveredGroup.Healthy healthy when GroupName.TryParse(found.Name) is { } name:
                try
                {
                    Replica replica = _factory.Restore(name, healthy);
                    Opened(name, replica);
                    return;
                }
                catch (DamagedException damage)
                {
                    report = damage.Message;
                }

                break;
            case RecoveredGroup.Damaged damaged:
                report = damaged.Report;
                break;
            default:
                report = $"'{found.Name}' is no name that this version gives a group.";
                break;
        }

        // Quarantined, never cut: the other replicas have it whole.
        _damaged.Add(new DamagedGroup(found.Group, found.Name, report));
        _environment.Report(new NodeEvent(NodeEventLevel.Error, "GroupDamaged",
            $"{found.Name} does not start on this node, its data here is damaged: {report}"));
    }

    private void Opened(GroupName name, Replica replica)
    {
        Shard.Add(replica);
        if (name is GroupName.Controller)
        {
            _controllerEndAtStart = replica.Log.LastIndex;
            _controller = replica;
            _catchUpDue = true;
            _strangersDue = true;
            Cluster.ControllerOpened(replica);
        }
    }

    // --- replicas ---

    private void Place(GroupId group, TopicInfo topic, PartitionInfo partition)
    {
        bool preferredMoved = _placement.TryGetValue(group, out PartitionInfo? before)
            && before.Replicas[0] != partition.Replicas[0];
        _placement[group] = partition;
        if (Shard.Find(group) is { } replica)
        {
            if (replica.Machine is Partition machine)
            {
                Configure(machine, topic);
            }

            if (preferredMoved)
            {
                Housekeeping.MoveNow(replica, partition.Replicas[0].Node);
            }

            return;
        }

        bool isMine = partition.Replicas.Contains(Shard.Context.Self.Replica);
        if (isMine && !_store.IsDeleted(group) && !_damaged.Exists(d => d.Group == group) && _creating.Add(group))
        {
            Create(
                group, new GroupName.Partition(topic.Name, partition.Number), Membership.Of(partition.Replicas),
                electFirst: partition.Replicas[0] == Shard.Context.Self.Replica);
        }
    }

    private void RemoveUnplaced(SortedDictionary<GroupId, (TopicInfo Topic, PartitionInfo Partition)> wanted)
    {
        foreach (GroupId group in _placement.Keys.Where(g => !wanted.ContainsKey(g)).ToArray())
        {
            _placement.Remove(group);
            Remove(group);
        }
    }

    /// <summary>
    /// Consumer groups led here give up their offsets of topics that are gone. Only of topics that were known here and vanished: a topic
    /// that is merely unknown may be one whose creation this node has not heard of yet.
    /// </summary>
    private void ForgetDeletedTopics(ClusterState state)
    {
        foreach ((UInt128 id, string name) in _knownTopics.ToArray())
        {
            if (state.Topics.TryGetValue(name, out TopicInfo? now) && now.Id == id)
            {
                continue;
            }

            _knownTopics.Remove(id);
            foreach (Replica replica in Shard.Replicas.Values)
            {
                (replica.Machine as OffsetsPartition)?.TopicDeleted(name, id);
            }
        }

        foreach (TopicInfo topic in state.Topics.Values)
        {
            _knownTopics[topic.Id] = topic.Name;
        }
    }

    private void Create(GroupId group, GroupName name, Membership membership, bool electFirst) =>
        _store.CreateGroup(group, name.ToString()!, membership, _logEnvironment, new Creation(this, name, electFirst));

    private void Created(GroupName name, GroupLog log, RaftStart start, bool electFirst)
    {
        _creating.Remove(log.Group);
        Replica replica = _factory.Create(name, log, start);
        Opened(name, replica);
        if (name is GroupName.Partition partition)
        {
            if (Cluster.State.Topics.TryGetValue(partition.Topic, out TopicInfo? topic)
                && partition.Number < topic.Partitions.Length && topic.Partitions[partition.Number].Group == log.Group)
            {
                if (replica.Machine is Partition machine)
                {
                    Configure(machine, topic);
                }
            }
            else
            {
                // Deleted while it was being made.
                Remove(log.Group);
                return;
            }
        }

        if (electFirst)
        {
            // Nobody leads a new group: its preferred leader need not wait for the election time.
            replica.LeaderLost();
        }
    }

    private void Remove(GroupId group)
    {
        if (Shard.Remove(group) is { } replica)
        {
            _store.DeleteGroup(replica.Log, _logEnvironment, static () => { });
            _shardJournal.Flush();
        }
        else if (_damaged.Find(damaged => damaged.Group == group) is { } damaged)
        {
            _damaged.Remove(damaged);
            _store.DeleteDamagedGroup(group, _logEnvironment, static () => { });
            _shardJournal.Flush();
            _environment.Report(new NodeEvent(
                NodeEventLevel.Information, "DamagedGroupDeleted", $"{damaged.Name}, damaged here, was deleted in the cluster: its files go."));
        }
    }

    private void Configure(Partition machine, TopicInfo topic)
    {
        machine.Configure(PartitionConfig.Of(topic, machine.Config.Partition));
        if (!_catchUpDue)
        {
            machine.SettingsAreKnown();
        }
    }

    /// <summary>
    /// Two steps after a start. (1) Once the controller's log that was found here is applied, settings count. Not before, so that no ack is
    /// given by older settings than this node had. (2) Once this node's registration of this start is applied, groups on this disk that the
    /// cluster does not have were deleted while it was away. Not before: an earlier life may have applied, and acted on, the creation of
    /// a group that its own journal did not hold yet.
    /// </summary>
    private void CatchUpWithCluster()
    {
        if (_catchUpDue && _controller is not null && Cluster.State.IsFormed && _controller.Applied >= _controllerEndAtStart)
        {
            _catchUpDue = false;
            ((IClusterHost)this).Reconcile(Cluster.State);
        }

        if (_strangersDue && !_catchUpDue && Cluster.IsRegistered)
        {
            _strangersDue = false;
            ((IClusterHost)this).Reconcile(Cluster.State);
            RemoveStrangers();
        }
    }

    /// <summary>Groups that were found on this disk and that the cluster does not have.</summary>
    private void RemoveStrangers()
    {
        foreach (Replica replica in Shard.Replicas.Values.ToArray())
        {
            if (replica != _controller && !_placement.ContainsKey(replica.Group))
            {
                Remove(replica.Group);
            }
        }

        foreach (DamagedGroup damaged in _damaged.ToArray())
        {
            if (!_placement.ContainsKey(damaged.Group))
            {
                Remove(damaged.Group);
            }
        }
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

    /// <summary>True while there is something to hand over and somebody to take it.</summary>
    private bool HandLeadershipOver()
    {
        bool leads = false;
        foreach (Replica replica in Shard.Replicas.Values)
        {
            if (replica.IsLeader && Housekeeping.BestSuccessor(replica, Cluster.IsAlive) is { } successor)
            {
                leads = true;
                replica.TransferLeadership(successor);
            }
        }

        return leads;
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
        public override void Run() => parts.Shard.Find(group)?.ReleaseJournal(upTo);
    }

    private sealed class Creation(NodeParts parts, GroupName name, bool electFirst) : IGroupCreationWaiter
    {
        public void GroupCreated(GroupId group, GroupLog log, RaftStart raft) => parts.Created(name, log, raft, electFirst);
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
            JournalOptions options = journal.Options;
            parts.Section.Post(new ReplicaStatuses(
                parts,
                completion,
                new LimitUse("journal_bytes", journal.UsedBytes, options.TotalBytesMax),
                new LimitUse("journal_files", journal.UsedFiles, options.TotalBytesMax / options.FileBytes)));
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
