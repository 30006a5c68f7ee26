using RaftMq.Broker.Partitions;
using RaftMq.Raft;
using RaftMq.Simulation.Checkers;
using RaftMq.Simulation.World;

namespace RaftMq.Simulation.Workloads;

/// <summary>
/// Asks where a partition's log ends, as a consumer does that begins at the end, or one that wants to know its lag; and, now and then, where a time is
/// in it, as one does that begins yesterday.
/// </summary>
internal sealed class EndAsker(ClientSide clients, WorkPartition partition, RandomSource random)
{
    private SimulationWorld World => clients.World;

    public void Start() => World.After(random.Next(1, 500_000), Ask);

    private void Ask()
    {
        if (partition.IsDeleted || clients.IsEnding)
        {
            return;
        }

        (SimulatedNode node, int epoch) = clients.LeaderOf(partition.Group, random);
        int leaderEpoch = random.OneIn(2) ? epoch : -1;
        long request = World.Totals.EndsAsked++;
        World.History.Add(new HistoryEvent.EndAsked(partition.Group, request));
        clients.Network.Call(
            node,
            (life, broker) => broker.FindOffset(
                partition.Group, OffsetQuery.Latest, timestampMs: -1, leaderEpoch, result => Told(life, request, result)),
            () => { });
        if (random.OneIn(3))
        {
            AskForTime(node, leaderEpoch);
        }

        World.After(random.Next(10_000, 150_000), Ask);
    }

    private void AskForTime(SimulatedNode node, int leaderEpoch)
    {
        // Mostly of the last seconds; also before all, and of what is still to come; or the youngest, whatever it is.
        long backUs = random.OneIn(4) ? random.NextInt64(World.NowUs + 5_000_000) : random.Next(5_000_000);
        long timestampMs = BatchMaker.UnixMs(World.NowUs + 1_000_000 - backUs);
        bool forGreatest = random.OneIn(4);
        long request = World.Totals.TimesAsked++;
        World.History.Add(
            forGreatest ? new HistoryEvent.GreatestTimeAsked(partition.Group, request) : new HistoryEvent.TimeAsked(partition.Group, request, timestampMs));
        OffsetQuery query = forGreatest ? OffsetQuery.MaxTimestamp : OffsetQuery.AtTimestamp;
        clients.Network.Call(
            node,
            (life, broker) => broker.FindOffset(partition.Group, query, timestampMs, leaderEpoch, result =>
            {
                World.Trace.Add(World.NowUs, TraceKind.Answer, request, (long)result.Outcome, result.Offset);
                if (result.Outcome == ReadOutcome.Ok && !partition.IsDeleted)
                {
                    World.History.SeeLogStart(
                        partition.Group, life.Node.Id, life.Node.Host?.LogStartOf(partition.Group) ?? 0, World.LatestUnixMs);
                    World.History.Add(new HistoryEvent.TimeTold(partition.Group, life.Node.Id, request, result.Offset, result.TimestampMs));
                }
            }),
            () => { });
    }

    private void Told(NodeLife life, long request, OffsetResult result)
    {
        World.Trace.Add(World.NowUs, TraceKind.Answer, request, (long)result.Outcome, result.Offset);
        if (result.Outcome == ReadOutcome.Ok && !partition.IsDeleted)
        {
            clients.TellLeader(life.Node, partition.Group);
            World.History.Add(new HistoryEvent.EndTold(partition.Group, life.Node.Id, request, result.Offset));
        }
    }
}
