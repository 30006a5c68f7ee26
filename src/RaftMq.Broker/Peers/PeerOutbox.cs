using RaftMq.Broker.Encoding;
using RaftMq.Broker.Environment;
using RaftMq.Raft;

namespace RaftMq.Broker.Peers;

/// <summary>
/// Collects what one section says to other nodes during a turn, so that a turn costs one frame per node and lane. Append messages
/// with entries go by the append lane, snapshots by the bulk lane, everything else by the control lane, which is sent first.
/// </summary>
internal sealed class PeerOutbox(PeerSender sender, IPeerTransport transport, long queueBytesMax)
{
    private const int Lanes = 3;

    /// <summary>A frame for control messages starts small: most turns send a few acks.</summary>
    private const int ControlFrameBytesMin = 1024;

    /// <summary>Room for the small appends of many groups in one frame.</summary>
    private const int AppendFrameBytesMin = 64 << 10;

    private readonly SortedDictionary<NodeId, PeerFrame?[]> _open = [];
    private readonly ByteWriter _scratch = new();

    public void Add(NodeId to, PeerMessage message)
    {
        PeerLane lane = LaneOf(message);
        if (lane != PeerLane.Control && transport.QueuedBytes(to) > queueBytesMax)
        {
            // The connection does not keep up. Dropping is allowed (consensus sends again); growing without bound is not.
            return;
        }

        if (!_open.TryGetValue(to, out PeerFrame?[]? frames))
        {
            _open.Add(to, frames = new PeerFrame?[Lanes]);
        }

        int bytes = PeerCodec.SizeBound(message);
        PeerFrame? frame = frames[(int)lane];
        if (frame is not null && frame.Free.Length < bytes)
        {
            Send(to, lane, frames);
            frame = null;
        }

        if (frame is null)
        {
            int size = lane == PeerLane.Control ? ControlFrameBytesMin : AppendFrameBytesMin;
            frame = transport.Rent(Math.Max(size, PeerCodec.FrameHeaderBytes + bytes));
            PeerCodec.WriteFrameHeader(frame, sender);
            frames[(int)lane] = frame;
        }

        PeerCodec.Write(frame, message, _scratch);
        if (frame.Length >= PeerFrame.BytesTarget)
        {
            Send(to, lane, frames);
        }
    }

    /// <summary>Sends what the turn has collected.</summary>
    public void Flush()
    {
        foreach ((NodeId node, PeerFrame?[] frames) in _open)
        {
            for (int lane = 0; lane < Lanes; lane++)
            {
                if (frames[lane] is not null)
                {
                    Send(node, (PeerLane)lane, frames);
                }
            }
        }
    }

    private void Send(NodeId to, PeerLane lane, PeerFrame?[] frames)
    {
        PeerFrame frame = frames[(int)lane]!;
        frames[(int)lane] = null;
        transport.Send(to, lane, frame);
    }

    private static PeerLane LaneOf(PeerMessage message) => message switch
    {
        PeerMessage.ForGroup { Message: AppendEntries { Entries.Count: > 0 } } => PeerLane.Append,
        PeerMessage.SnapshotChunk or PeerMessage.RepairEntries => PeerLane.Bulk,
        _ => PeerLane.Control,
    };
}
