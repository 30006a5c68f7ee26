using System.Diagnostics;
using RaftMq.Raft;
using RaftMq.Simulation.Checkers;
using RaftMq.Simulation.Faults;
using RaftMq.Simulation.Network;
using RaftMq.Simulation.Workloads;
using RaftMq.Simulation.World;

namespace RaftMq.Simulation;

/// <summary>Runs a whole cluster with clients and faults in one thread and virtual time; everything comes from one seed.</summary>
public static class Simulator
{
    /// <summary>Faults begin here; until then the topics come into being.</summary>
    private const long QuietStartUs = 1_500_000;

    /// <summary>Before the end: what is under way comes to its end, then everything is read.</summary>
    private const long EndingUs = 12_000_000;
    private const long ReadingUs = 7_000_000;

    /// <summary>The shortest run: quiet start, some faults, the 30 s that are owed afterwards.</summary>
    private const long DurationUsMin = 50_000_000;

    /// <summary>Everything below is as long as it is; what is left is the time of faults.</summary>
    private const long AfterHealUs = 31_000_000;

    private const long InspectEveryUs = 50_000;


    public static SimulationResult Run(SimulationOptions options) => Run(options, ProductNode.Factories);

    internal static SimulationResult Run(SimulationOptions options, NodeFactories factories)
    {
        long started = Stopwatch.GetTimestamp();
        long durationUs = Math.Max(DurationUsMin, (long)options.VirtualDuration.TotalMicroseconds);
        SimulationWorld world = new(options.Seed, options.Trace);
        int count = options.Nodes ?? (world.Random.OneIn(3) ? 5 : world.Random.Next(3, 5));
        NodeId[] ids = [.. Enumerable.Range(0, count).Select(n => new NodeId(n))];
        SimulatedNetwork network = new(world, world.Random.Split());
        network.Connect(ids);
        network.Tap = factories.Tap(world);
        world.Journal = options.Journal ?? DrawJournal(world.Random.Split());
        BrokerFactory factory = factories.Broker(world, ids);
        SimulatedNode[] nodes = [.. ids.Select(id => new SimulatedNode(world, network, id, factory))];
        world.History.Add(new HistoryEvent.ClusterFormed(ids));

        WorkloadProfile load = WorkloadProfile.Draw(world.Random.Split(), count);
        ClientNetwork clientNetwork = new(world, world.Random.Split()) { LossOneIn = load.AnswerLossOneIn };
        Workload workload = new(new ClientSide(world, nodes, clientNetwork), load, world.Random.Split());
        FaultProfile faultProfile = FaultProfile.Draw(world.Random.Split());
        FaultDriver faults = new(world, network, nodes, faultProfile, world.Random.Split());
        world.Trace.Add(0, TraceKind.Fault, faultProfile.ToString());
        world.Trace.Add(0, TraceKind.Request, load.ToString());
        world.Trace.Add(0, TraceKind.Request, $"journal {world.Journal}");

        ReplicaInspector inspector = new(world, nodes);
        foreach (SimulatedNode node in nodes)
        {
            world.After(world.Random.Next(0, 300_000), node.Start);
        }

        world.After(100_000, workload.Start);
        world.After(QuietStartUs, faults.Start);
        world.After(durationUs - AfterHealUs, () =>
        {
            faults.Heal();
            workload.Healed();
        });
        world.After(durationUs - EndingUs, workload.End);
        world.After(durationUs - ReadingUs, workload.ReadEverything);
        inspector.Every(InspectEveryUs);
        world.RunUntil(durationUs);
        ulong hash = world.Trace.Hash;
        Finish(world, workload, inspector);
        if (world.History.IsViolated)
        {
            inspector.Describe();
        }

        foreach (SimulatedNode node in nodes)
        {
            node.Host?.AddTo(world.Totals);
        }

        world.Totals.VirtualUs = world.NowUs;
        world.Totals.Events = world.EventsRun;
        return new SimulationResult(
            options.Seed, options.Commit, count, hash, world.Totals, world.History.Violation,
            Stopwatch.GetElapsedTime(started));
    }

    /// <summary>Mostly the usual one, in which everything else goes deepest.</summary>
    private static JournalSize DrawJournal(RandomSource random) =>
        random.OneIn(6) ? JournalSize.Tiny : random.OneIn(5) ? JournalSize.Small : JournalSize.Usual;

    private static void Finish(SimulationWorld world, Workload workload, ReplicaInspector inspector)
    {
        if (world.History.IsViolated)
        {
            return;
        }

        if (workload.Unread().FirstOrDefault() is { } unread)
        {
            world.History.Violated("liveness", $"could not be read at the end: {unread}");
        }

        inspector.AtEnd();
        world.History.Add(new HistoryEvent.Ended(world.NowUs));
        world.Totals.LeaderChanges = world.History.LeaderChanges;
    }
}
