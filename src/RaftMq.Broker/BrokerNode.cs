using RaftMq.Broker.Cluster;
using RaftMq.Broker.Controller;
using RaftMq.Broker.Environment;
using RaftMq.Broker.Groups;
using RaftMq.Broker.Partitions;
using RaftMq.Broker.Peers;
using RaftMq.Raft;
using RaftMq.Storage.Files;
using RaftMq.Storage.Journal;

namespace RaftMq.Broker;

/// <summary>
/// The deterministic part of a node, put together. Its life:
/// 1. <see cref="Start"/> recovers what the data folder holds; nothing has left the node before that is done;
/// 2. it is told of frames, ticks, connections and requests, from any thread, and carries them into the sections that own the state;
/// 3. <see cref="BeginDrain"/> hands leadership over and writes checkpoints, so that a stop costs clients nothing but a retry.
/// </summary>
public sealed class BrokerNode : IBroker
{
    private readonly INodeEnvironment _environment;
    private readonly NodeSettings _settings;
    private readonly ISubscriptionReader _subscriptions;
    private readonly JournalOptions _journalOptions;
    private NodeParts _parts = null!;
    private volatile ClusterImage _cluster = ClusterImage.Empty;

    public BrokerNode(
        BrokerOptions options, NodeSettings settings, JournalOptions journalOptions, ISubscriptionReader subscriptions,
        INodeEnvironment environment)
    {
        Options = options;
        _settings = settings;
        _journalOptions = journalOptions;
        _subscriptions = subscriptions;
        _environment = environment;
    }

    internal NodeParts Parts => _parts;

    public NodeId Self => _settings.Self;

    public ClusterImage Cluster => _cluster;

    public BrokerOptions Options { get; }

    /// <summary>Not null when this node can't be part of the cluster it met: it must stop, and this says why.</summary>
    public string? RefusedByCluster => _parts.Refusal;

    /// <summary>A node was found at an address where the operator said that nodes of the cluster are.</summary>
    public void SeedFound(NodeId node) => _parts.Section.Post(new ActionWork(() => _parts.Cluster.SeedFound(node)));

    /// <summary>The node is registered and knows the cluster: clients may come.</summary>
    public bool IsReady => _parts.IsReady;

    /// <summary>Null when <see cref="IsReady"/>; else a clause for people. From any thread.</summary>
    public string? NotReadyBecause => _parts.NotReadyBecause;

    /// <summary>Of this start; known after <see cref="Start"/>.</summary>
    public BootNumber Boot => _parts.Shard.Context.Self.Boot;

    /// <summary>Everything was handed over and written; the process may end.</summary>
    public bool IsDrained => _parts.IsDrained;

    /// <summary>Recovers the data folder and joins the sections. Uses the disk directly.</summary>
    /// <exception cref="DiskFaultException">The disk failed.</exception>
    /// <exception cref="DamagedException">The folder holds what this version can't read or doubt cut.</exception>
    public void Start() =>
        _parts = NodeParts.Open(Options, _settings, _journalOptions, _subscriptions, _environment, image => _cluster = image);

    /// <summary>Time passes; called about every 10 ms.</summary>
    public void Tick() => _parts.Section.Post(new ActionWork(_parts.Tick));

    /// <summary>
    /// While this is true <see cref="FineTick"/> should be called every 2 ms or more often, so that the journal is sealed within 5 ms of its
    /// last batch (design 4).
    /// </summary>
    public bool WantsFineTicks => _parts.WantsFineTicks;

    /// <summary>Called, in some section, when <see cref="WantsFineTicks"/> becomes true. Set after <see cref="Start"/>.</summary>
    public Action FineTicksWanted
    {
        set => _parts.FineTicksWanted = value;
    }

    /// <summary>Time passes for the journal alone; <see cref="Tick"/> does this too.</summary>
    public void FineTick() => _parts.FineTick();

    /// <summary>Takes a received frame over; it is given back to the transport when it has been read.</summary>
    public void ReceivePeerFrame(NodeId from, PeerFrame frame)
    {
        var messages = new List<PeerMessage>();
        if (!PeerCodec.TryRead(frame.Written, out PeerSender sender, messages) || sender.Replica.Node != from)
        {
            _environment.Report(new NodeEvent(
                NodeEventKind.PeerFrameRefused, $"A frame from node {from.Value} was not one of this protocol.", [("node", from.Value)]));
            _environment.Peers.Return(frame);
            return;
        }

        _parts.Section.Post(new FrameWork(this, frame, sender, messages));
    }

    /// <summary>The connection to a node was reset. When dialling again was refused as well, that process is gone.</summary>
    public void ConnectionReset(NodeId node, bool refused) => _parts.Section.Post(new ActionWork(() =>
    {
        if (refused)
        {
            _parts.NodeLost(node);
        }
        else
        {
            _parts.Cluster.Doubt(node);
        }
    }));

    /// <summary>Hands leadership over and writes checkpoints; watch <see cref="IsDrained"/>.</summary>
    public void BeginDrain() => _parts.Section.Post(new ActionWork(_parts.BeginDrain));

