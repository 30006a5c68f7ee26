using System.Diagnostics;
using RaftMq.Broker.Space;
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
    private const long InspectEveryUs = 50_000;

    public static SimulationResult Run(SimulationOptions options) => Run(options, ProductNode.Factories);

    internal static SimulationResult Run(SimulationOptions options, NodeFactories factories)
    {
        long started = Stopwatch.GetTimestamp();
        SimulationWorld world = new(options.Seed, options.Trace);
#if PLANTED
        Probe.Observer = branch => world.Coverage.Hit(Coverage.CoverageKind.RareBranch, branch.ToString());
#endif
        world.Surroundings = Surroundings.Draw(world.Random.Split(), options.Journal);
        int count = options.Nodes ?? DrawNodes(world.Random);
        NodeId[] ids = [.. Enumerable.Range(0, count).Select(n => new NodeId(n))];
        SimulatedNetwork network = new(world, world.Random.Split());
        NodeId[] machines = [.. ids, .. Enumerable.Range(count, world.Random.Next(1, 3)).Select(n => new NodeId(n))];
        network.Connect(machines);
        network.Tap = factories.Tap(world);
        world.Space = DrawSpace(world.Random.Split());
        BrokerFactory factory = factories.Broker(world, ids);
        SimulatedNode[] nodes = [.. machines.Select(id => new SimulatedNode(world, network, id, factory))];
        foreach (SimulatedNode late in nodes.Skip(count))
        {
            // A machine without a life until an operator adds it.
            late.IsWanted = false;
        }

        world.History.Add(new HistoryEvent.ClusterFormed(ids));

        (WorkloadProfile load, FaultProfile faultProfile) = DrawProfiles(world, nodes, count);
        Timeline times = Timeline.Of(options.VirtualDuration, load, faultProfile);
        ClientNetwork clientNetwork = new(world, world.Random.Split()) { LossOneIn = load.AnswerLossOneIn };
        Workload workload = new(new ClientSide(world, nodes, clientNetwork), load, world.Random.Split());
        FaultDriver faults = new(world, network, nodes, faultProfile, world.Random.Split());
        world.Trace.Add(0, TraceKind.Fault, faultProfile.ToString());
        world.Trace.Add(0, TraceKind.Request, load.ToString());
        world.Trace.Add(0, TraceKind.Request, $"{world.Surroundings}, {world.Space}");

        ReplicaInspector inspector = new(world, nodes);
        world.LookNow = inspector.LookAtLeaders;
        foreach (SimulatedNode node in nodes.Take(count))
        {
            world.After(world.Random.Next(0, 300_000), node.Start);
        }

        Plan(world, times, workload, faults);
        inspector.Every(InspectEveryUs);
        world.RunUntil(times.EndUs);
        for (long us = 1_000_000; us <= Timeline.SettlingUs && !world.History.IsViolated && !(inspector.IsSettled && workload.HasReadAll); us += 1_000_000)
        {
            world.RunUntil(times.EndUs + us);
        }

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

#if PLANTED
        Probe.Observer = null;
#endif
        foreach ((string limit, (long used, long max)) in world.History.LargestUses)
        {
            world.Totals.SawUse(limit, 100 * used / max);
        }

        world.Totals.VirtualUs = world.NowUs;
        world.Totals.Events = world.EventsRun;
        return new SimulationResult(
            options.Seed, options.Commit, count, hash, world.Totals, world.Coverage, world.History.Violation,
            Stopwatch.GetElapsedTime(started));
    }

    /// <summary>What clients ask for and which faults there are. A medium that forgets, and a memory that spoils states, are one node's each, and have runs of their own.</summary>
    private static (WorkloadProfile Load, FaultProfile Faults) DrawProfiles(SimulationWorld world, SimulatedNode[] nodes, int count)
    {
        WorkloadProfile load = WorkloadProfile.Draw(world.Random.Split(), count);
        bool onMedium = world.Random.OneIn(3);
        if (onMedium)
        {
            // Where replicas stay where they are, it is known that the others have what one disk forgets.
            load = load with { MoveEveryUs = 0, ChangeNodesEveryUs = 0 };
            if (world.Random.OneIn(2))
            {
                // Where no group comes late, more of the journal may be struck.
                load = load with { RivalEveryUs = 0 };
            }

            world.DamagedNode = nodes[world.Random.Next(count)];
            world.ScrubInterval = TimeSpan.FromSeconds(world.Random.Next(2, 13));
        }

        bool inMemory = !onMedium && world.Random.OneIn(4);
        if (inMemory)
        {
            // Made anew by a movement of its own, of a group that no other one and no lost node leaves with fewer.
            load = load with { MoveEveryUs = 0, ChangeNodesEveryUs = 0 };
            world.SpoiltNode = nodes[world.Random.Next(count)];
        }

        FaultProfile faults = FaultProfile.Draw(world.Random.Split(), onMedium, inMemory) with { GroupsInAll = load.GroupsInAll };

        // One entry at a time, who missed so much would take longer than a run has left to make up for it.
        return (load, faults with { OneLasts = faults.OneLasts && world.Surroundings.AppendBytesMax > 1 });
    }

    private static void Plan(SimulationWorld world, Timeline times, Workload workload, FaultDriver faults)
    {
        world.After(Timeline.ClientsStartUs, workload.Start);
        world.After(Timeline.FaultsStartUs, faults.Start);
        if (times.HealedButForOneUs is { } healedButForOneUs)
        {
            world.After(healedButForOneUs, () => workload.HealedButFor(faults.HealAllButOne()));
        }

        world.After(times.HealedUs, () =>
        {
            workload.UnwellNoMore();
            faults.Heal();
            workload.Healed();
        });
        world.After(times.CalmFromUs, () => world.History.Add(new HistoryEvent.CalmBegan()));
        world.After(times.CalmToUs, () => world.History.Add(new HistoryEvent.CalmEnded()));
        world.After(times.MembersLeaveUs, workload.EndMembers);
        world.After(times.ClientsEndUs, workload.End);
        world.After(times.ReadingUs, workload.ReadEverything);
    }

    private static int DrawNodes(RandomSource random) => random.OneIn(12) ? 7 : random.OneIn(3) ? 5 : random.Next(3, 5);

    /// <summary>Mostly some room is kept, and some is held in reserve: less than in life by as much as the journals are smaller.</summary>
    private static SpaceLimits DrawSpace(RandomSource random)
    {
        long min = random.OneIn(4) ? 0 : 1L << random.Next(15, 20);
        return new SpaceLimits
        {
            FreeBytesMin = min,
            FreeBytesLow = 2 * min,
            ReserveBytes = random.OneIn(4) ? 0 : 1L << random.Next(15, 20),
            GrowthBytesMax = Math.Max(64 << 10, min / 4),
        };
    }

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

        if (workload.NodesUnderWay is { } underWay)
        {
            world.History.Violated("liveness", $"not over at the end: {underWay}");
            return;
        }

        inspector.AtEnd();
        workload.TellPlacement();
        workload.TellShared();
        world.History.Add(new HistoryEvent.Ended(world.NowUs));
        world.Totals.LeaderChanges = world.History.LeaderChanges;
    }
}
