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

    public PartitionInfo? Partition(string topic, int partition) =>
        Topics.TryGetValue(topic, out TopicInfo? info) && (uint)partition < (uint)info.Partitions.Length
            ? info.Partitions[partition]
            : null;

    public LeaderInfo? LeaderOf(GroupId group) => Leaders.TryGetValue(group, out LeaderInfo leader) ? leader : null;
}

/// <param name="Listeners">Where clients reach it: one advertised address per listener name.</param>
/// <param name="FeatureMin">The oldest feature level this node can run at.</param>
/// <param name="FeatureMax">The newest.</param>
public sealed record NodeInfo(
    ReplicaId Replica, string? Rack, ImmutableArray<ListenerAddress> Listeners, int FeatureMin, int FeatureMax, bool Alive);

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

/// <param name="Replicas">The first is the preferred leader.</param>
public sealed record PartitionInfo(int Number, GroupId Group, ImmutableArray<ReplicaId> Replicas);

/// <param name="Epoch">The leader's Raft term.</param>
/// <param name="InSync">Voters within replica.lag.max, as the leader sees it; the leader first.</param>
public readonly record struct LeaderInfo(NodeId Leader, int Epoch, ImmutableArray<NodeId> InSync);
