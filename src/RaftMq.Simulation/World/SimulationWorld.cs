using RaftMq.Broker.Cluster;
using RaftMq.Broker.Space;
using RaftMq.Raft;
using RaftMq.Simulation.Checkers;
using RaftMq.Simulation.Coverage;
using RaftMq.Simulation.Disk;

namespace RaftMq.Simulation.World;

/// <summary>
/// Virtual time, the queue of what will happen, chance, and what is watched. One thread; nothing here knows the real clock. Code of a
/// node runs only inside events of one of its lives, so that an exception is always one node's end.
/// </summary>
internal sealed class SimulationWorld
{
    private readonly EventQueue _events = new();

    public SimulationWorld(ulong seed, TextWriter? traceLines)
    {
        Random = new RandomSource(seed);
        Trace = new Trace(traceLines);
        History = new History(this);
    }

    /// <summary>Virtual microseconds since the run began.</summary>
    public long NowUs { get; private set; }

    /// <summary>The root of all chance; every part takes its own by <see cref="RandomSource.Split"/> while the world is built.</summary>
    public RandomSource Random { get; }

    public Trace Trace { get; }

    public History History { get; }

    public Totals Totals { get; } = new();

    public RunCoverage Coverage { get; } = new();

    /// <summary>Set once there is somebody who looks.</summary>
    public Action? LookNow { get; set; }

    /// <summary>Set before the first node is made.</summary>
    public Surroundings Surroundings { get; set; } = Surroundings.Usual;

    /// <summary>What every node keeps free; set before the first one starts.</summary>
    public SpaceLimits Space { get; set; } = new() { FreeBytesMin = 0, FreeBytesLow = 0 };

    public long EventsRun { get; private set; }

    /// <summary>The latest time that any node's clock has shown.</summary>
    public long LatestUnixMs { get; set; }

    /// <summary>Of the newest program that somebody may install in this run.</summary>
    public int NewestFeatureLevel { get; set; } = FeatureLevels.Max;

    /// <summary>The one whose medium forgets what was durable there; null in most runs.</summary>
    public SimulatedNode? DamagedNode { get; set; }

    /// <summary>The one whose memory spoils what its replicas made of their logs; null in most runs.</summary>
    public SimulatedNode? SpoiltNode { get; set; }

    /// <summary>Of which a replica's state was spoilt there.</summary>
    public HashSet<GroupId> SpoiltGroups { get; } = [];

    /// <summary>Each node reads its files so often to find damage. What is not found by it for some seconds is found by who reads.</summary>
    public TimeSpan ScrubInterval { get; set; } = TimeSpan.FromSeconds(30);

    public void After(long delayUs, Action action) => After(delayUs, null, action);

    public void After(long delayUs, NodeLife? life, Action action)
    {
        Invariant.Holds(delayUs >= 0);
        _events.Add(NowUs + delayUs, life, action);
    }

    /// <summary>What goes on also while the process stands still, and ends with it: its disk's work.</summary>
    public void AfterAlsoPaused(long delayUs, NodeLife life, Action action) => After(delayUs, () =>
    {
        if (life.IsAlive)
        {
            RunInside(life, action);
        }
    });

    /// <summary>Runs until that instant or until a checker objects.</summary>
    public void RunUntil(long untilUs)
    {
        while (!History.IsViolated && _events.TryPeek(out long atUs) && atUs <= untilUs)
        {
            EventQueue.Scheduled next = _events.Take();
            NowUs = next.AtUs;
            if (next.Life is null)
            {
                EventsRun++;
                next.Action();
            }
            else if (next.Life is { IsAlive: true, IsPaused: true })
            {
                next.Life.WhenRunning(next.Action);
            }
            else if (next.Life.IsAlive)
            {
                EventsRun++;
                RunInside(next.Life, next.Action);
            }
        }

        NowUs = Math.Max(NowUs, untilUs);
    }

    /// <summary>Runs code of a node at this instant; whatever it throws ends this life of the node and nothing else.</summary>
    public static void RunInside(NodeLife life, Action action)
    {
        try
        {
            action();
        }
        catch (NodeStoppedException)
        {
            // Fatal has told the node already.
        }
        catch (SimulatedCrashException)
        {
            life.Node.CrashedInDisk();
        }
#pragma warning disable CA1031 // The top of the node: whatever escapes ends the process that it stands for.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            life.Node.Stopped("unhandled exception", fault);
        }
    }
}
