using System.Collections.Immutable;
using System.Security.Cryptography;
using RaftMq.Broker.Encoding;
using RaftMq.Broker.Peers;
using RaftMq.Raft;

namespace RaftMq.Broker.Cluster;

/// <summary>The controller group that a first cluster consists of.</summary>
internal sealed record FormedCluster(GroupId ControllerGroup, ImmutableArray<ReplicaId> Voters)
{
    /// <summary>The group's incarnation follows from its first voters, so every node arrives at the same one by itself.</summary>
    public static FormedCluster Of(IEnumerable<ReplicaId> voters)
    {
        ImmutableArray<ReplicaId> sorted = [.. voters.OrderBy(v => v.Node)];
        var writer = new ByteWriter();
        foreach (ReplicaId voter in sorted)
        {
            writer.Replica(voter);
        }

        var hash = new ByteReader(SHA256.HashData(writer.Written));
        return new FormedCluster(new GroupId(hash.UInt128()), sorted);
    }
}

/// <summary>
/// How a first cluster forms (design section 3): only when every configured initial node says that its folder is empty, or that it has
/// formed exactly the cluster this node would form. A node whose folder was emptied later meets nodes that formed a cluster with
/// its old store id, and stays out (D-18, D-19).
/// </summary>
internal sealed class Formation(ReplicaId self, ImmutableArray<NodeId> initialNodes)
{
    /// <summary>Nodes of which a word is kept, beside the initial ones.</summary>
    private const int HeardMax = 64;

    private readonly SortedDictionary<NodeId, (ReplicaId Replica, PeerMessage.Formation Said)> _heard = [];

    /// <summary>A sentence for the operator when this node can't become part of the cluster that exists; else null.</summary>
    public string? Refusal { get; private set; }

    /// <summary>What this node answers while its folder is empty.</summary>
    public static PeerMessage.Formation Empty { get; } = new(default, []);

    public void Heard(ReplicaId from, PeerMessage.Formation said)
    {
        // Another node under this one's own id is somebody's mistake; it must not stand in for one that is missing.
        // To a node that only joins, everybody may say what was formed.
        if (from.Node != self.Node && (initialNodes.Contains(from.Node) || (initialNodes.IsEmpty && said.Voters.Count > 0 && _heard.Count < HeardMax)))
        {
            _heard[from.Node] = (from, said);
        }
    }

    /// <summary>The cluster to be part of, once all initial nodes agree; else null.</summary>
    public FormedCluster? TryForm()
    {
        if (!initialNodes.IsEmpty && !initialNodes.Contains(self.Node))
        {
            return null;
        }

        var voters = new List<ReplicaId> { self };
        foreach ((ReplicaId replica, _) in _heard.Values)
        {
            voters.Add(replica);
        }

        foreach ((_, PeerMessage.Formation said) in _heard.Values)
        {
            if (said.Voters.Count > 0)
            {
                return Join(said);
            }
        }

        return !initialNodes.IsEmpty && voters.Count == initialNodes.Length ? FormedCluster.Of(voters) : null;
    }

    private FormedCluster? Join(PeerMessage.Formation said)
    {
        var formed = FormedCluster.Of(said.Voters);
        if (formed.ControllerGroup != said.ControllerGroup)
        {
            // Not a cluster's first voters as this version derives them: nothing to believe.
            return null;
        }

        if (formed.Voters.Contains(self))
        {
            return formed;
        }

        if (initialNodes.IsEmpty)
        {
            // It joins later than that; whether it may is the controller's leader's to say. Who answers so may not know of the cluster's state yet.
            return null;
        }

        Refusal = $"Node {self.Node.Value}'s data folder is empty, but the cluster was formed with another folder of this node. "
            + "Bring the old folder back (is the volume mounted?); without it this node stays out. If it is lost, remove the node and add it as a new "
            + $"one: `raftmq node remove {self.Node.Value} --lost`, then `raftmq node add {self.Node.Value}`.";
        return null;
    }
}
