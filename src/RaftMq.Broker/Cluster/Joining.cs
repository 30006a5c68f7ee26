using System.Collections.Immutable;
using RaftMq.Broker.Environment;
using RaftMq.Broker.Peers;
using RaftMq.Raft;

namespace RaftMq.Broker.Cluster;

/// <summary>
/// How a node with an empty folder comes into a cluster that exists:
/// 1. it says to the nodes it knows of that its folder is empty;
/// 2. a node of a cluster answers with that cluster's nodes and who leads its controller group (<see cref="PeerMessage.Introduction"/>);
/// 3. it registers there, which binds its number to its folder when it is expected (<c>NodeDecisions</c>); until it is, it asks again;
/// 4. it makes a replica of the controller group without any members, and waits for the group's leader.
/// A crash anywhere in between starts again at 1: the folder is still empty, and known by its store id if step 3 was done.
/// </summary>
internal sealed class Joining(ImmutableArray<NodeId> seeds, INodeEnvironment environment)
{
    /// <summary>Nodes that are asked; a cluster has fewer.</summary>
    private const int KnownMax = 64;

    private readonly SortedSet<NodeId> _known = [.. seeds];
    private volatile string? _waitsBecause;

    /// <summary>The cluster that this node was introduced to.</summary>
    public PeerMessage.Introduction? Cluster { get; private set; }

    public bool IsIntroduced => Cluster is not null;

    public NodeId? ControllerLeader => Cluster?.ControllerLeader;

    /// <summary>Nodes that may be of the cluster.</summary>
    public IReadOnlyCollection<NodeId> Known => _known;

    /// <summary>From any thread.</summary>
    public string? WaitsBecause => _waitsBecause;

    public void Met(NodeId node)
    {
        if (_known.Count < KnownMax)
        {
            _known.Add(node);
        }
    }

    /// <summary>A sentence when this node can't join, else null.</summary>
    public string? Introduced(PeerMessage.Introduction introduction)
    {
        if (Cluster is { } cluster && (cluster.ClusterId != introduction.ClusterId || cluster.ControllerGroup != introduction.ControllerGroup))
        {
            return $"The nodes that this one finds belong to two clusters, {cluster.ClusterId:x32} and {introduction.ClusterId:x32}: give it the "
                + "addresses of one.";
        }

        // Who says that nobody leads does not know better than the one before.
        Cluster = introduction.ControllerLeader is null && Cluster is not null ? Cluster : introduction;
        foreach (PeerPlace place in introduction.Nodes)
        {
            Met(place.Node);
            if (place.Host.Length > 0 && place.Port is > 0 and <= ushort.MaxValue)
            {
                environment.Peers.Learn(place.Node, place.Host, place.Port);
            }
        }

        return null;
    }

    /// <summary>It was not taken in yet; said once for each reason.</summary>
    public void Waits(string reason)
    {
        if (reason != _waitsBecause)
        {
            _waitsBecause = reason;
            environment.Report(new NodeEvent(NodeEventKind.WaitsToJoin, $"This node waits to join its cluster: {reason}", [("reason", reason)]));
        }
    }
}
