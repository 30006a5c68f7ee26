using RaftMq.Broker.Cluster;
using RaftMq.Broker.Controller;
using RaftMq.Broker.Environment;
using RaftMq.Broker.Groups;
using RaftMq.Broker.Leadership;
using RaftMq.Broker.Movement;
using RaftMq.Broker.Partitions;
using RaftMq.Broker.Repair;
using RaftMq.Raft;
using RaftMq.Storage.Files;
using RaftMq.Storage.Log;
using RaftMq.Storage.Recovery;
using RaftMq.Storage.Repair;

namespace RaftMq.Broker.Shards;

/// <summary>
/// Makes this node's replicas what the cluster's state says: restores what the disk holds, creates what is placed here, configures it,
/// and gives up what was deleted. What of the disk's groups the cluster does not have may go only once it is certain that the state here
/// is new enough to know (<see cref="CatchUp"/>).
/// </summary>
internal sealed class ReplicaManager(
    Shard shard, NodeStore store, GroupLogEnvironment logEnvironment, ReplicaFactory factory, ClusterMember cluster,
    LeaderFitness fitness, LeaderBalancer balancer, DamageRegister damages, Repairs repairs, Movements movements, Action<NodeEvent> report)
{
    /// <summary>A journal that wants back what is too much to carry on waits so long for the group's repair, and may get full meanwhile.</summary>
    private const int OwedMsMax = 30_000;

    private readonly SortedDictionary<GroupId, PartitionInfo> _placement = [];
    private readonly SortedSet<GroupId> _creating = [];

    /// <summary>
    /// The groups of what this disk holds, by the store's keys. A damaged one whose name is lost stands under its key itself; then
    /// <see cref="GroupId.IsLifeOf"/> tells.
    /// </summary>
    private readonly SortedDictionary<GroupId, GroupId> _groupOfKey = [];

    /// <summary>Keys of damaged groups of which the journal was told that they will release nothing.</summary>
    private readonly SortedSet<GroupId> _givenUp = [];

    /// <summary>What the journal wants released of damaged groups that are being mended; by their keys.</summary>
    private readonly SortedDictionary<GroupId, (LogIndex UpTo, long SinceMs)> _owed = [];

    /// <summary>Mended groups on their way back.</summary>
    private readonly SortedDictionary<GroupId, Restoring> _restoring = [];

    private readonly SortedDictionary<UInt128, string> _knownTopics = [];
    private Replica? _controller;
    private LogIndex _controllerEndAtStart;

    /// <summary>The controller group's state is, or may be, older than what this node knew when it stopped.</summary>
    private bool _catchUpDue;

    /// <summary>Whether groups on this disk are still the cluster's is not known yet.</summary>
    private bool _strangersDue;

    private bool _recovering = true;

    /// <summary>The controller group runs here. It does not while a first cluster forms, or when it is damaged.</summary>
    public bool HasController => _controller is not null;

    public NodeId? PreferredLeader(GroupId group) =>
        _placement.TryGetValue(group, out PartitionInfo? partition) ? partition.Replicas[0].Node : null;

    /// <summary>Replicas that were to come or go and for which the disk had no room; they are tried again.</summary>
    public int TryAgainForRoom()
    {
        int waiting = store.WithoutRoomCount;
        store.TryAgain();
        return waiting;
    }

    // --- start ---

    public void Restore(RecoveredGroup found)
    {
        cluster.IsEmpty = false;
        string damage;
        GroupName? name = GroupName.TryParse(found.Name);
        GroupId group = name?.KeyOf(found.Group) ?? found.Group;
        _groupOfKey[found.Group] = group;
        switch (found)
        {
            case RecoveredGroup.Healthy healthy when name is not null:
                try
                {
                    Replica replica = factory.Restore(group, name, healthy);
                    Opened(name, replica);
                    if (healthy.Loss is { } loss)
                    {
                        damages.Lost(replica, loss);
                    }

                    return;
                }
                catch (DamagedException exception)
                {
                    damage = exception.Message;
                }

                break;
            case RecoveredGroup.Damaged damaged:
                damage = damaged.Report;
                break;
            default:
                damage = $"'{found.Name}' is no name that this version gives a group";
                break;
        }

        damages.Quarantine(group, found.Name, damage);
        if (name is not null)
        {
            Mend(found.Group, group, name);
        }
    }

    /// <summary>The store's key of the replica of a group that did not start.</summary>
    public GroupId? QuarantinedKeyOf(GroupId group)
    {
        foreach ((GroupId key, GroupId of) in _groupOfKey)
        {
            if (key.IsLifeOf(group) && damages.Quarantined(of) is not null)
            {
                return key;
            }
        }

        return null;
    }

    /// <summary>Other nodes that should have a replica of the group; all that are known where nobody can say.</summary>
    public IReadOnlyList<NodeId> HoldersOf(GroupId group) =>
        _placement.TryGetValue(group, out PartitionInfo? partition)
            ? [.. partition.Replicas.Select(static replica => replica.Node).Where(node => node != shard.Context.Self.Replica.Node)]
            : [.. cluster.OtherNodes()];

    /// <summary>Damage was found in a group that runs.</summary>
    public void Mend(Replica replica) => repairs.Want(
        replica.Group, replica.Name.ToString()!, replica.Log.BeginRepair, static _ => { }, () => damages.Over(replica.Group));

    /// <summary>Lets go of what the journal wants back of groups that wait for their repair.</summary>
    public void ReleaseOwed()
    {
        if (_owed.Count == 0)
        {
            return;
        }

        ShardJournal journal = shard.Context.Journal;
        foreach (GroupId key in _owed.Keys.ToArray())
        {
            GroupId group = _groupOfKey[key];
            if (_restoring.ContainsKey(group) || repairs.Current(group) is QuarantinedRepair { IsTrying: true } || journal.QueueIsFull)
            {
                continue;
            }

            if (store.ReleaseQuarantined(key, logEnvironment, journal.QueueBytesMax))
            {
                _owed.Remove(key);
            }
            else if (shard.Context.Clock.MonotonicMs - _owed[key].SinceMs > OwedMsMax || !store.CanRepair(key))
            {
                _owed.Remove(key);
                GiveUp(key);
            }
        }
    }

    private void Mend(GroupId key, GroupId group, GroupName name) => repairs.Want(
        group,
        name.ToString()!,
        () => store.BeginRepair(key, logEnvironment),
        repair =>
        {
            repairs.Forget(group);
            RecoveredGroup.Healthy healthy = ((QuarantinedRepair)repair).Group!;
            Replica replica = factory.Create(group, name, healthy.Log, healthy.Raft);
            _restoring[group] = new Restoring(replica, healthy, logEnvironment, (restoring, damage) => Restored(restoring, name, damage));
        },
        static () => { });

    private void Restored(Restoring restoring, GroupName name, string? damage)
    {
        Replica replica = restoring.Replica;
        GroupId key = replica.Log.Group;
        _restoring.Remove(replica.Group);
        if (damage is not null)
        {
            NodeStore.Discard(restoring.Found);
            Mend(key, replica.Group, name);
            return;
        }

        Probe.Reached(RareBranch.MendedGroupStarted);
        store.Mended(restoring.Found);
        damages.Over(replica.Group);
        if (restoring.Found.Loss is { } loss)
        {
            damages.Lost(replica, loss);
        }

        report(new NodeEvent(
            NodeEventKind.GroupMended, $"{name}, which had not started on this node for damage, is mended and takes part again.", [("group", name.ToString()!)]));
        Opened(name, replica);
        if (_owed.Remove(key, out (LogIndex UpTo, long SinceMs) owed))
        {
            replica.ReleaseJournal(owed.UpTo);
        }

        _givenUp.Remove(key);
        Reconcile(cluster.State);
    }

    /// <summary>All that the disk holds is here.</summary>
    public void Restored()
    {
        _recovering = false;
        Reconcile(cluster.State);
    }

    /// <summary>
    /// Two steps after a start. (1) Once the controller's log that was found here is applied, settings count. Not before, so that no ack is
    /// given by older settings than this node had. (2) Once this node's registration of this start is applied, groups on this disk that the
    /// cluster does not have were deleted while it was away. Not before: an earlier life may have applied, and acted on, the creation of
    /// a group that its own journal did not hold yet. For the same reason nothing is made before: it may have left this node, and two
    /// such nodes would begin its log again.
    /// </summary>
    public void CatchUp()
    {
        if (_catchUpDue && _controller is not null && cluster.State.IsFormed && _controller.Applied >= _controllerEndAtStart)
        {
            _catchUpDue = false;
            Reconcile(cluster.State);
        }

        if (_strangersDue && !_catchUpDue && cluster.IsRegistered)
        {
            _strangersDue = false;
            Reconcile(cluster.State);
            RemoveStrangers();
        }
    }

    /// <summary>
    /// A group that did not start can't be mended where it is: its meta file is lost, or the journal does not say enough of it any more, or what the
    /// journal held of it had to go. Not while what could be mended is on its way.
    /// </summary>
    public bool IsBeyondRepair(GroupId group) =>
        QuarantinedKeyOf(group) is { } key && !store.CanRepair(key)
        && !_restoring.ContainsKey(_groupOfKey[key]) && !repairs.IsUnderWay(_groupOfKey[key]);

    // --- the cluster's wishes ---

    /// <summary>False when that is under way already.</summary>
    /// <param name="membership">None where the group is there already: its leader tells the rest.</param>
    public bool CreateController(GroupId group, Membership membership)
    {
        if (!_creating.Add(group))
        {
            return false;
        }

        var name = new GroupName.Controller();
        Create(new Making(this, group, name, ElectFirst: false), group, membership);
        return true;
    }

    public void Reconcile(ClusterState state)
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

    private void Place(GroupId group, TopicInfo topic, PartitionInfo partition)
    {
        bool preferredMoved = _placement.TryGetValue(group, out PartitionInfo? before)
            && before.Replicas[0] != partition.Replicas[0];
        _placement[group] = partition;
        movements.Placed(topic.Id, topic.Name, partition);
        ReplicaId self = shard.Context.Self.Replica;
        if (PlantedBug.LeaverDeletedBeforeDone ? !partition.Replicas.Contains(self) : !partition.IsPlacedOn(self))
        {
            RemoveLeft(group, partition);
            return;
        }

        if (shard.Find(group) is { } replica)
        {
            if (replica.Machine is Partition machine)
            {
                Configure(machine, topic);
            }

            if (preferredMoved)
            {
                balancer.MoveNow(replica, partition.Replicas[0].Node);
            }

            return;
        }

        if (!_strangersDue && _controller is not null && !IsQuarantined(group) && !_creating.Contains(group))
        {
            Make(group, topic, partition);
        }
    }

    /// <summary>This node has no replica of the group that is placed here.</summary>
    private void Make(GroupId group, TopicInfo topic, PartitionInfo partition)
    {
        ReplicaId self = shard.Context.Self.Replica;
        bool isFounder = partition.Founders.Contains(self);
        var name = isFounder
            ? new GroupName.Partition(topic.Name, partition.Number)
            : new GroupName.Partition(topic.Name, partition.Number, partition.Epoch, partition.SettledAt.Next, partition.SettledTerm);
        GroupId key = name.KeyOf(group);
        if (!store.IsDeleted(key))
        {
            _creating.Add(group);
            Create(
                new Making(this, group, name, ElectFirst: isFounder && partition.Founding[0] == self), key,
                isFounder || PlantedBug.FoundingMembershipForAll ? Membership.Of(partition.Founding) : Membership.None);
        }
    }

    /// <summary>
    /// The cluster's state does not want the replica here, and the group has been told to let it go. The state here may be older than the
    /// group: one whose log names it as a member further up was taken in again meanwhile, counts there, and stays.
    /// </summary>
    private void RemoveLeft(GroupId group, PartitionInfo partition)
    {
        if (_strangersDue)
        {
            return;
        }

        if (shard.Find(group) is not { } replica)
        {
            if (IsQuarantined(group))
            {
                Remove(group);
            }

            return;
        }

        if (replica.MembershipIndex > partition.SettledAt && replica.Membership.IsMember(shard.Context.Self.Replica)
            && !PlantedBug.TakenInAgainDeleted)
        {
            Probe.Reached(RareBranch.LeaverTakenInAgain);
            return;
        }

        Remove(group);
    }

    private bool IsQuarantined(GroupId group) =>
        damages.Quarantined(group) is not null || damages.All.Any(d => !d.IsRunning && d.Group.IsLifeOf(group));

    private void RemoveUnplaced(SortedDictionary<GroupId, (TopicInfo Topic, PartitionInfo Partition)> wanted)
    {
        foreach (GroupId group in _placement.Keys.Where(g => !wanted.ContainsKey(g)).ToArray())
        {
            _placement.Remove(group);
            movements.Removed(group);
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
            foreach (Replica replica in shard.Replicas.Values)
            {
                (replica.Machine as OffsetsPartition)?.TopicDeleted(name, id);
            }
        }

        foreach (TopicInfo topic in state.Topics.Values)
        {
            _knownTopics[topic.Id] = topic.Name;
        }
    }

    /// <summary>Groups that were found on this disk and that the cluster does not have.</summary>
    private void RemoveStrangers()
    {
        foreach (Replica replica in shard.Replicas.Values.ToArray())
        {
            if (replica != _controller && !_placement.ContainsKey(replica.Group))
            {
                Remove(replica.Group);
            }
        }

        // Of those that run nothing else is to be said than of others: the controller's, which no placement names, is no stranger.
        foreach (DamagedGroup damaged in damages.All.Where(static damaged => !damaged.IsRunning).ToArray())
        {
            if (!_placement.Keys.Any(group => damaged.Group.IsLifeOf(group)))
            {
                Remove(damaged.Group);
            }
        }
    }

    // --- one replica ---

    /// <summary>A journal file is due that holds entries of the replica with this key up to there.</summary>
    public void ReleaseJournal(GroupId key, LogIndex upTo)
    {
        GroupId group = _groupOfKey.GetValueOrDefault(key, key);
        if (shard.Find(group) is { } replica && replica.Log.Group == key)
        {
            replica.ReleaseJournal(upTo);
        }
        else if (damages.Quarantined(group) is not null)
        {
            if (store.CanRepair(key) && !_givenUp.Contains(key))
            {
                long sinceMs = _owed.TryGetValue(key, out (LogIndex UpTo, long SinceMs) owed) ? owed.SinceMs : shard.Context.Clock.MonotonicMs;
                _owed[key] = (LogIndex.Max(upTo, owed.UpTo), sinceMs);
            }
            else
            {
                GiveUp(key);
            }
        }
    }

    /// <summary>It will write nothing to segments any more; without this the journal would be full of it for ever.</summary>
    private void GiveUp(GroupId key)
    {
        if (_givenUp.Add(key))
        {
            repairs.Forget(_groupOfKey.GetValueOrDefault(key, key));
            store.GiveUp(key, shard.Context.Journal);
        }
    }

    private void Create(Making making, GroupId key, Membership membership) =>
        store.CreateGroup(key, making.Name.ToString()!, membership, logEnvironment, making);

    private void Created(Making making, GroupLog log, RaftStart start)
    {
        (_, GroupId group, GroupName name, bool electFirst) = making;
        _creating.Remove(group);
        _groupOfKey[log.Group] = group;
        Replica replica = factory.Create(group, name, log, start);
        Opened(name, replica);
        if (name is GroupName.Partition partition)
        {
            if (!cluster.State.Topics.TryGetValue(partition.Topic, out TopicInfo? topic)
                || partition.Number >= topic.Partitions.Length || topic.Partitions[partition.Number] is not { } placed
                || placed.Group != group)
            {
                // Deleted while it was being made.
                Remove(group);
                return;
            }

            // It may have to go again already.
            Place(group, topic, placed);
        }

        if (electFirst && !replica.IsClosed)
        {
            // Nobody leads a new group: its preferred leader need not wait for the election time.
            replica.LeaderLost();
        }
    }

    private void Opened(GroupName name, Replica replica)
    {
        shard.Add(replica);
        if (replica.Log.IsDamaged)
        {
            // A base is damaged, or a full disk kept it from being written. Nobody is served from it meanwhile.
            Mend(replica);
        }

        if (name is GroupName.Controller)
        {
            _controllerEndAtStart = replica.Log.LastIndex;
            _controller = replica;
            _catchUpDue = true;
            _strangersDue = true;
            cluster.ControllerOpened(replica);
        }
    }

    private void Configure(Partition machine, TopicInfo topic)
    {
        PartitionConfig config = PartitionConfig.Of(topic, machine.Config.Partition);
        if (PlantedBug.RetentionOfOtherTopic && cluster.State.Topics.Values.First(t => !t.Internal) is { } first)
        {
            PartitionConfig other = PartitionConfig.Of(first, machine.Config.Partition);
            config = config with { RetentionMs = other.RetentionMs, RetentionBytes = other.RetentionBytes };
        }

        machine.Configure(config);
        if (!_catchUpDue)
        {
            machine.SettingsAreKnown();
        }
    }

    private void Remove(GroupId group)
    {
        repairs.Forget(group);
        if (shard.Remove(group) is { } replica)
        {
            _groupOfKey.Remove(replica.Log.Group);
            store.DeleteGroup(replica.Log, logEnvironment, static () => { });
            shard.Context.Journal.Flush();
        }
        else if (QuarantinedKeyOf(group) is { } key && damages.Quarantined(_groupOfKey[key]) is { } damaged)
        {
            repairs.Forget(damaged.Group);
            _owed.Remove(key);
            _givenUp.Remove(key);
            if (_restoring.Remove(damaged.Group, out Restoring? restoring))
            {
                restoring.Abandon();
                NodeStore.Discard(restoring.Found);
            }

            store.DeleteDamagedGroup(key, logEnvironment, static () => { });
            shard.Context.Journal.Flush();
            report(new NodeEvent(
                NodeEventKind.DamagedGroupDeleted,
                $"{damaged.Name}, damaged here, was deleted in the cluster or moved to other nodes: its files go.", [("group", damaged.Name)]));
            _groupOfKey.Remove(key);
            damages.Forget(damaged.Group);
            fitness.Removed(damaged.Group);
        }

        damages.Forget(group);
        fitness.Removed(group);
        balancer.Forget(group);
    }

    /// <summary>A replica on its way into being.</summary>
    private sealed record Making(ReplicaManager Manager, GroupId Group, GroupName Name, bool ElectFirst) : IGroupCreationWaiter
    {
        public void GroupCreated(GroupId group, GroupLog log, RaftStart raft) => Manager.Created(this, log, raft);
    }
}
