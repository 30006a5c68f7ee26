using RaftMq.Broker.Environment;
using RaftMq.Raft;
using RaftMq.Simulation.World;

namespace RaftMq.Simulation.Network;

/// <summary>One life's way to its peers.</summary>
internal sealed class SimulatedPeers(NodeLife life, SimulatedNetwork network) : IPeerTransport
{
    public PeerFrame Rent(int bytes) => network.Frames.Rent(bytes);

    public void Send(NodeId to, PeerLane lane, PeerFrame frame)
    {
        Invariant.Holds(to != life.Node.Id);
        Invariant.Holds(frame.Length <= PeerFrame.BytesMax);
        PeerFrame carried = network.Frames.Carry(frame);
        if (life.IsAlive)
        {
            network.Tap?.Invoke(life, to, carried);
            network.Leaving?.Invoke(life.Node.Id, to, carried);
            network.LinkBetween(life.Node.Id, to).Send(lane, carried);
        }
        else
        {
            network.Frames.Return(carried);
        }
    }

    public void Return(PeerFrame frame) => network.Frames.Return(frame);

    /// <summary>The network knows where everybody is.</summary>
    public void Learn(NodeId node, string host, int port)
    {
    }

    public long QueuedBytes(NodeId to) => network.LinkBetween(life.Node.Id, to).QueuedBytes;
}
