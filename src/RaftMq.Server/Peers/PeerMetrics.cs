using RaftMq.Server.Telemetry;

namespace RaftMq.Server.Peers;

internal enum PeerDrop
{
    Disconnected,
    QueueFull,
    ConnectionLost,
}

/// <summary>What goes between this node and the others.</summary>
internal sealed class PeerMetrics
{
    private readonly Counter[] _drops;
    private readonly Counter[] _sentFrames;

    public PeerMetrics(MetricRegistry registry)
    {
        _drops = registry.Counters(
            "raftmq_peer_frames_dropped_total", "Frames to other nodes that were not sent.", "reason",
            "disconnected", "queue_full", "connection_lost");
        _sentFrames = registry.Counters(
            "raftmq_peer_frames_sent_total", "Frames sent to other nodes.", "lane", "control", "append", "bulk");
        SentBytes = registry.Counter("raftmq_peer_sent_bytes_total", "Bytes sent to other nodes, frame headers included.");
        ReceivedFrames = registry.Counter("raftmq_peer_frames_received_total", "Frames received from other nodes.");
        ReceivedBytes = registry.Counter("raftmq_peer_received_bytes_total", "Bytes received from other nodes, frame headers included.");
        BadFrames = registry.Counter(
            "raftmq_peer_connections_refused_total", "Incoming connections that were closed: for what they sent (preamble, length, checksum), above the limit, or of a second process of a node.");
        Connections = registry.Gauge("raftmq_peer_connections", "Connections to other nodes on which this node can send.");
        Resets = registry.Counter("raftmq_peer_connection_resets_total", "Established connections to other nodes that broke.");
    }

    public Counter SentBytes { get; }

    public Counter ReceivedFrames { get; }

    public Counter ReceivedBytes { get; }

    public Counter BadFrames { get; }

    public Gauge Connections { get; }

    public Counter Resets { get; }

    public void Dropped(PeerDrop reason, int frames = 1) => _drops[(int)reason].Add(frames);

    public void SentFrame(int lane) => _sentFrames[lane].Increment();
}
