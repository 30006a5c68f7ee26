using RaftMq.Broker;
using RaftMq.Broker.Partitions;
using RaftMq.Raft;
using RaftMq.Simulation.Checkers;
using RaftMq.Simulation.World;

namespace RaftMq.Simulation.Workloads;

/// <summary>
/// Sends batches to one partition. With a producer id it is idempotent: it keeps a window of batches under way and sends each again, the
/// same bytes, until it is acknowledged. Without, it sends each batch once and leaves it at that when no answer comes.
/// </summary>
internal sealed class ProducerClient
{
    private readonly ClientSide _clients;
    private readonly WorkPartition _partition;
    private readonly WorkloadProfile _profile;
    private readonly RandomSource _random;
    private readonly BatchMaker _maker;
    private readonly long _producer;
    private readonly List<Flight> _flights = [];
    private int _nextSequence;
    private int _begun;

    public ProducerClient(
        ClientSide clients, WorkPartition partition, WorkloadProfile profile, RandomSource random, long producer)
    {
        _clients = clients;
        _partition = partition;
        _profile = profile;
        _random = random;
        _producer = producer;
        _maker = new BatchMaker(random.Split(), profile.LargeBatchOneIn, profile.TimeSpreadMs);
    }

    private SimulationWorld World => _clients.World;

    private bool IsIdempotent => _producer >= 0;

    public void Start() => World.After(_random.Next(1, _profile.SendEveryUs), Next);

    private void Next()
    {
        if (_partition.IsDeleted || _clients.IsEnding)
        {
            return;
        }

        // Producers come in bursts: most pauses are short, some are long.
        int pauseUs = _random.OneIn(4) ? 3 * _profile.SendEveryUs : (2 * _profile.SendEveryUs / 3);
        World.After(_random.Next(1, pauseUs + 1), Next);
        // As in Kafka's clients the window slides: what follows the oldest unanswered batch counts, answered or not.
        if (_flights.Count == 0 || _begun - _flights[0].Number < _profile.WindowBatches)
        {
            Begin();
        }
    }

    private void Begin()
    {
        Mark mark = World.History.Marks.Next();
        byte[] batch = _maker.Make(mark, _producer, _nextSequence, World.NowUs, out int count, out long timestampMs);
        World.History.Marks.Add(mark, batch);
        World.History.Add(new HistoryEvent.SendStarted(
            _partition.Group, mark, count, _producer, IsIdempotent ? _nextSequence : -1, timestampMs, batch.Length));
        World.Trace.Add(World.NowUs, TraceKind.Sent, $"{mark.Value} x{count} to {_partition.Name}, producer {_producer} sequence {_nextSequence}");
        _nextSequence += count;
        Flight flight = new(mark, batch, count, _begun++, World.NowUs);
        _flights.Add(flight);
        Send(flight);
    }

    private void Send(Flight flight)
    {
        int attempt = ++flight.Attempt;
        flight.WasOldestWhenSent = ReferenceEquals(_flights[0], flight);
        World.Totals.Sends++;
        (SimulatedNode node, _) = _clients.LeaderOf(_partition.Group, _random);
        World.Trace.Add(World.NowUs, TraceKind.Request, (long)flight.Mark.Value, attempt, node.Id.Value);
        _clients.Network.Call(
            node, (life, broker) => new ProduceCall(this, flight, attempt, life).Run(broker), () => Failed(flight, attempt));
        World.After(ClientSide.RequestTimeoutUs + _random.Next(200_000), () => Failed(flight, attempt));
    }

    private void Failed(Flight flight, int attempt)
    {
        if (flight.IsDone || attempt != flight.Attempt)
        {
            return;
        }

        if (!IsIdempotent || _partition.IsDeleted)
        {
            Finish(flight);
            return;
        }

        // Not the answer of this attempt any more, whatever comes.
        flight.Attempt++;
        World.After(_random.Next(5_000, 150_000), () =>
        {
            if (!flight.IsDone)
            {
                Send(flight);
            }
        });
    }

    private void Finish(Flight flight)
    {
        flight.IsDone = true;
        _flights.Remove(flight);
    }

    private void Answered(Flight flight, int attempt, in ProduceResult result)
    {
        if (flight.IsDone)
        {
            return;
        }

        switch (result.Outcome)
        {
            case ProduceOutcome.Stored:
                Finish(flight);
                _partition.KnownEnd = Math.Max(_partition.KnownEnd, result.BaseOffset + flight.Count);
                if (_clients.HealedAtUs <= flight.StartedAtUs)
                {
                    World.History.Add(new HistoryEvent.WrittenAfterHeal(_partition.Group, World.NowUs));
                }

                break;
            case ProduceOutcome.NotLeader:
            case ProduceOutcome.UnknownPartition:
            case ProduceOutcome.NotEnoughReplicas:
            case ProduceOutcome.NotEnoughReplicasAfterAppend:
            case ProduceOutcome.TimedOut:
            case ProduceOutcome.DiskFull:
            case ProduceOutcome.Stopping:
            case ProduceOutcome.OutOfOrderSequence when IsIdempotent && !flight.WasOldestWhenSent:
            case ProduceOutcome.TooLarge when flight.Batch.Length > _partition.MessageBytesMin:
                // Somebody wished it so for a while.
                Failed(flight, attempt);
                break;
            default:
                if (attempt == flight.Attempt && !_partition.IsDeleted)
                {
                    World.History.Violated(
                        "IDEMPOTENT",
                        $"a valid batch, {flight.Mark} of producer {_producer}, was refused for good by {_partition.Name}: "
                        + $"{result.Outcome} {result.Message}");
                }

                break;
        }
    }

    /// <summary>One attempt, inside the node. The request's bytes are overwritten as soon as the broker says that it has its copy.</summary>
    private sealed class ProduceCall(ProducerClient client, Flight flight, int attempt, NodeLife life) : IProduceCompletion
    {
        private const byte Poison = 0xDC;

        private readonly byte[] _bytes = [.. flight.Batch];

        public void Run(IBroker broker) => broker.Produce(new ProduceCommand
        {
            Group = client._partition.Group,
            Batch = _bytes,
            DeadlineMs = life.Clock.MonotonicMs + (ClientSide.RequestTimeoutUs / 1000),
            Completion = this,
        });

        public void Admitted(ProduceCommand command) => _bytes.AsSpan().Fill(Poison);

        public void Completed(ProduceCommand command, in ProduceResult result)
        {
            SimulationWorld world = client.World;
            ProduceResult answer = result;
            world.Trace.Add(world.NowUs, TraceKind.Answer, (long)flight.Mark.Value, (long)answer.Outcome, answer.BaseOffset);
            if (answer.Outcome == ProduceOutcome.Stored)
            {
                world.Totals.Acks++;
                world.Totals.RecordsAcked += flight.Count;
                if (flight.WasAcked)
                {
                    world.Totals.RetriedDuplicates++;
                }

                flight.WasAcked = true;
                if (!client._partition.IsDeleted)
                {
                    client._clients.TellMembers(life.Node, client._partition.Group);
                    world.History.Add(new HistoryEvent.SendAcked(
                        client._partition.Group, flight.Mark, flight.Count, answer.BaseOffset, life.Node.Id,
                        IsByLeader: life.Node.Host?.LeaderOf(client._partition.Group) is not null));
                }
            }

            client._clients.Network.Answer(() => client.Answered(flight, attempt, answer));
        }
    }
}
