using System.Collections.Immutable;
using RaftMq.Broker.Balance;
using RaftMq.Broker.Controller;
using RaftMq.Raft;

namespace RaftMq.Broker.Tests.Balance;

/// <summary>Random placements on random nodes, and a balance carried out as the controller does: step by step, each from what there is then.</summary>
internal sealed class RandomCluster
{
    private readonly ReplicaPlace[] _places;
    private readonly TopicInfo[] _first;
    private TopicInfo[] _topics;

    private RandomCluster(ReplicaPlace[] places, TopicInfo[] topics) => (_places, _topics, _first) = (places, topics, topics);

    public Func<PartitionInfo, bool> IsFree { get; set; } = static _ => true;

    /// <summary>Called with each move before it is done.</summary>
    public Action<BalanceMove> Stepped { get; set; } = static _ => { };

    /// <summary>Replicas that were made anew elsewhere.</summary>
    public int Copies { get; private set; }

    /// <summary>Partitions that are not placed as at first.</summary>
    public int ChangedCount => _topics.Zip(_first).Sum(pair => pair.First.Partitions.Zip(pair.Second.Partitions).Count(p => !p.First.Replicas.SequenceEqual(p.Second.Replicas)));

    public static RandomCluster Even(RandomSource random)
    {
        int racks = random.Next(1, 6);
        int each = random.Next(1, 4);
        bool named = random.OneIn(2);
        ReplicaPlace[] places = [.. Enumerable.Range(1, racks * each).Select(n => new ReplicaPlace(
            Replica(n), named ? $"r{n % racks}" : null, NodeDuty.Serving, IsAlive: true))];
        int factor = random.Next(1, Math.Min(5, places.Length) + 1);
        return new RandomCluster(places, [.. Enumerable.Range(0, random.Next(1, 6)).Select(t => Topic(random, t, places, _ => factor))]);
    }

    public static RandomCluster Any(RandomSource random)
    {
        int count = random.Next(1, 10);
        ReplicaPlace[] places = [.. Enumerable.Range(1, count).Select(n => new ReplicaPlace(
            Replica(n), random.OneIn(4) ? null : $"r{random.Next(4)}", random.OneIn(12) ? NodeDuty.Draining : NodeDuty.Serving,
            !random.OneIn(12), !random.OneIn(12)))];
        return new RandomCluster(
            places, [.. Enumerable.Range(0, random.Next(1, 6)).Select(t => Topic(random, t, places, r => r.Next(1, Math.Min(5, count) + 1)))]);
    }

    public static RandomCluster OneTopic(RandomSource random)
    {
        int count = random.Next(1, 10);
        ReplicaPlace[] places = [.. Enumerable.Range(1, count).Select(n => new ReplicaPlace(Replica(n), null, NodeDuty.Serving, IsAlive: true))];
        int factor = random.Next(1, count + 1);
        return new RandomCluster(places, [Topic(random, 0, places, _ => factor)]);
    }

    public ImmutableArray<BalanceMove> Plan() => BalancePlan.All(_places, _topics);

    public bool TryStep()
    {
        ImmutableArray<BalanceMove> step = BalancePlan.Next(_places, _topics, IsFree);
        foreach (BalanceMove move in step)
        {
            Stepped(move);
            Copies += move.Copies;
            _topics = [.. _topics.Select(t => t.Id != move.Topic.Id ? t : t with
            {
                Partitions = t.Partitions.SetItem(move.Partition.Number, move.Partition.PlacedOn(move.To).Settled(new LogIndex(1), new Term(1))),
            })];
        }

        return !step.IsEmpty;
    }

    public bool TakesReplicas(ReplicaId replica) => _places.First(p => p.Replica == replica).TakesReplicas;

    public ImmutableArray<ReplicaId> ReplicasOf(TopicInfo topic, PartitionInfo partition) =>
        _topics.First(t => t.Id == topic.Id).Partitions[partition.Number].Replicas;

