using RaftMq.Broker.Partitions;
using RaftMq.Raft;
using RaftMq.Simulation.Checkers;

namespace RaftMq.Simulation.Tests.Checkers;

/// <summary>A history told by hand: one partition on nodes 0 to 2. <see cref="Objection"/> is the checker's first word.</summary>
internal sealed class Story
{
    public static readonly GroupId Group = new(7);
    public static readonly NodeId N0 = new(0);
    public static readonly NodeId N1 = new(1);
    public static readonly NodeId N2 = new(2);

    private readonly PromiseChecker _checker;

    public Story(PromiseChecker checker, int minInSync = 1)
    {
        _checker = checker;
        Tell(new HistoryEvent.ClusterFormed([N0, N1, N2]));
        Tell(new HistoryEvent.PartitionCreated(Group, "t/0", [N0, N1, N2], minInSync));
    }

    public string? Objection { get; private set; }

    public static Mark M(int number) => new((ulong)number);

    public static SeenBatch Batch(int mark, long offset, int count = 1, bool isIntact = true) =>
        new(M(mark), offset, count, isIntact);

    public Story Tell(HistoryEvent happened)
    {
        Objection ??= _checker.Observe(happened);
        return this;
    }

    public Story Sent(int mark, int count = 1, long producer = -1, int sequence = -1) =>
        Tell(new HistoryEvent.SendStarted(Group, M(mark), count, producer, sequence));

    public Story Durable(int mark, long offset, params NodeId[] nodes)
    {
        foreach (NodeId node in nodes)
        {
            Tell(new HistoryEvent.MarkDurable(node, M(mark), offset));
        }

        return this;
    }

    public Story Acked(int mark, long offset, int count = 1) =>
        Tell(new HistoryEvent.SendAcked(Group, M(mark), count, offset, N0));

    /// <summary>Sent, durable on a majority, acknowledged: all as it should be.</summary>
    public Story Stored(int mark, long offset, int count = 1, long producer = -1, int sequence = -1) =>
        Sent(mark, count, producer, sequence).Durable(mark, offset, N0, N1).Acked(mark, offset, count);

    public Story Read(long from, long highWatermark, params SeenBatch[] batches) =>
        Tell(new HistoryEvent.BatchesRead(Group, N1, from, ReadOutcome.Ok, highWatermark, 0, batches));

    public Story OutOfRange(long from, long highWatermark) =>
        Tell(new HistoryEvent.BatchesRead(Group, N1, from, ReadOutcome.OffsetOutOfRange, highWatermark, 0, []));

    public Story Whole(long logStart, long highWatermark, params SeenBatch[] batches) =>
        Tell(new HistoryEvent.LogRead(Group, logStart, highWatermark, batches));

    public Story Commit(long offset) => Tell(new HistoryEvent.CommitStarted("c", Group, offset, M(1000 + (int)offset)));

    public Story CommitAcked(long offset) => Tell(new HistoryEvent.CommitAcked("c", Group, offset, M(1000 + (int)offset), Group));

    public Story Fetch(long request) => Tell(new HistoryEvent.OffsetFetchStarted("c", Group, request));

    public Story Fetched(long offset, long request) => Tell(new HistoryEvent.OffsetFetched("c", Group, offset, request));
}
