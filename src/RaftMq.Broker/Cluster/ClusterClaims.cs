using System.Collections.Immutable;
using RaftMq.Raft;

namespace RaftMq.Broker.Cluster;

/// <summary>
/// Which cluster the other nodes say they belong to. A node whose data folder is of another cluster than the one it is configured for
/// would wait for ever for voters that are not there: it is told what is wrong instead (D-18, D-19).
/// </summary>
internal sealed class ClusterClaims(NodeId self, ImmutableArray<NodeId> initialNodes)
{
    /// <summary>Claims that are kept: the initial nodes, each with a few data folders that were tried.</summary>
    private const int ClaimsMax = 64;

    /// <summary>By data folder: a stranger under a known node's number does not speak for that node.</summary>
    private readonly SortedDictionary<ReplicaId, UInt128> _claims = [];

    /// <summary>True when that folder had not said this before.</summary>
    public bool Heard(ReplicaId from, UInt128 cluster)
    {
        if (from.Node == self || !initialNodes.Contains(from.Node)
            || (_claims.TryGetValue(from, out UInt128 before) ? before == cluster : _claims.Count >= ClaimsMax))
        {
            return false;
        }

        _claims[from] = cluster;
        return true;
    }

    /// <summary>
    /// A sentence for the operator when more than half of the initial nodes belong to one other cluster and none of them to this node's;
    /// else null. So a single stranger never stops a node, and neither do many once one node of the own cluster was heard: it is the
    /// stranger that hears this of the others.
    /// </summary>
    public string? RefusalFor(UInt128 own)
    {
        if (_claims.ContainsValue(own))
        {
            return null;
        }

        foreach (UInt128 other in _claims.Values.Distinct())
        {
            NodeId[] nodes = [.. _claims.Where(c => c.Value == other).Select(c => c.Key.Node).Distinct()];
            if (nodes.Length > initialNodes.Length / 2)
            {
                return $"Node {self.Value}'s data folder belongs to cluster {own:x32}, but nodes "
                    + $"{string.Join(", ", nodes.Select(n => n.Value))} belong to cluster {other:x32}. Bring this node's own folder back (is "
                    + "the right volume mounted?), or give it the addresses of its own cluster.";
            }
        }

        return null;
    }

    /// <summary>What to tell an operator of this cluster's nodes about a node that belongs to another.</summary>
    public static string Warning(NodeId stranger, UInt128 theirs, UInt128 own) =>
        $"Node {stranger.Value} belongs to cluster {theirs:x32}, this node to cluster {own:x32}: it takes no part here. Its data folder or its "
        + "configured addresses are another cluster's.";
}
