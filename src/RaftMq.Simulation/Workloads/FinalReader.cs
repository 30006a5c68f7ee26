using RaftMq.Broker.Partitions;
using RaftMq.Raft;
using RaftMq.Simulation.Checkers;

namespace RaftMq.Simulation.Workloads;

/// <summary>Reads a whole partition when all is over, from its log start to its high watermark.</summary>
internal sealed class FinalReader(ClientSide clients, WorkPartition partition, RandomSource random)
{
    private const int BytesMax = 1 << 20;

    private readonly List<SeenBatch> _batches = [];
    private long _logStart = -1;
    private long _next;

    public WorkPartition Partition => partition;

    public bool IsDone { get; private set; }

    public string LastAnswer { get; private set; } = "nothing";

    public void Start() => PartitionReader.Read(clients, partition, random, _next, BytesMax, Answered);

    private void Answered(ReadAnswer? answer)
    {
        LastAnswer = answer is null
            ? $"no answer at {_next}"
            : $"{answer.Outcome} at {_next} ({answer.LogStart}..{answer.HighWatermark})";
        switch (answer)
        {
            case { Outcome: ReadOutcome.OffsetOutOfRange } when _next < answer.LogStart:
                // It also moves while this reads: what was read before counts no more.
                Restart(answer.LogStart);
                break;
            case { Outcome: ReadOutcome.Ok }:
                if (_logStart != answer.LogStart && _next != answer.LogStart)
                {
                    Restart(answer.LogStart);
                    break;
                }

                _logStart = answer.LogStart;
                _batches.AddRange(answer.Batches);
                _next = _batches.Count > 0 ? _batches[^1].NextOffset : _next;
                if (answer.Batches.Count == 0 && _next == answer.HighWatermark)
                {
                    IsDone = true;
                    clients.World.History.Add(new HistoryEvent.LogRead(partition.Group, _logStart, answer.HighWatermark, _batches));
                    return;
                }

                break;
        }

        clients.World.After(answer is { Outcome: ReadOutcome.Ok } ? 100 : random.Next(5_000, 50_000), Start);
    }

    private void Restart(long logStart)
    {
        _batches.Clear();
        _logStart = logStart;
        _next = logStart;
    }
}
