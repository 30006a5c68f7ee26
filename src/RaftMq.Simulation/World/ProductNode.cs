using RaftMq.Broker;
using RaftMq.Broker.Cluster;
using RaftMq.Broker.Environment;
using RaftMq.Broker.Groups;
using RaftMq.Broker.Shards;
using RaftMq.Raft;
using RaftMq.Simulation.Network;
using RaftMq.Storage.Journal;

namespace RaftMq.Simulation.World;

/// <summary>The product's node, whole, in one life of a simulated machine.</summary>
internal sealed class ProductNode(BrokerNode node) : IBrokerHost
{
    /// <summary>
    /// Small files and budgets, so that rolling, recycling, checkpoints and reads from segments happen in a minute and not in a day.
    /// </summary>
    private static JournalOptions Journal(JournalSize size) => size switch
    {
        JournalSize.Tiny => new() { FileBytes = 64 << 10, TotalBytesMax = 256 << 10, BatchBytesMax = 32 << 10 },
        JournalSize.Small => new() { FileBytes = 128 << 10, TotalBytesMax = 768 << 10, BatchBytesMax = 64 << 10 },
        _ => new() { FileBytes = 256 << 10, TotalBytesMax = 4 << 20, BatchBytesMax = 128 << 10 },
    };

    public static NodeFactories Factories { get; } = new(
        (world, nodes) => (machine, environment) => new ProductNode(New(machine.Id, nodes, world.Journal, environment)),
        world => new PeerTap(world.History).See);

    public IBroker Broker => node;

    public void Start() => node.Start();

    public void Tick() => node.Tick();

    public void ReceivePeerFrame(NodeId from, PeerFrame frame) => node.ReceivePeerFrame(from, frame);

    public void ConnectionReset(NodeId from, bool refused) => node.ConnectionReset(from, refused);

    public void Inspect(IReplicaVisitor visitor)
    {
        foreach (Replica replica in node.Parts.Shard.Replicas.Values.OrderBy(r => r.Group))
        {
            visitor.Visit(new ReplicaView(
                replica.Group, replica.IsLeader, replica.Term, replica.CommitIndex, replica.Log.NextOffset, replica.Log.Tail.Terms.TermAt,
                () => Describe(replica)));
        }

        foreach (DamagedGroup damaged in node.Parts.Damaged)
        {
            visitor.VisitDamaged(damaged.Group, damaged.Report);
        }
    }

    public void AddTo(Totals totals)
    {
        HoldCounts holds = node.Parts.Shard.Context.Holds;
        totals.SendsHeld += holds.ProducesHeld;
        totals.AppendsHeldOff += holds.AppendsHeldOff;
    }

    private static string Describe(Replica replica)
    {
        string peers = string.Join(", ", replica.Progress.Select(p =>
            $"{p.Replica} has {p.Match}, heard {p.TicksSinceHeard} ticks ago{(p.InSnapshot ? ", in snapshot" : "")}"));
        return $"{replica.Log.Folder} {replica.Role} {replica.Term} leader {replica.Leader}, last {replica.Log.LastIndex}, "
            + $"durable {replica.DurableIndex}, commit {replica.CommitIndex}, applied {replica.Applied}, "
            + $"offset {replica.Log.NextOffset}, quiet {replica.IsQuiet}, serving {replica.IsServing}; {peers}";
    }

    private static BrokerNode New(NodeId id, IReadOnlyList<NodeId> nodes, JournalSize journal, INodeEnvironment environment)
    {
        BrokerOptions options = new()
        {
            OffsetsPartitions = 2,
            LeaderBalanceDelay = TimeSpan.FromSeconds(3),
            Limits = new BrokerLimits { TailBytes = 2 << 20, UncommittedBytesPerGroup = 1 << 20, UncommittedBytesPerNode = 4 << 20 },
        };
        NodeSettings settings = new() { Self = id, InitialNodes = [.. nodes] };
        return new BrokerNode(options, settings, Journal(journal), new NoSubscriptions(), environment);
    }

    /// <summary>The simulated consumers commit without being members.</summary>
    private sealed class NoSubscriptions : ISubscriptionReader
    {
        public bool TryReadTopics(string protocolType, ReadOnlySpan<byte> metadata, ISet<string> topics) => false;
    }
}
