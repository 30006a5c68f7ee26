using RaftMq.Broker.Controller;
using RaftMq.Raft;
using RaftMq.Simulation.Checkers;
using RaftMq.Simulation.World;

namespace RaftMq.Simulation.Workloads;

/// <summary>All clients of a run.</summary>
internal sealed class Workload
{
    private const int ProducerIdsAtOnce = 8;

    private readonly ClientSide _clients;
    private readonly WorkloadProfile _profile;
    private readonly RandomSource _random;
    private readonly Administrator _administrator;
    private readonly List<WorkPartition> _partitions = [];
    private readonly Queue<long> _producerIds = [];
    private readonly Queue<Action<long>> _wantProducerId = [];
    private readonly List<FinalReader> _finalReaders = [];
    private bool _isAskingForIds;
    private int _consumers;

    public Workload(ClientSide clients, WorkloadProfile profile, RandomSource random)
    {
        _clients = clients;
        _profile = profile;
        _random = random;
        _administrator = new Administrator(clients, random.Split());
    }

    private SimulationWorld World => _clients.World;

    public void Start()
    {
        for (int topic = 0; topic < _profile.Topics; topic++)
        {
            new TopicKeeper(_clients, _profile, _random.Split(), Opened).Create();
        }

        new Disturber(_clients, _profile, _random.Split(), _partitions).Start();
    }

    /// <summary>All faults are over: service is owed from here on.</summary>
    public void Healed()
    {
        _clients.HealedAtUs = World.NowUs;
        _clients.Network.LossOneIn = 0;
        World.History.Add(new HistoryEvent.Healed(World.NowUs));
    }

    /// <summary>Nothing new is begun.</summary>
    public void End() => _clients.IsEnding = true;

    public void ReadEverything()
    {
        foreach (WorkPartition partition in _partitions.Where(p => !p.IsDeleted))
        {
            FinalReader reader = new(_clients, partition, _random.Split());
            _finalReaders.Add(reader);
            reader.Start();
        }
    }

    /// <summary>Those that could not be read to the end.</summary>
    public IEnumerable<string> Unread() =>
        _finalReaders.Where(r => !r.IsDone).Select(r => $"{r.Partition.Name} ({r.Partition.Group}): last answer {r.LastAnswer}");

    private void Opened(WorkPartition partition)
    {
        _partitions.Add(partition);
        for (int i = 0; i < _profile.IdempotentProducersPerPartition; i++)
        {
            RandomSource random = _random.Split();
            WithProducerId(id => new ProducerClient(_clients, partition, _profile, random, id).Start());
        }

        for (int i = 0; i < _profile.PlainProducersPerPartition; i++)
        {
            new ProducerClient(_clients, partition, _profile, _random.Split(), producer: -1).Start();
        }

        for (int i = 0; i < _profile.ConsumersPerPartition; i++)
        {
            string consumers = $"group-{_consumers++}";
            OffsetCommitter? committer = i == 0 ? new(_clients, partition, _random.Split(), consumers) : null;
            new ConsumerClient(_clients, partition, _random.Split(), $"{consumers} of {partition.Name} ({partition.Group})", committer).Start();
        }
    }

    private void WithProducerId(Action<long> then)
    {
        if (_producerIds.TryDequeue(out long id))
        {
            then(id);
            return;
        }

        _wantProducerId.Enqueue(then);
        if (!_isAskingForIds)
        {
            _isAskingForIds = true;
            AskForIds();
        }
    }

    private void AskForIds() => _administrator.Ask(
        new AdminCommand.AllocateProducerIds(ProducerIdsAtOnce),
        result =>
        {
            if (result.Outcome == AdminOutcome.Done)
            {
                World.History.Add(new HistoryEvent.ProducerIdsGiven(result.Number, ProducerIdsAtOnce));
            }
        },
        result =>
        {
            if (result?.Outcome != AdminOutcome.Done)
            {
                World.After(_random.Next(20_000, 200_000), AskForIds);
                return;
            }

            _isAskingForIds = false;
            for (int i = 0; i < ProducerIdsAtOnce; i++)
            {
                _producerIds.Enqueue(result.Number + i);
            }

            Action<long>[] waiting = [.. _wantProducerId];
            _wantProducerId.Clear();
            foreach (Action<long> then in waiting)
            {
                WithProducerId(then);
            }
        });
}
