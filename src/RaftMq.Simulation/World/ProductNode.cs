using RaftMq.Broker;
using RaftMq.Broker.Cluster;
using RaftMq.Broker.Controller;
using RaftMq.Broker.Digests;
using RaftMq.Broker.Encoding;
using RaftMq.Broker.Environment;
using RaftMq.Broker.Groups;
using RaftMq.Broker.Partitions;
using RaftMq.Broker.Shards;
using RaftMq.Raft;
using RaftMq.Simulation.Network;
using RaftMq.Storage.Journal;

namespace RaftMq.Simulation.World;

/// <summary>The product's node, whole, in one life of a simulated machine.</summary>
internal sealed class ProductNode(BrokerNode node) : IBrokerHost
{
    public const int OffsetsPartitions = 2;

    /// <summary>Replicas compare their states after each entry whose index this divides.</summary>
    public const int DigestEntries = 32;

    /// <summary>Above all that the cluster gives.</summary>
    private const long ForeignProducers = 1L << 40;

    /// <summary>Above all that the simulator numbers.</summary>
    private const int ForeignNodes = 100_000;

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
        (world, nodes) => (machine, environment) => new ProductNode(New(machine, nodes, world, environment)),
        world => new PeerTap(world.History, world.Coverage).See);

    public IBroker Broker => node;

    public string? RefusedByCluster => node.RefusedByCluster;

    public void Start() => node.Start();

    public void Tick() => node.Tick();

    public void ReceivePeerFrame(NodeId from, PeerFrame frame) => node.ReceivePeerFrame(from, frame);

    public void ConnectionReset(NodeId from, bool refused) => node.ConnectionReset(from, refused);

    public void Inspect(IReplicaVisitor visitor)
    {
        foreach (Replica replica in node.Parts.Shard.Replicas.Values.OrderBy(r => r.Group))
        {
            visitor.Visit(new ReplicaView(
                replica.Group, replica.Log.Group, replica.Role, replica.Term, replica.Log.LastIndex, replica.CommitIndex, replica.Log.NextOffset, replica.Log.Tail.Terms.TermAt,
                replica.Applied, () => HashState(replica),
                replica is { IsServing: true, Machine: Partition partition } ? (replica.Log.LogStartOffset, partition.State.LogStart) : null,
                (replica.Machine as Partition)?.State is { } state ? (state.Accepted, state.Visible, state.HighWatermark) : null,
                () => Describe(replica)));
        }

        foreach (DamagedGroup damaged in node.Parts.Damaged)
        {
            visitor.VisitDamaged(damaged.Group, damaged.Report);
        }
    }

    public (Membership Membership, LogIndex At)? MembershipOf(GroupId group) =>
        node.Parts.Shard.Find(group) is { } replica ? (replica.Membership, replica.MembershipIndex) : null;

    public ReplicaId? Self => node.Parts.Shard.Context.Self.Replica;

    public LeaderView? LeaderOf(GroupId group) =>
        node.Parts.Shard.Find(group) is { IsLeader: true } replica
            ? new LeaderView(
                replica.Term, replica.CommitIndex, replica.Log.Tail.Terms.TermAt(replica.CommitIndex), replica.CommittedMembership, replica.Membership,
                replica.MembershipIndex)
            : null;

    public long? LogStartOf(GroupId group) => (node.Parts.Shard.Find(group)?.Machine as Partition)?.State.LogStart;

    public GroupId? ControllerGroup => node.Parts.Shard.Replicas.Values.FirstOrDefault(r => r.Name is GroupName.Controller)?.Group;

    public (int Cluster, int Oldest)? Levels =>
        node.Cluster is { FeatureLevel: > 0, Nodes: { IsEmpty: false } nodes } image ? (image.FeatureLevel, nodes.Values.Min(static n => n.FeatureMax)) : null;

    public (GroupId Group, GroupId Key, string Name)? SpoilState(RandomSource random)
    {
        Replica[] candidates =
        [
            .. node.Parts.Shard.Replicas.Values
                .Where(static replica => replica is { Machine: Partition or ControllerMachine, IsFenced: false, Membership: { IsJoint: false, Voters.Count: >= 3 } }
                    && replica.Membership.IsVoter(replica.Self))
                .OrderBy(static replica => replica.Group),
        ];
        if (candidates.Length == 0)
        {
            return null;
        }

        // It remembers a producer, or a node, that never was. That hurts nobody: between two comparisons a spoilt leader is believed.
        Replica struck = candidates[random.Next(candidates.Length)];
        if (struck.Machine is Partition partition)
        {
            partition.State.Producers.Apply(
                new ProducerStamp(ForeignProducers + random.NextInt64(ForeignProducers), 0, 0, 0), baseOffset: 0, timestampMs: 0);
        }
        else
        {
            node.Parts.Cluster.State.Requests.Remember(
                new ReplicaId(new NodeId(ForeignNodes + random.Next(ForeignNodes)), new StoreId(1)), number: 0, lowestOpen: 0,
                new RememberedAnswer(AdminOutcome.Done, null, 0, 0));
        }

        return (struck.Group, struck.Log.Group, struck.Name.ToString()!);
    }

    public IEnumerable<LimitUse> Limits() => node.Parts.LimitsNow();

    public void AddTo(Totals totals)
    {
        HoldCounts holds = node.Parts.Shard.Context.Holds;
        totals.SendsHeld += holds.ProducesHeld;
        totals.AppendsHeldOff += holds.AppendsHeldOff;
    }

    private static ulong HashState(Replica replica)
    {
        var writer = new ByteWriter();
        replica.Machine.WriteSnapshot(writer);
        return StateDigest.Of(replica.Applied, writer.Written).Hash;
    }

    private static string Describe(Replica replica)
    {
        string peers = string.Join(", ", replica.Progress.Select(p =>
            $"{p.Replica} has {p.Match}, heard {p.TicksSinceHeard} ticks ago{(p.InSnapshot ? ", in snapshot" : "")}"));
        return $"{replica.Log.Folder} {replica.Role} {replica.Term} leader {replica.Leader}, last {replica.Log.LastIndex}, "
            + $"durable {replica.DurableIndex}, commit {replica.CommitIndex}, applied {replica.Applied}, "
            + $"offset {replica.Log.NextOffset}, quiet {replica.IsQuiet}, serving {replica.IsServing}, members {replica.Membership} since {replica.MembershipIndex}; {peers}";
    }

    private static BrokerNode New(SimulatedNode machine, IReadOnlyList<NodeId> nodes, SimulationWorld world, INodeEnvironment environment)
    {
        BrokerOptions options = new()
        {
            OffsetsPartitions = OffsetsPartitions,
            LeaderBalanceDelay = TimeSpan.FromSeconds(3),
            ScrubInterval = world.ScrubInterval,
            Space = world.Space,
            ElectionTimeoutMin = TimeSpan.FromMilliseconds(world.Surroundings.ElectionMsMin),
            Limits = new BrokerLimits
            {
                TailBytes = world.Surroundings.TailBytes,
                JournalQueueBytes = world.Surroundings.JournalQueueBytes,
                UncommittedBytesPerGroup = 1 << 20,
                UncommittedBytesPerNode = 4 << 20,
                ReplicationWindowEntries = world.Surroundings.WindowEntries,
                AppendBytes = world.Surroundings.AppendBytesMax,
                DigestEntries = DigestEntries,
            },
        };
        NodeSettings settings = new()
        {
            Self = machine.Id,
            InitialNodes = machine.Seeds.Count == 0 ? [.. nodes] : [],
            Seeds = [.. machine.Seeds],
            FeatureMax = machine.FeatureMax,
        };
        return new BrokerNode(options, settings, Journal(world.Surroundings.Journal), new NoSubscriptions(), environment);
    }

    /// <summary>The simulated consumers commit without being members.</summary>
    private sealed class NoSubscriptions : ISubscriptionReader
    {
        public bool TryReadTopics(string protocolType, ReadOnlySpan<byte> metadata, ISet<string> topics) => false;
    }
}
