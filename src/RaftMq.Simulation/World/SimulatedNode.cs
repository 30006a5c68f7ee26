using RaftMq.Broker.Cluster;
using RaftMq.Raft;
using RaftMq.Simulation.Checkers;
using RaftMq.Simulation.Coverage;
using RaftMq.Simulation.Disk;
using RaftMq.Simulation.Network;
using RaftMq.Storage.Files;

namespace RaftMq.Simulation.World;

internal enum CrashKind
{
    /// <summary>The process dies, the machine runs on: the disk's cache survives, and peers' connections are reset and refused.</summary>
    Process,

    /// <summary>The machine loses power: what was not synced is lost or torn, and peers hear nothing at all.</summary>
    Power,
}

/// <summary>
/// A machine with a node on it. Its life as a numbered list:
/// 1. off; 2. <see cref="Start"/>: recovery and the first tick; 3. running; 4. <see cref="Crash"/> (or its own stop): off again.
/// The disk, its faults and the clock stay when the process goes.
/// </summary>
internal sealed class SimulatedNode
{
    /// <summary>The product's shell calls the node this often.</summary>
    private const long TickUs = 10_000;

    /// <summary>Crashes until a folder is examined again: all of it is read.</summary>
    private const int FolderSeenEvery = 8;

    private readonly SimulationWorld _world;
    private readonly SimulatedNetwork _network;
    private readonly RandomSource _random;
    private readonly BrokerFactory _factory;
    private CrashKind _kindInDisk = CrashKind.Process;
    private int _lives;

    public SimulatedNode(SimulationWorld world, SimulatedNetwork network, NodeId id, BrokerFactory factory)
    {
        _world = world;
        _network = network;
        _factory = factory;
        Id = id;
        Pace = new DiskPace(world.Surroundings);
        _random = world.Random.Split();
        Clock = new SimulatedClock(world, _random.Next(-100, 101));
        Medium = new SimulatedDisk(_random.Split());
        Disk = new WatchedDisk(Medium, id, world.History);
    }

    public NodeId Id { get; }

    public SimulatedClock Clock { get; }

    public SimulatedDisk Medium { get; }

    /// <summary>What the node sees of <see cref="Medium"/>: the same, watched by the durability checker.</summary>
    public IDisk Disk { get; private set; }

    public DiskPace Pace { get; }

    public NodeLife? Life { get; private set; }

    public IBrokerHost? Host { get; private set; }

    public bool IsUp => Host is not null;

    /// <summary>The newest feature level that the program on this machine knows; the next start's, once another one is installed.</summary>
    public int FeatureMax { get; set; } = FeatureLevels.Max;

    /// <summary>A disk fault was injected: this node may stop itself because of it.</summary>
    public bool MayStop { get; set; }

    /// <summary>Its process is to run: it is started again after a crash.</summary>
    public bool IsWanted { get; set; } = true;

    /// <summary>Nobody can start it.</summary>
    public bool IsHeldDown { get; set; }

    /// <summary>The cluster may end this node: it was removed, or its volume was emptied.</summary>
    public bool MayBeRefused { get; set; }

    /// <summary>Not empty: a node with an empty disk joins the cluster of these.</summary>
    public IReadOnlyList<NodeId> Seeds { get; set; } = [];

    /// <summary>Called after each end of a life; says whether and when the node comes back.</summary>
    public Action<SimulatedNode>? Ended { get; set; }

    public void Start()
    {
        Invariant.Holds(Life is null);
        if (IsHeldDown)
        {
            return;
        }

        NodeLife life = new(_world, this, ++_lives, _random.Split(), _network);
        Life = life;
        _world.Trace.Add(_world.NowUs, TraceKind.NodeStarted, Id.Value, life.Number);
        SimulationWorld.RunInside(life, () =>
        {
            IBrokerHost host = _factory(this, life);
            try
            {
                host.Start();
            }
            catch (DiskFullException fault)
            {
                // The product's shell says so and ends; whoever supervises it starts it again.
                _world.Totals.StartsWithoutRoom++;
                End(CrashKind.Process, $"no room to start: {fault.Message}");
                return;
            }

            Host = host;
            host.Inspect(new StartVisitor(_world, host));
            _network.Up(life);
            ScheduleTick(life, host, _random.Next(0, (int)TickUs));
        });
    }

    /// <summary>Another node's volume is mounted where the own one belongs: the start must refuse, say why, and change nothing there.</summary>
    public void StartOnVolumeOf(SimulatedNode other)
    {
        Invariant.Holds(Life is null);
        SimulatedDisk foreign = other.Medium.Clone(_random.Split());
        long operations = foreign.Operations;
        IDisk own = Disk;
        Disk = foreign;
        NodeLife life = new(_world, this, ++_lives, _random.Split(), _network);
        string? wrong = $"{Id} started on the volume of {other.Id}";
        SimulationWorld.RunInside(life, () =>
        {
            try
            {
                _factory(this, life).Start();
            }
            catch (StoreRefusedException refused)
            {
                wrong = refused.Reason != StoreRefusal.OtherNode || !refused.Message.Contains("Start the node with its own folder", StringComparison.Ordinal)
                    ? $"{Id} refused the volume of {other.Id} for the wrong reason: {refused.Message}"
                    : foreign.Operations != operations ? $"{Id} changed the volume of {other.Id} before it refused it"
                    : null;
            }
            finally
            {
                Disk = own;
            }
        });
        life.End();
        if (wrong is not null)
        {
            _world.History.Violated("STOPPED", wrong);
        }
    }

