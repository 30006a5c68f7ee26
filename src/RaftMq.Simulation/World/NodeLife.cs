using RaftMq.Broker.Environment;
using RaftMq.Raft;
using RaftMq.Simulation.Network;
using RaftMq.Storage.Files;

namespace RaftMq.Simulation.World;

/// <summary>One life of a node's process, from start to crash: the environment that it sees. Nothing of it reaches the next life.</summary>
internal sealed class NodeLife : INodeEnvironment
{
    private readonly SimulationWorld _world;
    private readonly RandomSource _random;

    public NodeLife(SimulationWorld world, SimulatedNode node, int number, RandomSource random, SimulatedNetwork network)
    {
        _world = world;
        _random = random;
        Node = node;
        Number = number;
        Random = random.Split();
        Peers = new SimulatedPeers(this, network);
    }

    public SimulatedNode Node { get; }

    /// <summary>1 for the first.</summary>
    public int Number { get; }

    public bool IsAlive { get; private set; } = true;

    public IClock Clock => Node.Clock;

    public RandomSource Random { get; }

    public IPeerTransport Peers { get; }

    public IDisk Disk => Node.Disk;

    public ISection CreateSection(string name, ISectionOwner owner) =>
        new SimulatedSection(this, _world, _random.Split(), owner);

    public IDiskQueue CreateDiskQueue(ISection section) =>
        new SimulatedDiskQueue(this, _world, _random.Split(), Node.Disk, Node.Pace, section);

    public void Fatal(string report, Exception cause)
    {
        Node.Stopped(report, cause);
        throw new NodeStoppedException(report, cause);
    }

    public void Report(NodeEvent nodeEvent) =>
        _world.Trace.Add(_world.NowUs, TraceKind.NodeReport, $"{Node.Id} {nodeEvent.Level} {nodeEvent.Name}: {nodeEvent.Text}");

    public void End() => IsAlive = false;
}