    /// <summary>By how much the node with most has more than the one with least.</summary>
    public Unevenness Unevenness() => new(
        _topics.Max(t => Difference(Counts(t.Partitions.SelectMany(static p => p.Replicas)))),
        Difference(Counts(All.SelectMany(static p => p.Replicas))),
        _topics.Max(t => Difference(Counts(t.Partitions.Select(static p => p.Replicas[0])))),
        Difference(Counts(All.Select(static p => p.Replicas[0]))));

    /// <summary>What is to become less, the most important first: pairs on a rack, then sums of squares.</summary>
    public ImmutableArray<long> Merit() =>
    [
        Crowding(),
        _topics.Sum(t => Squares(Counts(t.Partitions.SelectMany(static p => p.Replicas)))),
        Squares(Counts(All.SelectMany(static p => p.Replicas))),
        _topics.Sum(t => Squares(Counts(t.Partitions.Select(static p => p.Replicas[0])))),
        Squares(Counts(All.Select(static p => p.Replicas[0]))),
    ];

    /// <summary>For the first topic, on nodes that are all alike.</summary>
    public int CopiesNeeded()
    {
        int[] counts = [.. Counts(_topics[0].Partitions.SelectMany(static p => p.Replicas)).OrderDescending()];
        (int part, int more) = (counts.Sum() / counts.Length, counts.Sum() % counts.Length);
        return counts.Select((count, i) => Math.Max(0, count - part - (i < more ? 1 : 0))).Sum();
    }

    /// <summary>Pairs of a partition's replicas on one rack.</summary>
    public int Crowding() => All.Sum(p => PairsOnARack(p.Replicas));

    /// <summary>The least that there can be when each replica stays or goes to a node that takes it.</summary>
    public int CrowdingLeast() => All.Sum(p => p.Replicas.All(r => _places.First(n => n.Replica == r).Duty == NodeDuty.Serving)
        ? Sets([.. _places.Select(static n => n.Replica).Where(r => p.Replicas.Contains(r) || TakesReplicas(r))], p.Replicas.Length).Min(PairsOnARack)
        : PairsOnARack(p.Replicas));

    public override string ToString() =>
        string.Join(' ', _places.Select(p => $"{p.Replica.Node.Value}/{p.Rack}")) + "\n"
        + string.Join('\n', _topics.Select(t => string.Join(", ", t.Partitions.Select(p => string.Join(' ', p.Replicas.Select(r => r.Node.Value))))));

    private int PairsOnARack(IEnumerable<ReplicaId> replicas) => replicas
        .Select(r => _places.First(p => p.Replica == r).Rack).OfType<string>().GroupBy(rack => rack).Sum(rack => rack.Count() * (rack.Count() - 1) / 2);

    private IEnumerable<PartitionInfo> All => _topics.SelectMany(static t => t.Partitions);

    private static IEnumerable<ReplicaId[]> Sets(ReplicaId[] of, int size) => size == 0
        ? [[]]
        : of.SelectMany((first, i) => Sets(of[(i + 1)..], size - 1).Select(rest => (ReplicaId[])[first, .. rest]));

    private int[] Counts(IEnumerable<ReplicaId> replicas) => [.. _places.Where(static p => p.Duty == NodeDuty.Serving).Select(p => replicas.Count(r => r == p.Replica))];

    private static int Difference(int[] counts) => counts.Max() - counts.Min();

    private static long Squares(int[] counts) => counts.Sum(static c => (long)c * c);

    private static TopicInfo Topic(RandomSource random, int number, ReplicaPlace[] places, Func<RandomSource, int> factor)
    {
        int replicas = factor(random);
        return new TopicInfo(
            $"t{number}", (UInt128)(number + 1), Internal: false,
            [.. Enumerable.Range(0, random.Next(1, 25)).Select(p => new PartitionInfo(
                p, new GroupId((UInt128)((1_000 * number) + p)), [.. places.OrderBy(_ => random.NextUInt64()).Take(replicas).Select(n => n.Replica)]))],
            ImmutableSortedDictionary<string, string>.Empty);
    }

    private static ReplicaId Replica(int node) => new(new NodeId(node), new StoreId((UInt128)node));
}

/// <param name="OfTopic">Replicas of the topic that is least even.</param>
internal sealed record Unevenness(int OfTopic, int InAll, int LeadersOfTopic, int LeadersInAll);
