using RaftMq.Raft;

namespace RaftMq.Broker.Environment;

/// <summary>Frames of a lower lane are sent before frames of a higher one; within a lane in order. A frame is at most <see cref="PeerFrame.BytesMax"/> long.</summary>
public enum PeerLane
{
    Control = 0,
    Append = 1,
    Bulk = 2,
}

/// <summary>
/// Carries frames between nodes. Delivery is not promised: frames are lost when the connection breaks, and dropped when the queue to
/// that node is over its limit. A frame arrives whole or not at all; order is kept within a lane while the connection lasts.
/// </summary>
public interface IPeerTransport
{
    /// <summary>A frame to fill, of length zero and at least <paramref name="bytes"/> large; the transport owns it again after <see cref="Send"/>.</summary>
    PeerFrame Rent(int bytes);

    /// <summary>Takes the frame over. Returns at once.</summary>
    void Send(NodeId to, PeerLane lane, PeerFrame frame);

    /// <summary>
    /// Gives a received frame's buffer back. A receiver hands each frame over to the node (<c>BrokerNode.ReceivePeerFrame</c>), which
    /// owns it until then.
    /// </summary>
    void Return(PeerFrame frame);

    /// <summary>Where a node can be dialled, as another one told.</summary>
    void Learn(NodeId node, string host, int port);

    /// <summary>Bytes waiting to be sent to that node, all lanes.</summary>
    long QueuedBytes(NodeId to);
}

/// <summary>Bytes on their way to a node. <see cref="Buffer"/> belongs to the transport's pool.</summary>
public sealed class PeerFrame(byte[] buffer)
{
    /// <summary>Frames are cut at 1 MiB so that a large append never delays a heartbeat for long; one entry above that travels alone in a larger frame.</summary>
    public const int BytesTarget = 1 << 20;

    /// <summary>The largest entry (100 MiB) and its surroundings.</summary>
    public const int BytesMax = (100 << 20) + 4096;

    public byte[] Buffer { get; } = buffer;

    public int Length { get; set; }

    public Span<byte> Free => Buffer.AsSpan(Length);

    public ReadOnlyMemory<byte> Written => Buffer.AsMemory(0, Length);
}
