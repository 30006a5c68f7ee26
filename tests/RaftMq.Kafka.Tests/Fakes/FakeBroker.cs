using System.Collections.Immutable;
using RaftMq.Broker;
using RaftMq.Broker.Controller;
using RaftMq.Broker.Groups;
using RaftMq.Broker.Partitions;
using RaftMq.Raft;

namespace RaftMq.Kafka.Tests.Fakes;

/// <summary>
/// A broker in memory: three nodes of which this is number 1, logs in lists, the real group coordinator on a proposer that commits when the
/// call is over. What a real broker answers later can be held back here and let go by the test.
/// </summary>
internal sealed class FakeBroker : IBroker
{
    public const string Listener = "kafka";

    // Stands for the section: one thread at a time is inside.
    private readonly Lock gate = new();
    private readonly FakeClock clock;
    private readonly Dictionary<GroupId, FakePartition> partitions = [];
    private readonly Dictionary<GroupId, FakeCoordinator> coordinators = [];
    private readonly Queue<Action> held = new();
    private ulong nextId = 1000;

    public FakeBroker(FakeClock clock)
    {
        this.clock = clock;
        var nodes = ImmutableSortedDictionary.CreateBuilder<NodeId, NodeInfo>();
        for (int id = 0; id < 3; id++)
        {
            nodes.Add(new NodeId(id), new NodeInfo(
                Replica(id),
                $"rack-{id}",
                [new ListenerAddress(Listener, $"node{id}.example", 9092 + id), new ListenerAddress("inside", $"10.0.0.{id}", 19092), new ListenerAddress(ListenerAddress.Http, $"node{id}.example", 8079 + id)],
                1,
                1,
                Alive: true));
        }

        Cluster = ClusterImage.Empty with { ClusterId = "test-cluster", ControllerLeader = new NodeId(2), Nodes = nodes.ToImmutable() };
        AddTopic(OffsetsTopic.Name, 4, isInternal: true);
    }

    public NodeId Self => new(1);

    public ClusterImage Cluster { get; set; }

    public BrokerOptions Options { get; set; } = new();

    /// <summary>Batches are admitted, and stored, when the test says so.</summary>
    public bool HoldAdmissions { get; set; }

    /// <summary>Batches are admitted at once and answered when the test says so.</summary>
    public bool HoldCompletions { get; set; }

    public bool HoldReads { get; set; }

    /// <summary>This node coordinates no group.</summary>
    public bool NotCoordinator { get; set; }

    /// <summary>What the controller answers instead of doing it.</summary>
    public AdminResult? AdminAnswer { get; set; }

    public List<AdminCommand> Commands { get; } = [];

    public List<long> Deadlines { get; } = [];

    public List<ProduceCommand> Produced { get; } = [];

    public int WaitersStopped { get; private set; }

    public FakePartition Partition(string topic, int partition) => partitions[Cluster.Partition(topic, partition)!.Group];

    public FakePartition AddTopic(string name, int count, bool isInternal = false)
    {
        var infos = new List<PartitionInfo>();
        ImmutableDictionary<GroupId, LeaderInfo> leaders = Cluster.Leaders;
        for (int i = 0; i < count; i++)
        {
            var group = new GroupId(nextId++);
            infos.Add(new PartitionInfo(i, group, [Replica(1), Replica(0), Replica(2)]));
            partitions.Add(group, new FakePartition());
            if (isInternal)
            {
                coordinators.Add(group, new FakeCoordinator());
            }

            leaders = leaders.Add(group, new LeaderInfo(Self, 7, [Self, new NodeId(0)]));
        }

        var topic = new TopicInfo(name, nextId++, isInternal, [.. infos], ImmutableSortedDictionary<string, string>.Empty);
        Cluster = Cluster with { Topics = Cluster.Topics.Add(name, topic), Leaders = leaders };
        return partitions[infos[0].Group];
    }

    /// <summary>Lets everything go that was held back, and what comes of it.</summary>
    public void Release()
    {
        lock (gate)
        {
            HoldAdmissions = HoldCompletions = HoldReads = false;
            while (held.TryDequeue(out Action? next))
            {
                next();
            }
        }
    }

