namespace RaftMq.Server.Peers;

/// <summary>Who says where a node can be dialled.</summary>
internal enum PeerAddressSource
{
    /// <summary><c>cluster.initial.nodes</c> of this node.</summary>
    Configured,

    /// <summary>The cluster's own records: what the node said when it registered.</summary>
    Recorded,

    /// <summary>The node itself, dialling in.</summary>
    Said,
}
