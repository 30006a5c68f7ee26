using RaftMq.Broker.Environment;
using RaftMq.Broker.Peers;
using RaftMq.Raft;

namespace RaftMq.Broker.Tests.Support;

/// <summary>A transport that keeps what was sent, in order.</summary>
internal sealed class SentMessages : IPeerTransport
{
    private readonly Queue<(NodeId To, PeerMessage Message)> _sent = new();

    /// <summary>What is said to be queued towards a node.</summary>
    public Dictionary<NodeId, long> Queued { get; } = [];

    public PeerFrame Rent(int bytes) => new(new byte[bytes]);

    public void Send(NodeId to, PeerLane lane, PeerFrame frame)
    {
        var messages = new List<PeerMessage>();
        Assert.True(PeerCodec.TryRead(frame.Written, out _, messages));
        foreach (PeerMessage message in messages)
        {
            _sent.Enqueue((to, message));
        }
    }

    public void Return(PeerFrame frame)
    {
    }

    public void Learn(NodeId node, string host, int port)
    {
    }

    public long QueuedBytes(NodeId to) => Queued.GetValueOrDefault(to);

    /// <summary>All that was sent since the last call.</summary>
    public (NodeId To, PeerMessage Message)[] Take()
    {
        (NodeId To, PeerMessage Message)[] sent = [.. _sent];
        _sent.Clear();
        return sent;
    }
}
