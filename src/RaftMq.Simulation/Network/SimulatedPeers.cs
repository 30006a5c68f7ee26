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
            network.LinkBetween(life.Node.Id, to).Send(lane, carried);
        }
        else
        {
            network.Frames.Return(carried);
        }
    }

    public void Return(PeerFrame frame) => network.Frames.Return(frame);

    public long QueuedBytes(NodeId to) => network.LinkBetween(life.Node.Id, to).QueuedBytes;
}
