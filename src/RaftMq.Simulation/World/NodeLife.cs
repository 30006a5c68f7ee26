using RaftMq.Broker.Environment;
using RaftMq.Raft;
using RaftMq.Simulation.Checkers;
using RaftMq.Simulation.Network;
using RaftMq.Storage.Files;

namespace RaftMq.Simulation.World;

/// <summary>One life of a node's process, from start to crash: the environment that it sees. Nothing of it reaches the next life.</summary>
internal sealed class NodeLife : INodeEnvironment
{
    private readonly SimulationWorld _world;
    private readonly RandomSource _random;
    private readonly List<(Action Run, Action? Dropped)> _whenRunning = [];

    public NodeLife(SimulationWorld world, SimulatedNode node, int number, RandomSource random, SimulatedNetwork network)
    {
        _world = world;
        _random = random;
        Node = node;
        Number = number;
        Random = random.Split();
        Peers = new SimulatedPeers(this, network);
        Disk = new LatentErrorDisk(node.Disk, block => Report(NodeEvent.Of(block)));
    }

    public SimulatedNode Node { get; }

    /// <summary>1 for the first.</summary>
    public int Number { get; }

    public bool IsAlive { get; private set; } = true;

    /// <summary>The process stands still (stopped, in a long collection of garbage, on a machine that is moved): nothing of it runs.</summary>
    public bool IsPaused { get; private set; }

    public IClock Clock => Node.Clock;

    public RandomSource Random { get; }

    public IPeerTransport Peers { get; }

    public IDisk Disk { get; }

    public ISection CreateSection(string name, ISectionOwner owner) =>
        new SimulatedSection(this, _world, _random.Split(), owner);

    public IDiskQueue CreateDiskQueue(ISection section) =>
        new SimulatedDiskQueue(this, _world, _random.Split(), Disk, Node.Pace, section);

    public void Fatal(string report, Exception cause)
    {
        Node.Stopped(report, cause);
        throw new NodeStoppedException(report, cause);
    }

    public void Report(NodeEvent nodeEvent)
    {
        _world.Trace.Add(_world.NowUs, TraceKind.NodeReport, $"{Node.Id} {nodeEvent.Level} {nodeEvent.Name}: {nodeEvent.Text}");
        if (nodeEvent.Kind is NodeEventKind.StateDiverged or NodeEventKind.StatesDiffer or NodeEventKind.StateRebuilt)
        {
            string name = (string)nodeEvent.Facts.Single(static fact => fact.Name == "group").Value;
            _world.History.Add(nodeEvent.Kind switch
            {
                NodeEventKind.StateDiverged => new HistoryEvent.DivergenceTold(Node.Id, name),
                NodeEventKind.StatesDiffer => new HistoryEvent.UndecidedTold(Node.Id, name),
                _ => new HistoryEvent.StateRebuiltTold(Node.Id, name),
            });
        }
    }

    public void Pause()
    {
        Invariant.Holds(IsAlive);
        IsPaused = true;
    }

    /// <summary>Other threads are inside the sections until then: what comes waits, and is done in one turn.</summary>
    public long BusyUntilUs { get; private set; }

    /// <summary>
    /// What should have run meanwhile runs now, in its order, a moment apart: a burst that the process works off in several turns, or, where much of it is
    /// read before anybody gets to work, in one.
    /// </summary>
    public void Resume()
    {
        IsPaused = false;
        BusyUntilUs = _random.OneIn(2) ? _world.NowUs + _random.Next(1, 30_000) : 0;
        long delayUs = 0;
        foreach ((Action run, _) in _whenRunning)
        {
            delayUs += _random.OneIn(3) ? _random.Next(1, 200) : 0;
            _world.After(delayUs, this, run);
        }

        _whenRunning.Clear();
    }

    /// <summary>Keeps what comes to a process that stands still.</summary>
    /// <param name="dropped">When it ends before it goes on.</param>
    public void WhenRunning(Action run, Action? dropped = null) => _whenRunning.Add((run, dropped));

    public void End()
    {
        IsAlive = false;
        foreach ((_, Action? dropped) in _whenRunning)
        {
            dropped?.Invoke();
        }

        _whenRunning.Clear();
    }
}