    public void Produce(ProduceCommand command)
    {
        lock (gate)
        {
            Produced.Add(command);
            Deadlines.Add(command.DeadlineMs);
            if (HoldAdmissions)
            {
                held.Enqueue(() => Store(command));
            }
            else
            {
                Store(command);
            }
        }
    }

    public void Read(ReadCommand command)
    {
        lock (gate)
        {
            if (HoldReads)
            {
                held.Enqueue(() => command.Completion.Completed(command, partitions[command.Group].Read(command)));
            }
            else
            {
                command.Completion.Completed(command, partitions[command.Group].Read(command));
            }
        }
    }

    /// <summary>A record as if another client had sent it: stored, and the waiters woken.</summary>
    public void Append(string topic, int partition, byte[] batch)
    {
        lock (gate)
        {
            FakePartition log = Partition(topic, partition);
            log.Append(batch);
            Wake(log);
        }
    }

    public static void Wake(FakePartition log)
    {
        foreach ((long _, IReadWaiter waiter) in log.Waiters.Where(w => w.Offset < log.HighWatermark).ToList())
        {
            log.Waiters.RemoveAll(w => w.Waiter == waiter);
            waiter.Wake();
        }
    }

    public void WaitForRecords(GroupId group, long offset, IReadWaiter waiter)
    {
        lock (gate)
        {
            FakePartition log = partitions[group];
            Assert.DoesNotContain(log.Waiters, w => w.Waiter == waiter);
            if (log.HighWatermark > offset)
            {
                waiter.Wake();
            }
            else
            {
                log.Waiters.Add((offset, waiter));
            }
        }
    }

    public void StopWaiting(GroupId group, IReadWaiter waiter)
    {
        lock (gate)
        {
            WaitersStopped++;
            partitions[group].Waiters.RemoveAll(w => w.Waiter == waiter);
        }
    }

    public void FindOffset(GroupId group, OffsetQuery query, long timestampMs, int leaderEpoch, Action<OffsetResult> completion)
    {
        FakePartition log = partitions[group];
        completion(log.ReadOutcome != ReadOutcome.Ok
            ? new OffsetResult(log.ReadOutcome, -1, -1, -1)
            : query switch
            {
                OffsetQuery.Earliest => new OffsetResult(ReadOutcome.Ok, log.LogStart, -1, log.Epoch),
                OffsetQuery.Latest => new OffsetResult(ReadOutcome.Ok, log.HighWatermark, -1, log.Epoch),
                OffsetQuery.MaxTimestamp => new OffsetResult(ReadOutcome.Ok, log.HighWatermark - 1, 777, log.Epoch),
                _ when timestampMs >= Batches.FirstTimestampMs => log.BatchReaching(timestampMs),
                _ => timestampMs > 1000
                    ? new OffsetResult(ReadOutcome.Ok, -1, -1, -1)
                    : new OffsetResult(ReadOutcome.Ok, 1, timestampMs, log.Epoch),
            });
    }

    public void FindEpochEnd(GroupId group, int epoch, int leaderEpoch, Action<EpochEndResult> completion)
    {
        FakePartition log = partitions[group];
        completion(log.ReadOutcome != ReadOutcome.Ok
            ? new EpochEndResult(log.ReadOutcome, -1, -1)
            : new EpochEndResult(ReadOutcome.Ok, Math.Min(epoch, log.Epoch), log.HighWatermark));
    }

    public void Administer(AdminCommand command, long deadlineMs, IAdminCompletion completion)
    {
        Commands.Add(command);
        completion.Completed(AdminAnswer ?? Do(command));
    }

    public void WithCoordinator(string consumerGroup, ICoordinatorCall call)
    {
        TopicInfo topic = Cluster.Topics[OffsetsTopic.Name];
        WithCoordinatorOf(
            topic.Partitions[CoordinatorPartition.Of(new ConsumerGroupId(consumerGroup), topic.Partitions.Length)].Group, call);
    }

    public void WithCoordinatorOf(GroupId offsetsPartition, ICoordinatorCall call)
    {
        if (NotCoordinator)
        {
            call.NotHere();
        }
        else
        {
            coordinators[offsetsPartition].Run(call, clock.MonotonicMs);
        }
    }