    public void Crash(CrashKind kind)
    {
        if (Life is null)
        {
            return;
        }

        End(kind, kind.ToString());
    }

    /// <summary>The process will die in the n-th disk operation from now, in the middle of it.</summary>
    public void CrashInDisk(long operations, CrashKind kind)
    {
        _kindInDisk = kind;
        Medium.CrashAfter(operations);
    }

    /// <summary>As <see cref="CrashInDisk"/>, so many operations behind the next one of a kind (<see cref="CrashPoint"/>).</summary>
    public void CrashAtDiskWork(string point, int operationsLater, CrashKind kind, Action struck)
    {
        _kindInDisk = kind;
        Medium.CrashAtPoint(point, operationsLater, struck);
    }

    /// <summary>A crash that was set by <see cref="CrashInDisk"/> has struck.</summary>
    public void CrashedInDisk()
    {
        _world.Coverage.Hit(CoverageKind.CrashPoint, Medium.CrashedIn!);
        End(_kindInDisk, $"{_kindInDisk} in a disk operation");
    }

    /// <summary>The node ended itself. That is right when its disk failed and a bug otherwise.</summary>
    public void Stopped(string report, Exception cause)
    {
        if (Life is null)
        {
            return;
        }

        bool isDiskFault = MayStop && Causes(cause).Any(c => c is DiskFaultException);
        if (!isDiskFault)
        {
            _world.History.Violated("STOPPED", $"{Id} stopped without cause: {report}: {cause}");
        }

        _world.Totals.DiskStops++;
        End(CrashKind.Process, $"stopped: {report}");
    }

    /// <summary>
    /// All that the disk held is gone, synced or not. Only while the node is off. Whoever sets it up anew takes the newest program: an older one may not
    /// be able to join any more.
    /// </summary>
    public void LoseVolume()
    {
        Invariant.Holds(Life is null);
        Medium.Wipe();
        FeatureMax = _world.NewestFeatureLevel;
    }

    /// <summary>The cluster told the node to stay out: its process ends for good.</summary>
    private void Refused(string reason)
    {
        if (!MayBeRefused)
        {
            _world.History.Violated("membership", $"{Id} was refused without cause: {reason}");
        }

        IsWanted = false;
        End(CrashKind.Process, $"refused: {reason}");
    }

    private static IEnumerable<Exception> Causes(Exception? cause)
    {
        for (; cause is not null; cause = cause.InnerException)
        {
            yield return cause;
        }
    }

    private void End(CrashKind kind, string how)
    {
        Invariant.Holds(Life is not null);
        _world.Trace.Add(_world.NowUs, TraceKind.NodeEnded, $"{Id} {how}");
        NodeLife life = Life;
        Host?.AddTo(_world.Totals);
        life.End();
        // What it committed as leader, and told, was true.
        _world.LookNow?.Invoke();
        Life = null;
        Host = null;
        Medium.CancelCrash();
        Medium.DisarmAll();
        MayStop = false;
        Pace.EndStalls();
        if (kind == CrashKind.Power)
        {
            _world.Totals.PowerCuts++;
            Medium.PowerCut(_random.Split());
        }
        else
        {
            _world.Totals.Crashes++;
            Medium.ProcessCrash();
        }

        LookAtFolder();
        _network.Down(life, isSilent: kind == CrashKind.Power);
        Ended?.Invoke(this);
    }

    /// <summary>A crash, whenever it comes, leaves a folder that is whole but for ends that were on their way.</summary>
    private void LookAtFolder()
    {
        bool isTurn = (_world.Totals.Crashes + _world.Totals.PowerCuts) % FolderSeenEvery == 0;
        if (isTurn && this != _world.DamagedNode && FolderJudge.Fault(Medium) is { } imagined)
        {
            _world.History.Violated("DETECTED", $"{Id}: nothing was damaged, and after a crash {imagined}");
        }
    }

    private sealed class StartVisitor(SimulationWorld world, IBrokerHost host) : IReplicaVisitor
    {
        public void Visit(in ReplicaView replica)
        {
            if (host.Self is { } self)
            {
                world.History.Add(new HistoryEvent.ReplicaStarted(self, replica.Key, replica.Last, replica.Term));
            }
        }

        public void VisitDamaged(GroupId group, string report)
        {
            // Says nothing to anybody.
        }
    }

    private void ScheduleTick(NodeLife life, IBrokerHost host, long delayUs) =>
        _world.After(delayUs, life, () =>
        {
            ScheduleTick(life, host, TickUs + _random.Next(0, 200));
            host.Tick();
            if (Host == host && host.RefusedByCluster is { } reason)
            {
                Refused(reason);
            }
        });
}
