using RaftMq.Broker.Groups;
using RaftMq.Raft;
using RaftMq.Simulation.Checkers;
using RaftMq.Simulation.World;

namespace RaftMq.Simulation.Workloads;

/// <summary>Commits and fetches one consumer group's offset in one partition; one request at a time, offsets only grow.</summary>
internal sealed class OffsetCommitter(ClientSide clients, WorkPartition partition, RandomSource random, string consumers)
{
    private readonly CoordinatorWay _way = new(clients, random, consumers);
    private bool _isBusy;
    private long _lastTried = -1;
    private long _requests;

    private SimulationWorld World => clients.World;

    public void Commit(long offset)
    {
        if (_isBusy || offset <= _lastTried || _way.Find() is not { } coordinator)
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

        _way.Request<OffsetCommitResult>(
            coordinator.Node, (there, nowMs, reply) => there.CommitOffsets(request, nowMs, reply),
            result => Committed(coordinator, result, offset, mark, Over), Over);
    }

    /// <param name="fetched">Gets null when no answer came, -1 when there is nothing committed.</param>
    public void Fetch(Action<long?> fetched)
    {
        if (_isBusy || _way.Find() is not { } coordinator)
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

        _way.Request<OffsetFetchResult>(
            coordinator.Node, (there, nowMs, reply) => there.FetchOffsets(request, nowMs, reply),
            result => Fetched(result, number, Over), () => Over(null));
    }

    private void Committed((SimulatedNode Node, GroupId Group) coordinator, OffsetCommitResult result, long offset, Mark mark, Action over)
    {
        World.Trace.Add(World.NowUs, TraceKind.Answer, (long)mark.Value, offset, result is OffsetCommitResult.Committed ? 1 : 0);
        if (result is OffsetCommitResult.Committed { Offsets: [OffsetCommitOutcome.Stored] })
        {
            World.Totals.OffsetCommits++;
            clients.TellMembers(coordinator.Node, coordinator.Group);
            World.History.Add(new HistoryEvent.CommitAcked(consumers, partition.Group, offset, mark, coordinator.Group));
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
}
