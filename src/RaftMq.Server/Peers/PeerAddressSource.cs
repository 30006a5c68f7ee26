namespace RaftMq.Server.Peers;

/// <summary>Who says where a node can be dialled.</summary>
internal enum PeerAddressSource
{
    /// <summary><c>cluster.initial.nodes</c> of this node.</summary>
    Configured,

    /// <summary><c>cluster.seeds</c> of this node: it was found there.</summary>
    Seed,

    /// <summary>The cluster's own records: what the node said when it registered.</summary>
    Recorded,

    /// <summary>The node itself, dialling in.</summary>
    Said,
}
