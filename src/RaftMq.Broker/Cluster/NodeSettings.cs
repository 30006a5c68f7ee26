using System.Collections.Immutable;
using RaftMq.Broker.Controller;
using RaftMq.Raft;
using RaftMq.Storage.Files;

namespace RaftMq.Broker.Cluster;

/// <summary>Who this node is and with whom it forms a cluster.</summary>
public sealed record NodeSettings
{
    public required NodeId Self { get; init; }

    /// <summary>
    /// The nodes that form the first cluster together; this one alone for a single node. The same on all of them. Empty: an empty folder joins a
    /// cluster and never forms one.
    /// </summary>
    public required ImmutableArray<NodeId> InitialNodes { get; init; }

    /// <summary>Nodes of a cluster that this one may join with an empty folder, as far as they are known before the start.</summary>
    public ImmutableArray<NodeId> Seeds { get; init; } = [];

    /// <summary>Whether an empty data folder is formatted, or refused because this node worked before (D-18).</summary>
    public StoreExpectation Expectation { get; init; } = StoreExpectation.MayBeEmpty;

    public string? Rack { get; init; }

    /// <summary>Where clients reach this node.</summary>
    public ImmutableArray<ListenerAddress> Listeners { get; init; } = [];

    /// <summary>The oldest feature level this version can run at.</summary>
    public int FeatureMin { get; init; } = FeatureLevels.Min;

    /// <summary>The newest feature level this version knows.</summary>
    public int FeatureMax { get; init; } = FeatureLevels.Max;
}

/// <summary>
/// What nodes may write and send is governed by the cluster's finalised feature level: a version announces a range, the controller
/// finalises one level, and nothing newer is written before that.
/// </summary>
public static class FeatureLevels
{
    public const int Min = 1;

    public const int Max = 1;
}
