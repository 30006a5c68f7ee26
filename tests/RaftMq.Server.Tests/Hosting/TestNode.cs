using System.Collections.Immutable;
using RaftMq.Broker;
using RaftMq.Broker.Controller;
using RaftMq.Broker.Environment;
using RaftMq.Broker.Partitions;
using RaftMq.Raft;
using RaftMq.Server.Hosting;

namespace RaftMq.Server.Tests.Hosting;

/// <summary>A node that is what the test says.</summary>
internal sealed class TestNode(NodeContext context) : INode, IBroker
{
    private int _ticks;
    private int _fineTicks;

    public NodeContext Context { get; } = context;

    public List<string> Calls { get; } = [];

    public List<AdminCommand> Commands { get; } = [];

    public Func<AdminCommand, AdminResult> Answer { get; set; } = _ => new AdminResult(AdminOutcome.Done);

    public int Ticks => _ticks;

    public IBroker Broker => this;

    public bool IsReady { get; set; } = true;

    public string? NotReadyBecause { get; set; }

    public string? RefusedByCluster { get; set; }

    public List<NodeId> Seeds { get; } = [];

    public bool IsDrained { get; private set; }

    public BootNumber Boot => new(1);

    public NodeId Self => new(Context.Options.NodeId);

    public ClusterImage Cluster { get; set; } = ClusterImage.Empty;

    public BrokerOptions Options { get; } = new();

    public NodeStatus Status { get; set; } = new(new NodeId(0), [], []);

    public void Start() => Calls.Add("start");

    public int FineTicks => _fineTicks;

    public bool WantsFineTicks { get; set; }

    public Action FineTicksWanted { get; set; } = static () => { };

    public void Tick() => Interlocked.Increment(ref _ticks);

    public void SeedFound(NodeId node)
    {
        lock (Seeds)
        {
            Seeds.Add(node);
        }
    }

    public void FineTick() => Interlocked.Increment(ref _fineTicks);

    public void BeginDrain()
    {
        Calls.Add("drain");
        IsDrained = true;
    }

    public void CollectStatus(Action<NodeStatus> completion) => completion(Status);

    public void Received(NodeId from, PeerFrame frame) => throw new NotSupportedException();

    public void ConnectionReset(NodeId node, bool refused) => throw new NotSupportedException();

    public void Administer(AdminCommand command, long deadlineMs, IAdminCompletion completion)
    {
        Commands.Add(command);
        completion.Completed(Answer(command));
    }

    public void Produce(ProduceCommand command) => throw new NotSupportedException();

    public void Read(ReadCommand command) => throw new NotSupportedException();

    public void WaitForRecords(GroupId group, long offset, IReadWaiter waiter) => throw new NotSupportedException();

    public void StopWaiting(GroupId group, IReadWaiter waiter) => throw new NotSupportedException();

    public void FindOffset(GroupId group, OffsetQuery query, long timestampMs, int leaderEpoch, Action<OffsetResult> completion) =>
        throw new NotSupportedException();

    public void FindEpochEnd(GroupId group, int epoch, int leaderEpoch, Action<EpochEndResult> completion) =>
        throw new NotSupportedException();

    public void WithCoordinator(string consumerGroup, ICoordinatorCall call) => throw new NotSupportedException();

    public void WithCoordinatorOf(GroupId offsetsPartition, ICoordinatorCall call) => throw new NotSupportedException();

    public static TopicInfo Topic(string name, UInt128 group) => new(
        name, 77, Internal: false, [new PartitionInfo(0, new GroupId(group), [new ReplicaId(new NodeId(0), default)])],
        ImmutableSortedDictionary<string, string>.Empty.Add("retention.ms", "1000"));
}
