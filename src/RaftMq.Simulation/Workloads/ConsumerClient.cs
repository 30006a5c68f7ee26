using RaftMq.Broker.Partitions;
using RaftMq.Raft;
using RaftMq.Simulation.Checkers;
using RaftMq.Simulation.World;

namespace RaftMq.Simulation.Workloads;

/// <summary>
/// Follows one partition from its start, waiting at the end for news, and now and then reads again what it or others have read. With a
/// group it commits how far it got; after a pause it forgets its position and goes on from the committed one, as a restarted process.
/// </summary>
internal sealed class ConsumerClient(
    ClientSide clients, WorkPartition partition, RandomSource random, string name, OffsetCommitter? committer)
{
    private static readonly int[] BytesMaxChoices = [1, 1024, 64 * 1024, 1024 * 1024];

    private long _position;

    private SimulationWorld World => clients.World;

    public void Start()
    {
        World.History.Add(new HistoryEvent.ConsumerExpected(name, partition.Group));
        World.After(random.Next(1, 500_000), Poll);
    }

    private void Poll()
    {
        // When the others stop it goes on: what was sent last must be readable too.
        if (partition.IsDeleted)
        {
            return;
        }

        if (committer is not null && random.OneIn(40))
        {
            committer.Fetch(Restarted);
            return;
        }

        // Also above the end, as one that was told of records by somebody else.
        bool readsAhead = random.OneIn(60);
        bool readsAgain = !readsAhead && _position > 0 && random.OneIn(6);
        long offset = readsAhead ? _position + random.Next(1, 200) : readsAgain ? random.NextInt64(_position) : _position;
        int bytesMax = BytesMaxChoices[random.Next(BytesMaxChoices.Length)];
        PartitionReader.Read(clients, partition, random, offset, bytesMax, answer => Answered(answer, isFollowing: !readsAgain && !readsAhead));
    }

    private void Restarted(long? committed)
    {
        if (committed is { } offset)
        {
            // A log start above it is found out by reading.
            _position = Math.Max(0, offset);
        }

        World.After(random.Next(1_000, 50_000), Poll);
    }

    private void Answered(ReadAnswer? answer, bool isFollowing)
    {
        int pauseUs = random.Next(1_000, 20_000);
        switch (answer)
        {
            case { Outcome: ReadOutcome.Ok } when isFollowing:
                if (answer.Batches.Count > 0)
                {
                    _position = Math.Max(_position, answer.Batches[^1].NextOffset);
                    Moved();
                    CommitSometimes();
                }
                else
                {
                    if (_position == answer.HighWatermark)
                    {
                        Moved();
                    }

                    pauseUs = random.Next(20_000, 300_000);
                }

                break;
            case { Outcome: ReadOutcome.OffsetOutOfRange } when _position < answer.LogStart:
                _position = answer.LogStart;
                break;
            case null or { Outcome: not ReadOutcome.Ok }:
                pauseUs = random.Next(10_000, 200_000);
                break;
        }

        World.After(pauseUs, Poll);
    }

    private void Moved() => World.History.Add(new HistoryEvent.ConsumerMoved(name, World.NowUs));

    private void CommitSometimes()
    {
        if (committer is not null && !clients.IsEnding && random.OneIn(3))
        {
            committer.Commit(_position);
        }
    }
}
