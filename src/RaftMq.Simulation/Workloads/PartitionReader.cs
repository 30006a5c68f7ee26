using RaftMq.Broker.Partitions;
using RaftMq.Raft;
using RaftMq.Simulation.Checkers;
using RaftMq.Simulation.World;

namespace RaftMq.Simulation.Workloads;

/// <summary>One read of one partition through the client network; what the node answers goes to the history as it leaves.</summary>
internal static class PartitionReader
{
    /// <param name="answered">Null: no answer came, or the process was not there.</param>
    public static void Read(
        ClientSide clients, WorkPartition partition, RandomSource random, long offset, int bytesMax, Action<ReadAnswer?> answered)
    {
        (SimulatedNode node, int epoch) = clients.LeaderOf(partition.Group, random);
        bool isOver = false;
        void Once(ReadAnswer? answer)
        {
            if (!isOver)
            {
                isOver = true;
                answered(answer);
            }
        }

        int leaderEpoch = random.OneIn(2) ? epoch : -1;
        clients.Network.Call(
            node,
            (life, broker) => broker.Read(new ReadCommand
            {
                Group = partition.Group,
                Offset = offset,
                BytesMax = bytesMax,
                LeaderEpoch = leaderEpoch,
                Completion = new ReadCall(clients, partition, life, Once),
            }),
            () => Once(null));
        clients.World.After(ClientSide.RequestTimeoutUs, () => Once(null));
    }

    private sealed class ReadCall(ClientSide clients, WorkPartition partition, NodeLife life, Action<ReadAnswer?> answered) : IReadCompletion
    {
        public void Completed(ReadCommand command, in ReadResult result)
        {
            SimulationWorld world = clients.World;
            List<SeenBatch> batches =
                result.Outcome == ReadOutcome.Ok ? BatchesSeen.In(result.Batches, world.History.Marks) : [];
            ReadAnswer answer = new(result.Outcome, batches, result.HighWatermark, result.LogStartOffset);
            world.Totals.Reads++;
            world.Trace.Add(world.NowUs, TraceKind.Answer, command.Offset, (long)result.Outcome, batches.Count);
            if (!partition.IsDeleted)
            {
                clients.TellMembers(life.Node, partition.Group);
                world.History.SeeLogStart(partition.Group, life.Node.Id, result.LogStartOffset, world.LatestUnixMs);
                world.History.Add(new HistoryEvent.BatchesRead(
                    partition.Group, life.Node.Id, command.Offset, result.Outcome, result.HighWatermark, result.LogStartOffset, batches));
            }

            clients.Network.Answer(() => answered(answer));
        }
    }
}

internal sealed record ReadAnswer(
    ReadOutcome Outcome, IReadOnlyList<SeenBatch> Batches, long HighWatermark, long LogStart);
