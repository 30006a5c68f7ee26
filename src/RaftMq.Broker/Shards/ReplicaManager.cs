using RaftMq.Broker.Cluster;
using RaftMq.Broker.Controller;
using RaftMq.Broker.Environment;
using RaftMq.Broker.Groups;
using RaftMq.Broker.Leadership;
using RaftMq.Broker.Partitions;
using RaftMq.Raft;
using RaftMq.Storage.Files;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Log;
using RaftMq.Storage.Recovery;

namespace RaftMq.Broker.Shards;

/// <summary>
/// Makes this node's replicas what the cluster's state says: restores what the disk holds, creates what is placed here, configures it,
/// and gives up what was deleted. What of the disk's groups the cluster does not have may go only once it is certain that the state here
/// is new enough to know (<see cref="CatchUp"/>).
/// </summary>
internal sealed class ReplicaManager(
    Shard shard, NodeStore store, GroupLogEnvironment logEnvironment, ReplicaFactory factory, ClusterMember cluster,
    LeaderFitness fitness, LeaderBalancer balancer, DamageRegister damages, Action<NodeEvent> report)
{
    private readonly SortedDictionary<GroupId, PartitionInfo> _placement = [];
    private readonly SortedSet<GroupId> _creating = [];

    /// <summary>Damaged groups of which the journal was told that they will release nothing.</summary>
    private readonly SortedSet<GroupId> _givenUp = [];

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
        switch (found)
        {
            case RecoveredGroup.Healthy healthy when GroupName.TryParse(found.Name) is { } name:
                try
                {
                    Replica replica = factory.Restore(name, healthy);
                    Opened(name, replica);
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

        damages.Quarantine(found.Group, found.Name, damage);
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
    /// a group that its own journal did not hold yet.
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

    // --- the cluster's wishes ---

    /// <summary>False when that is under way already.</summary>
    public bool CreateController(FormedCluster formed)
    {
        if (!_creating.Add(formed.ControllerGroup))
        {
            return false;
        }

        Create(formed.ControllerGroup, new GroupName.Controller(), Membership.Of(formed.Voters), electFirst: false);
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

        ReplicaId self = shard.Context.Self.Replica;
        bool isMine = partition.Replicas.Contains(self);
        if (isMine && !store.IsDeleted(group) && damages.Quarantined(group) is null && _creating.Add(group))
        {
            Create(
                group, new GroupName.Partition(topic.Name, partition.Number), Membership.Of(partition.Replicas),
                electFirst: partition.Replicas[0] == self);
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

        foreach (DamagedGroup damaged in damages.All.ToArray())
        {
            if (!_placement.ContainsKey(damaged.Group))
            {
                Remove(damaged.Group);
            }
        }
    }

    // --- one replica ---

    /// <summary>A journal file is due that holds entries of the group up to there.</summary>
    public void ReleaseJournal(GroupId group, LogIndex upTo)
    {
        if (shard.Find(group) is { } replica)
        {
            replica.ReleaseJournal(upTo);
        }
        else if (damages.Quarantined(group) is not null && _givenUp.Add(group))
        {
            // It will write nothing to segments any more; without this the journal would be full of it for ever.
            shard.Context.Journal.Append(new JournalRecord { Group = group, Damaged = true });
        }
    }

    private void Create(GroupId group, GroupName name, Membership membership, bool electFirst) =>
        store.CreateGroup(group, name.ToString()!, membership, logEnvironment, new Creation(this, name, electFirst));

    private void Created(GroupName name, GroupLog log, RaftStart start, bool electFirst)
    {
        _creating.Remove(log.Group);
        Replica replica = factory.Create(name, log, start);
        Opened(name, replica);
        if (name is GroupName.Partition partition)
        {
            if (cluster.State.Topics.TryGetValue(partition.Topic, out TopicInfo? topic)
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

    private void Opened(GroupName name, Replica replica)
    {
        shard.Add(replica);
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
        machine.Configure(PartitionConfig.Of(topic, machine.Config.Partition));
        if (!_catchUpDue)
        {
            machine.SettingsAreKnown();
        }
    }

    private void Remove(GroupId group)
    {
        if (shard.Remove(group) is { } replica)
        {
            store.DeleteGroup(replica.Log, logEnvironment, static () => { });
            shard.Context.Journal.Flush();
        }
        else if (damages.Quarantined(group) is { } damaged)
        {
            store.DeleteDamagedGroup(group, logEnvironment, static () => { });
            shard.Context.Journal.Flush();
            report(new NodeEvent(
                NodeEventKind.DamagedGroupDeleted, $"{damaged.Name}, damaged here, was deleted in the cluster: its files go.",
                [("group", damaged.Name)]));
        }

        damages.Over(group);
        fitness.Removed(group);
        balancer.Forget(group);
    }

    private sealed class Creation(ReplicaManager manager, GroupName name, bool electFirst) : IGroupCreationWaiter
    {
        public void GroupCreated(GroupId group, GroupLog log, RaftStart raft) => manager.Created(name, log, raft, electFirst);
    }
}
