using System.Collections.Immutable;
using RaftMq.Broker.Controller;
using RaftMq.Broker.Environment;
using RaftMq.Broker.Partitions;
using RaftMq.Broker.Peers;
using RaftMq.Broker.Shards;
using RaftMq.Raft;

namespace RaftMq.Broker.Tests.Support;

/// <summary>
/// Whole nodes in one thread: sections, disks and network run to rest at each step of ten milliseconds, so that nothing is left to
/// chance. Faults of every kind are the simulator's; this is for one story at a time.
/// </summary>
internal sealed class Cluster
{
    private const int StepMs = 10;

    private readonly List<ClusterNode> _nodes = [];
    private readonly Queue<(NodeId From, NodeId To, PeerLane Lane, PeerFrame Frame)> _frames = new();

    /// <param name="seed">Another one makes other store and cluster ids.</param>
    public Cluster(int nodes, BrokerOptions? options = null, ulong seed = 0)
    {
        Seed = seed;
        Options = options ?? new BrokerOptions { OffsetsPartitions = 1 };
        Initial = [.. Enumerable.Range(1, nodes).Select(n => new NodeId(n))];
        foreach (NodeId id in Initial)
        {
            _nodes.Add(new ClusterNode(this, id));
        }
    }

    public BrokerOptions Options { get; }

    public ulong Seed { get; }

    public ImmutableArray<NodeId> Initial { get; }

    public long NowMs { get; private set; } = 1_000_000;

    /// <summary>Frames that are dropped when they are sent.</summary>
    public Func<NodeId, NodeId, PeerLane, bool> IsCut { get; set; } = static (_, _, _) => false;

    /// <summary>What becomes of each message on its way; null: it is lost.</summary>
    public Func<NodeId, NodeId, PeerMessage, PeerMessage?>? Alter { get; set; }

    public IReadOnlyList<ClusterNode> Nodes => _nodes;

    public ClusterNode this[int id] => _nodes.Find(n => n.Id.Value == id)!;

    /// <summary>A machine with an empty disk, which would join by these nodes.</summary>
    public ClusterNode AddMachine(int id, params int[] seeds)
    {
        var node = new ClusterNode(this, new NodeId(id));
        node.Settings = node.Settings with { InitialNodes = [], Seeds = [.. seeds.Select(s => new NodeId(s))] };
        _nodes.Add(node);
        return node;
    }

    public static Cluster Started(int nodes, BrokerOptions? options = null, ulong seed = 0)
    {
        var cluster = new Cluster(nodes, options, seed);
        foreach (ClusterNode node in cluster.Nodes)
        {
            node.Start();
        }

        cluster.Until(() => cluster.Nodes.All(n => n.Broker.IsReady), "the nodes are ready");
        return cluster;
    }

    public void Carry(NodeId from, NodeId to, PeerLane lane, PeerFrame frame)
    {
        if (!IsCut(from, to, lane))
        {
            _frames.Enqueue((from, to, lane, Alter is null ? frame : Altered(from, to, frame)));
        }
    }

    /// <summary>Brings messages to a node as if they had come in a frame from that one.</summary>
    public static void Inject(PeerSender from, ClusterNode to, params IReadOnlyList<PeerMessage> messages) =>
        to.Broker.ReceivePeerFrame(from.Replica.Node, FrameOf(from, messages));

    /// <summary>Runs everything that waits, without time passing.</summary>
    public void Settle()
    {
        bool ran;
        do
        {
            ran = false;
            foreach (ClusterNode node in _nodes)
            {
                ran |= node.Run();
            }

            for (int count = _frames.Count; count > 0; count--)
            {
                (NodeId from, NodeId to, _, PeerFrame frame) = _frames.Dequeue();
                ran = true;
                if (_nodes.Find(n => n.Id == to && n.IsUp) is { } receiver)
                {
                    receiver.Broker.ReceivePeerFrame(from, frame);
                }
            }
        }
        while (ran);
    }

