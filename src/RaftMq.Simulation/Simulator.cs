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
    /// <summary>Faults begin here; until then the topics come into being.</summary>
    private const long QuietStartUs = 1_500_000;

    /// <summary>Before the end: what is under way comes to its end, then everything is read.</summary>
    private const long EndingUs = 12_000_000;
    private const long ReadingUs = 7_000_000;

    /// <summary>The shortest run: quiet start, some faults, the 30 s that are owed afterwards.</summary>
    private const long DurationUsMin = 50_000_000;

    /// <summary>Everything below is as long as it is; what is left is the time of faults.</summary>
    private const long AfterHealUs = 31_000_000;

    /// <summary>
    /// Before the end members of consumer groups leave. Whom the coordinator took in without being able to tell them is given up after a session of 6 s, the
    /// others are waited for 2 s more, and both begin anew where the coordinator changes: all of it is written before replicas are compared.
    /// </summary>
    private const long MembersLeaveUs = 20_000_000;

    /// <summary>So long after the healing each group has had its leader for some time.</summary>
    private const long CalmAfterUs = 6_000_000;

    /// <summary>With the time until the end, enough for a replica to leave its group and to come back.</summary>
    private const long MadeAnewUs = 2_000_000;

    /// <summary>A group of which all members died or stood still at the end of the faults has so much longer until its members leave.</summary>
    private const long LongerWithMembersUs = 10_000_000;

    private const long InspectEveryUs = 50_000;

    /// <summary>
    /// At the end a leadership may have just gone back to where it belongs, which is an entry: replicas have so much longer to become equal, looked at
    /// each second. And a run in which one node stayed unwell is longer, with more to read.
    /// </summary>
    private const long SettlingUs = 5_000_000;

    public static SimulationResult Run(SimulationOptions options) => Run(options, ProductNode.Factories);

    internal static SimulationResult Run(SimulationOptions options, NodeFactories factories)
    {
        long started = Stopwatch.GetTimestamp();
        long durationUs = Math.Max(DurationUsMin, (long)options.VirtualDuration.TotalMicroseconds);
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

        WorkloadProfile load = WorkloadProfile.Draw(world.Random.Split(), count);
        if (load.Members > 0)
        {
            durationUs += LongerWithMembersUs;
        }

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

        ClientNetwork clientNetwork = new(world, world.Random.Split()) { LossOneIn = load.AnswerLossOneIn };
        Workload workload = new(new ClientSide(world, nodes, clientNetwork), load, world.Random.Split());
        FaultProfile faultProfile = FaultProfile.Draw(world.Random.Split(), onMedium, inMemory) with { GroupsInAll = load.GroupsInAll };
        FaultDriver faults = new(world, network, nodes, faultProfile, world.Random.Split());
        world.Trace.Add(0, TraceKind.Fault, faultProfile.ToString());
        world.Trace.Add(0, TraceKind.Request, load.ToString());
        world.Trace.Add(0, TraceKind.Request, $"{world.Surroundings}, {world.Space}");

        if (faultProfile.OneLasts)
        {
            durationUs += LastingFault.LengthUs;
        }

        ReplicaInspector inspector = new(world, nodes);
        world.LookNow = inspector.LookAtLeaders;
        foreach (SimulatedNode node in nodes.Take(count))
        {
            world.After(world.Random.Next(0, 300_000), node.Start);
        }

        world.After(100_000, workload.Start);
        world.After(QuietStartUs, faults.Start);
        long healedAtUs = durationUs - AfterHealUs - (load.Members > 0 ? LongerWithMembersUs : 0);
        if (faultProfile.OneLasts)
        {
            world.After(healedAtUs - LastingFault.LengthUs, () => workload.HealedButFor(faults.HealAllButOne()));
        }

        world.After(healedAtUs, () =>
        {
            workload.UnwellNoMore();
            faults.Heal();
            workload.Healed();
        });
        world.After(durationUs - AfterHealUs + CalmAfterUs, () => world.History.Add(new HistoryEvent.CalmBegan()));
        world.After(durationUs - EndingUs - MadeAnewUs, () => world.History.Add(new HistoryEvent.CalmEnded()));
        world.After(durationUs - MembersLeaveUs, workload.EndMembers);
        world.After(durationUs - EndingUs, workload.End);
        world.After(durationUs - ReadingUs, workload.ReadEverything);
        inspector.Every(InspectEveryUs);
        world.RunUntil(durationUs);
        for (long us = 1_000_000; us <= SettlingUs && !world.History.IsViolated && !(inspector.IsSettled && workload.HasReadAll); us += 1_000_000)
        {
            world.RunUntil(durationUs + us);
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
