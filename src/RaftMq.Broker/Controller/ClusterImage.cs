using System.Collections.Immutable;
using RaftMq.Raft;

namespace RaftMq.Broker.Controller;

/// <summary>
/// What a node knows of the cluster: the controller group's state as applied here, plus who leads what. Immutable; a new one is
/// published whole. Safe to read from any thread.
/// </summary>
public sealed record ClusterImage(
    string ClusterId,
    NodeId? ControllerLeader,
    int FeatureLevel,
    ImmutableSortedDictionary<NodeId, NodeInfo> Nodes,
    ImmutableSortedDictionary<string, TopicInfo> Topics,
    ImmutableDictionary<GroupId, LeaderInfo> Leaders)
{
    public static readonly ClusterImage Empty = new(
        "", null, 0, ImmutableSortedDictionary<NodeId, NodeInfo>.Empty,
        ImmutableSortedDictionary.Create<string, TopicInfo>(StringComparer.Ordinal), ImmutableDictionary<GroupId, LeaderInfo>.Empty);

    /// <summary>Nodes that vote in the controller group; the others follow it.</summary>
    public ImmutableArray<NodeId> ControllerVoters { get; init; } = [];

    /// <summary>Nodes that may join, and until when (Unix time in milliseconds).</summary>
    public ImmutableSortedDictionary<NodeId, long> Expected { get; init; } = ImmutableSortedDictionary<NodeId, long>.Empty;

    /// <summary>Nodes that were removed, each with the folder it had; oldest first.</summary>
    public ImmutableArray<ReplicaId> Removed { get; init; } = [];

    /// <summary>Placement is being made even.</summary>
    public bool IsBalancing { get; init; }

    /// <summary>What would make placement even, or is left of that: once for each partition that would move.</summary>
    public ImmutableArray<PlannedMove> BalancePlan =>
    [
        .. Balance.BalancePlan.All(Places, Topics.Values).Select(static m => new PlannedMove(
            m.Topic.Name, m.Partition.Number, [.. m.Partition.Replicas.Select(static r => r.Node)], [.. m.To.Select(static r => r.Node)])),
    ];

    /// <summary>What a balance waits for, and what mends it; sentences without their full stop.</summary>
    public IEnumerable<string> BalanceObstacles =>
        Balance.BalancePlan.Obstacles(Places, [.. Topics.Values], group => LeaderOf(group) is not null);

    /// <summary>Partitions that have, or may still have, a replica on that node.</summary>
    public int ReplicasOn(NodeId node) => Topics.Values.Sum(t => t.Partitions.Count(p => p.IsPlacedOn(node)));

    /// <summary>Why replicas stay on nodes that are drained or leave, and what mends it; sentences without their full stop.</summary>
    public IEnumerable<string> DrainObstacles => DrainPlan.Obstacles(Places, Topics.Values, group => LeaderOf(group) is not null);

    private ReplicaPlace[] Places => [.. Nodes.Values.Select(n => new ReplicaPlace(n.Replica, n.Rack, n.Duty, n.Alive, n.HasRoom))];

    /// <summary>What the cluster wants of a node, and how far that is: serving, draining, drained or leaving.</summary>
    public string StateOf(NodeId node) => Nodes[node].Duty switch
    {
        NodeDuty.Serving => "serving",
        NodeDuty.Leaving => "leaving",
        _ => ReplicasOn(node) == 0 ? "drained" : "draining",
    };

    public PartitionInfo? Partition(string topic, int partition) =>
        Topics.TryGetValue(topic, out TopicInfo? info) && (uint)partition < (uint)info.Partitions.Length
            ? info.Partitions[partition]
            : null;

    public LeaderInfo? LeaderOf(GroupId group) => Leaders.TryGetValue(group, out LeaderInfo leader) ? leader : null;
}

/// <param name="From">Where its replicas are, or are on their way to; the first leads, or is to.</param>
/// <param name="To">Where they would be.</param>
public sealed record PlannedMove(string Topic, int Partition, ImmutableArray<NodeId> From, ImmutableArray<NodeId> To)
{
    /// <summary>Nodes that would get a replica, each of which is a copy of all that the partition holds.</summary>
    public IEnumerable<NodeId> Copies => To.Where(n => !From.Contains(n));
}

/// <param name="Listeners">Where clients reach it: one advertised address per listener name.</param>
/// <param name="FeatureMin">The oldest feature level this node can run at.</param>
/// <param name="FeatureMax">The newest.</param>
public sealed record NodeInfo(
    ReplicaId Replica, string? Rack, ImmutableArray<ListenerAddress> Listeners, int FeatureMin, int FeatureMax, bool Alive)
{
    /// <summary>What the cluster wants of it.</summary>
    public NodeDuty Duty { get; init; }

    /// <summary>False where it said that its disk is full: it is given no new replicas.</summary>
    public bool HasRoom { get; init; } = true;
}

/// <param name="Name">The listener's name in the configuration, for example <c>kafka</c>.</param>
public sealed record ListenerAddress(string Name, string Host, int Port)
{
    /// <summary>The name of where other nodes dial the node; no listener for clients may have it.</summary>
    public const string Peers = "peers";

    /// <summary>The name of where the node's HTTP is; no listener for clients may have it.</summary>
    public const string Http = "http";
}

/// <param name="Id">The topic's id: another one when a topic of that name is created again.</param>
/// <param name="Configs">Only what was set explicitly; Kafka's names.</param>
public sealed record TopicInfo(
    string Name, UInt128 Id, bool Internal, ImmutableArray<PartitionInfo> Partitions,
    ImmutableSortedDictionary<string, string> Configs);

/// <param name="Epoch">The leader's Raft term.</param>
/// <param name="InSync">Voters within replica.lag.max, as the leader sees it; the leader first.</param>
public readonly record struct LeaderInfo(NodeId Leader, int Epoch, ImmutableArray<NodeId> InSync);
