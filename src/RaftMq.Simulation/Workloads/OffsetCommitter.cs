using RaftMq.Broker;
using RaftMq.Broker.Groups;
using RaftMq.Raft;
using RaftMq.Simulation.Checkers;
using RaftMq.Simulation.World;

namespace RaftMq.Simulation.Workloads;

/// <summary>Commits and fetches one consumer group's offset in one partition; one request at a time, offsets only grow.</summary>
internal sealed class OffsetCommitter(ClientSide clients, WorkPartition partition, RandomSource random, string consumers)
{
    private bool _isBusy;
    private long _lastTried = -1;
    private long _requests;

    private SimulationWorld World => clients.World;

    public void Commit(long offset)
    {
        if (_isBusy || offset <= _lastTried || CoordinatorNode() is not { } node)
        {
            return;
        }

        _isBusy = true;
        _lastTried = offset;
        Mark mark = World.History.Marks.Next();
        World.History.Add(new HistoryEvent.CommitStarted(consumers, partition.Group, offset, mark));
        OffsetCommitRequest request = new()
        {
            Group = new ConsumerGroupId(consumers),
            Generation = Generation.None,
            Member = MemberId.None,
            Offsets = [new OffsetToCommit(partition.Topic, partition.TopicId, partition.Number, offset, -1, mark.ToString())],
        };
        bool isOver = false;
        void Over()
        {
            if (!isOver)
            {
                isOver = true;
                _isBusy = false;
            }
        }

        Request(
            node,
            () => new Call((coordinator, nowMs) => coordinator.CommitOffsets(
                request, nowMs, new Reply<OffsetCommitResult>(result => Committed(result, offset, mark, Over))), Over, clients),
            Over);
    }

    /// <param name="fetched">Gets null when no answer came, -1 when there is nothing committed.</param>
    public void Fetch(Action<long?> fetched)
    {
        if (_isBusy || CoordinatorNode() is not { } node)
        {
            fetched(null);
            return;
        }

        _isBusy = true;
        long number = ++_requests;
        World.History.Add(new HistoryEvent.OffsetFetchStarted(consumers, partition.Group, number));
        OffsetFetchRequest request = new()
        {
            Group = new ConsumerGroupId(consumers),
            Offsets = [new OffsetToFetch(partition.Topic, partition.TopicId, partition.Number)],
        };
        bool isOver = false;
        void Over(long? offset)
        {
            if (!isOver)
            {
                isOver = true;
                _isBusy = false;
                fetched(offset);
            }
        }

        Request(
            node,
            () => new Call((coordinator, nowMs) => coordinator.FetchOffsets(
                request, nowMs, new Reply<OffsetFetchResult>(result => Fetched(result, number, Over))), () => Over(null), clients),
            () => Over(null));
    }

    private SimulatedNode? CoordinatorNode()
    {
        if (clients.AnyNode(random).Host?.Broker.Cluster.Topics.GetValueOrDefault(OffsetsTopic.Name) is not { } topic)
        {
            return null;
        }

        int number = CoordinatorPartition.Of(new ConsumerGroupId(consumers), topic.Partitions.Length);
        return clients.LeaderOf(topic.Partitions[number].Group, random).Node;
    }

    private void Request(SimulatedNode node, Func<Call> call, Action over)
    {
        clients.Network.Call(node, (_, broker) => broker.WithCoordinator(consumers, call()), over);
        World.After(ClientSide.RequestTimeoutUs, over);
    }

    private void Committed(OffsetCommitResult result, long offset, Mark mark, Action over)
    {
        World.Trace.Add(World.NowUs, TraceKind.Answer, (long)mark.Value, offset, result is OffsetCommitResult.Committed ? 1 : 0);
        if (result is OffsetCommitResult.Committed { Offsets: [OffsetCommitOutcome.Stored] })
        {
            World.Totals.OffsetCommits++;
            World.History.Add(new HistoryEvent.CommitAcked(consumers, partition.Group, offset, mark));
        }

        clients.Network.Answer(over);
    }

    private void Fetched(OffsetFetchResult result, long number, Action<long?> over)
    {
        if (result is not OffsetFetchResult.Fetched { Offsets: [FetchedOffset offset] })
        {
            clients.Network.Answer(() => over(null));
            return;
        }

        long committed = offset.Committed?.Offset ?? -1;
        World.Trace.Add(World.NowUs, TraceKind.Answer, number, committed);
        if (!partition.IsDeleted)
        {
            World.History.Add(new HistoryEvent.OffsetFetched(consumers, partition.Group, committed, number));
        }

        clients.Network.Answer(() => over(committed));
    }

    private sealed class Call(Action<GroupCoordinator, long> run, Action notHere, ClientSide clients) : ICoordinatorCall
    {
        public void Run(GroupCoordinator coordinator, long nowMs) => run(coordinator, nowMs);

        public void NotHere() => clients.Network.Answer(notHere);
    }

    private sealed class Reply<TResult>(Action<TResult> completed) : IReply<TResult>
    {
        public void Complete(TResult result) => completed(result);
    }
}
