using RaftMq.Broker.Environment;
using RaftMq.Raft;
using RaftMq.Simulation.Network;
using RaftMq.Simulation.World;

namespace RaftMq.Simulation.Tests.World;

/// <summary>Three machines with mute brokers, all started.</summary>
internal sealed class SmallWorld
{
    public SmallWorld()
    {
        NodeId[] ids = [new(0), new(1), new(2)];
        World = new SimulationWorld(1, traceLines: null);
        Network = new SimulatedNetwork(World, World.Random.Split());
        Network.Connect(ids);
        Nodes = [.. ids.Select(id => new SimulatedNode(World, Network, id, (_, environment) => new MuteBroker(environment)))];
        foreach (SimulatedNode node in Nodes)
        {
            node.Start();
        }
    }

    public SimulationWorld World { get; }

    public SimulatedNetwork Network { get; }

    public SimulatedNode[] Nodes { get; }

    public MuteBroker Broker(int node) => (MuteBroker)Nodes[node].Host!;

    public void Send(int from, int to, PeerLane lane, params byte[] bytes)
    {
        IPeerTransport peers = Broker(from).Environment.Peers;
        PeerFrame frame = peers.Rent(bytes.Length);
        bytes.CopyTo(frame.Buffer, 0);
        frame.Length = bytes.Length;
        peers.Send(new NodeId(to), lane, frame);
    }

    public void RunFor(long us) => World.RunUntil(World.NowUs + us);
}
