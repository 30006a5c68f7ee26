using RaftMq.Raft;

namespace RaftMq.Broker.Cluster;

/// <summary>Which other nodes were heard of lately, and which start of them (boot number) it was.</summary>
internal sealed class PeerLiveness
{
    /// <summary>As long as the shortest election time: silence for longer wakes quiet groups, so that they may elect.</summary>
    public const int SilentAfterMs = 600;

    private readonly SortedDictionary<NodeId, Peer> _peers = [];

    private sealed class Peer
    {
        public StoreId Store { get; set; }

        public BootNumber Boot { get; set; }

        public long HeardMs { get; set; }

        public bool Alive { get; set; }

        /// <summary>The connection broke, and no word came since.</summary>
        public bool Doubted { get; set; }
    }

    /// <summary>True when the node was silent before, or has started anew: groups shared with it must wake.</summary>
    public bool Heard(ReplicaId from, BootNumber boot, long nowMs)
    {
        NodeId node = from.Node;
        if (!_peers.TryGetValue(node, out Peer? peer))
        {
            _peers.Add(node, peer = new Peer());
        }

        if (peer.Store != from.Store)
        {
            // Another folder has taken the place of a removed one; its starts are counted anew.
            (peer.Store, peer.Boot, peer.Alive) = (from.Store, boot, false);
        }

        if (boot.Value < peer.Boot.Value)
        {
            // A frame of before its last crash was still on its way.
            return false;
        }

        bool news = !peer.Alive || peer.Doubted || boot != peer.Boot;
        (peer.Boot, peer.HeardMs, peer.Alive, peer.Doubted) = (boot, nowMs, true, false);
        return news;
    }

    /// <summary>
    /// The connection broke: the process may be gone. Until it is heard again it is not named to clients as a leader, because one that is told
    /// of a dead leader in the moment of its death looks again only after half a second (librdkafka). True when that is news.
    /// </summary>
    public bool Doubt(NodeId node)
    {
        if (!IsAlive(node))
        {
            return false;
        }

        _peers[node].Doubted = true;
        return true;
    }

    /// <summary>The connection was reset and refused: the process is gone. True when it was alive until now.</summary>
    public bool Lost(NodeId node)
    {
        if (!_peers.TryGetValue(node, out Peer? peer) || !peer.Alive)
        {
            return false;
        }

        peer.Alive = false;
        return true;
    }

    /// <summary>Adds the nodes that have fallen silent since the last call.</summary>
    public void FindSilent(long nowMs, List<NodeId> silent)
    {
        foreach ((NodeId node, Peer peer) in _peers)
        {
            if (peer.Alive && nowMs - peer.HeardMs > SilentAfterMs)
            {
                peer.Alive = false;
                silent.Add(node);
            }
        }
    }

    /// <summary>0 while it is alive.</summary>
    /// <param name="startMs">When this node started to listen: counts for a node that was never heard.</param>
    public long SilentForMs(NodeId node, long nowMs, long startMs) =>
        !_peers.TryGetValue(node, out Peer? peer) ? nowMs - startMs : peer.Alive ? 0 : nowMs - peer.HeardMs;

    /// <summary>A word came lately, be its connection broken since: a connection is made anew within a moment.</summary>
    public bool IsHeard(NodeId node) => _peers.TryGetValue(node, out Peer? peer) && peer.Alive;

    public bool IsAlive(NodeId node) => _peers.TryGetValue(node, out Peer? peer) && peer is { Alive: true, Doubted: false };
}