    public void Produce(ProduceCommand command) => _parts.Section.Post(new ProduceWork(_parts, command));

    public void Read(ReadCommand command) => _parts.Section.Post(new ActionWork(() =>
    {
        if (_parts.FindPartition(command.Group) is { } partition)
        {
            partition.Read(command);
        }
        else
        {
            command.Completion.Completed(command, new ReadResult(Absent(command.Group), [], 0, -1, -1));
        }
    }));

    public void WaitForRecords(GroupId group, long offset, IReadWaiter waiter) => _parts.Section.Post(new ActionWork(() =>
    {
        if (_parts.FindPartition(group) is { } partition)
        {
            partition.WaitForRecords(offset, waiter);
        }
        else
        {
            waiter.Wake();
        }
    }));

    public void StopWaiting(GroupId group, IReadWaiter waiter) =>
        _parts.Section.Post(new ActionWork(() => _parts.FindPartition(group)?.StopWaiting(waiter)));

    public void FindOffset(
        GroupId group, OffsetQuery query, long timestampMs, int leaderEpoch, Action<OffsetResult> completion) =>
        _parts.Section.Post(new ActionWork(() =>
        {
            if (_parts.FindPartition(group) is { } partition)
            {
                partition.FindOffset(query, timestampMs, leaderEpoch, completion);
            }
            else
            {
                completion(new OffsetResult(Absent(group), -1, -1, -1));
            }
        }));

    public void FindEpochEnd(GroupId group, int epoch, int leaderEpoch, Action<EpochEndResult> completion) =>
        _parts.Section.Post(new ActionWork(() => completion(
            _parts.FindPartition(group)?.FindEpochEnd(epoch, leaderEpoch) ?? new EpochEndResult(Absent(group), -1, -1))));

    public void Administer(AdminCommand command, long deadlineMs, IAdminCompletion completion) =>
        _parts.Section.Post(new ActionWork(() =>
        {
            if (command is AdminCommand.DeleteRecords delete)
            {
                DeleteRecords(delete, deadlineMs, completion);
            }
            else
            {
                _parts.Cluster.Administer(command, deadlineMs, completion);
            }
        }));

    public void WithCoordinator(string consumerGroup, ICoordinatorCall call)
    {
        if (_cluster.Topics.TryGetValue(OffsetsTopic.Name, out TopicInfo? topic))
        {
            int partition = CoordinatorPartition.Of(new ConsumerGroupId(consumerGroup), topic.Partitions.Length);
            WithCoordinatorOf(topic.Partitions[partition].Group, call);
        }
        else
        {
            call.NotHere();
        }
    }

    public void WithCoordinatorOf(GroupId offsetsPartition, ICoordinatorCall call) => _parts.Section.Post(new ActionWork(() =>
    {
        if (_parts.Shard.Find(offsetsPartition)?.Machine is OffsetsPartition partition)
        {
            partition.Run(call);
        }
        else
        {
            call.NotHere();
        }
    }));

    /// <summary>Describes all replicas of this node, from inside their section.</summary>
    public void CollectStatus(Action<NodeStatus> completion) =>
        _parts.CollectStatus(completion);

    private ReadOutcome Absent(GroupId group)
    {
        // Known to the cluster, but not led (or not even held) here.
        foreach (TopicInfo topic in _cluster.Topics.Values)
        {
            foreach (PartitionInfo partition in topic.Partitions)
            {
                if (partition.Group == group)
                {
                    return ReadOutcome.NotLeader;
                }
            }
        }

        return ReadOutcome.UnknownPartition;
    }

    private void DeleteRecords(AdminCommand.DeleteRecords delete, long deadlineMs, IAdminCompletion completion)
    {
        if (_cluster.Partition(delete.Topic, delete.Partition) is not { } info)
        {
            completion.Completed(new AdminResult(AdminOutcome.UnknownPartition, $"There is no {delete.Topic}/{delete.Partition}."));
        }
        else if (_parts.FindPartition(info.Group) is not { } partition)
        {
            completion.Completed(new AdminResult(AdminOutcome.NotLeader, "This node does not lead the partition."));
        }
        else
        {
            partition.DeleteRecords(delete.BeforeOffset, deadlineMs, completion);
        }
    }

    private sealed class ActionWork(Action action) : SectionWork
    {
        public override void Run() => action();
    }

    private sealed class ProduceWork(NodeParts parts, ProduceCommand command) : SectionWork
    {
        public override void Run()
        {
            if (parts.FindPartition(command.Group) is { } partition)
            {
                partition.Produce(command);
                return;
            }

            IProduceCompletion completion = command.Completion;
            completion.Admitted(command);
            completion.Completed(command, new ProduceResult(ProduceOutcome.NotLeader));
        }
    }

    private sealed class FrameWork(
        BrokerNode node, PeerFrame frame, PeerSender sender, List<PeerMessage> messages) : SectionWork
    {
        public override void Run()
        {
            foreach (PeerMessage message in messages)
            {
                node._parts.Received(sender, message);
            }

            node._environment.Peers.Return(frame);
        }
    }
}