    /// <summary>Time passes for the groups.</summary>
    public void TickGroups()
    {
        foreach (FakeCoordinator coordinator in coordinators.Values)
        {
            coordinator.Tick(clock.MonotonicMs);
        }
    }

    private static ReplicaId Replica(int node) => new(new NodeId(node), new StoreId((ulong)node + 50));

    private void Store(ProduceCommand command)
    {
        FakePartition log = partitions[command.Group];
        long baseOffset = log.ProduceOutcome == ProduceOutcome.Stored ? log.Append(command.Batch) : -1;

        // The memory is the connection's again: a test that reads it later finds what a real one would.
        command.Completion.Admitted(command);
        if (HoldCompletions)
        {
            held.Enqueue(() => Complete(command, log, baseOffset));
        }
        else
        {
            Complete(command, log, baseOffset);
        }
    }

    private static void Complete(ProduceCommand command, FakePartition log, long baseOffset)
    {
        command.Completion.Completed(
            command,
            new ProduceResult(
                log.ProduceOutcome,
                baseOffset,
                LogStartOffset: log.LogStart,
                Message: log.ProduceOutcome == ProduceOutcome.Stored ? null : $"because {log.ProduceOutcome}"));
        Wake(log);
    }

    private AdminResult Do(AdminCommand command)
    {
        switch (command)
        {
            case AdminCommand.CreateTopic create when Cluster.Topics.ContainsKey(create.Name):
                return new AdminResult(AdminOutcome.TopicExists, $"'{create.Name}' exists");
            case AdminCommand.CreateTopic { Partitions: > 1000 or 0 or < -1 }:
                return new AdminResult(AdminOutcome.InvalidPartitions, "so many partitions are not possible");
            case AdminCommand.CreateTopic { ValidateOnly: false } create:
                AddTopic(create.Name, create.Partitions < 0 ? 4 : create.Partitions, create.Internal);
                TopicInfo made = Cluster.Topics[create.Name] with { Configs = create.Configs };
                Cluster = Cluster with { Topics = Cluster.Topics.SetItem(create.Name, made) };
                return new AdminResult(AdminOutcome.Done);
            case AdminCommand.DeleteTopic delete:
                TopicInfo? found = Cluster.Topics.Values.FirstOrDefault(t => t.Name == delete.Name || t.Id == delete.Id);
                if (found is null)
                {
                    return new AdminResult(AdminOutcome.UnknownTopic, "there is no such topic");
                }

                Cluster = Cluster with { Topics = Cluster.Topics.Remove(found.Name) };
                return new AdminResult(AdminOutcome.Done);
            case AdminCommand.AllocateProducerIds allocate:
                nextId += (ulong)allocate.Count;
                return new AdminResult(AdminOutcome.Done, Number: (long)nextId - allocate.Count);
            case AdminCommand.DeleteRecords delete:
                FakePartition? log = Cluster.Partition(delete.Topic, delete.Partition) is { } info ? partitions[info.Group] : null;
                if (log is null)
                {
                    return new AdminResult(AdminOutcome.UnknownPartition);
                }

                log.LogStart = delete.BeforeOffset < 0 ? log.HighWatermark : delete.BeforeOffset;
                return new AdminResult(AdminOutcome.Done, Number: log.LogStart);
            case AdminCommand.SetTopicConfigs set when Cluster.Topics.TryGetValue(set.Topic, out TopicInfo? topic):
                ImmutableSortedDictionary<string, string> configs =
                    set.Replace ? ImmutableSortedDictionary<string, string>.Empty : topic.Configs;
                foreach ((string name, string? value) in set.Changes)
                {
                    configs = value is null ? configs.Remove(name) : configs.SetItem(name, value);
                }

                if (!set.ValidateOnly)
                {
                    Cluster = Cluster with { Topics = Cluster.Topics.SetItem(set.Topic, topic with { Configs = configs }) };
                }

                return new AdminResult(AdminOutcome.Done);
            case AdminCommand.SetTopicConfigs:
                return new AdminResult(AdminOutcome.UnknownTopic, "there is no such topic");
            default:
                return new AdminResult(AdminOutcome.Done);
        }
    }
}