    public void Pass(int ms)
    {
        for (long end = NowMs + ms; NowMs < end;)
        {
            NowMs += StepMs;
            foreach (ClusterNode node in _nodes)
            {
                node.Tick();
            }

            Settle();
        }
    }

    public void Until(Func<bool> condition, string what, int withinMs = 20_000)
    {
        for (long end = NowMs + withinMs; !condition();)
        {
            Assert.True(NowMs < end, $"Not within {withinMs} ms: {what}.");
            Pass(StepMs);
        }
    }

    public AdminResult Administer(ClusterNode node, AdminCommand command, int deadlineMs = 10_000)
    {
        var answer = new AdminAnswer();
        node.Broker.Administer(command, NowMs + deadlineMs, answer);
        Until(() => answer.Result is not null, command.GetType().Name, deadlineMs + 1_000);
        return answer.Result!;
    }

    /// <summary>Creates a topic and waits until each partition has a leader that serves.</summary>
    public TopicInfo CreateTopic(string name, int partitions = 1, int replicas = -1, params (string Name, string Value)[] configs)
    {
        AdminResult result = Administer(_nodes.Find(n => n.IsUp)!, new AdminCommand.CreateTopic(
            name, partitions, replicas, [],
            configs.ToImmutableSortedDictionary(c => c.Name, c => c.Value, StringComparer.Ordinal), ValidateOnly: false));
        Assert.True(result.Outcome == AdminOutcome.Done, result.ToString());
        TopicInfo topic = result.Topic!;
        Until(() => topic.Partitions.All(p => LeaderOf(p.Group) is not null), $"{name} is led");
        return topic;
    }

    /// <summary>The node that serves the group, if there is one.</summary>
    public ClusterNode? LeaderOf(GroupId group) =>
        _nodes.Find(n => n.IsUp && n.Parts.Shard.Find(group) is { IsServing: true, IsLeader: true });

    public Replica ReplicaOf(int node, GroupId group) => this[node].Parts.Shard.Find(group)!;

    private PeerFrame Altered(NodeId from, NodeId to, PeerFrame frame)
    {
        var messages = new List<PeerMessage>();
        Assert.True(PeerCodec.TryRead(frame.Written, out PeerSender sender, messages));
        return FrameOf(sender, [.. messages.Select(m => Alter!(from, to, m)).OfType<PeerMessage>()]);
    }

    private static PeerFrame FrameOf(in PeerSender sender, IReadOnlyList<PeerMessage> messages)
    {
        var frame = new PeerFrame(new byte[PeerCodec.FrameHeaderBytes + messages.Sum(PeerCodec.SizeBound)]);
        PeerCodec.WriteFrameHeader(frame, sender);
        foreach (PeerMessage message in messages)
        {
            PeerCodec.Write(frame, message, new Encoding.ByteWriter());
        }

        return frame;
    }

    public ProduceAnswer Produce(ClusterNode node, GroupId group, byte[] batch, int deadlineMs = 5_000)
    {
        var answer = new ProduceAnswer();
        node.Broker.Produce(new ProduceCommand
        {
            Group = group,
            Batch = batch,
            DeadlineMs = NowMs + deadlineMs,
            Completion = answer,
        });
        return answer;
    }
}

internal sealed class AdminAnswer : IAdminCompletion
{
    public AdminResult? Result { get; private set; }

    public void Completed(AdminResult result)
    {
        Assert.True(Result is null, "answered twice");
        Result = result;
    }
}

internal sealed class ProduceAnswer : IProduceCompletion
{
    public bool IsAdmitted { get; private set; }

    public ProduceResult? Result { get; private set; }

    public ProduceOutcome? Outcome => Result?.Outcome;

    public long? BaseOffset => Result?.BaseOffset;

    public void Admitted(ProduceCommand command)
    {
        Assert.False(IsAdmitted, "admitted twice");
        IsAdmitted = true;
    }

    public void Completed(ProduceCommand command, in ProduceResult result)
    {
        Assert.True(IsAdmitted, "completed before it was admitted");
        Assert.True(Result is null, "answered twice");
        Result = result;
    }
}
