using RaftMq.Broker.Controller;
using RaftMq.Raft;
using RaftMq.Simulation.Checkers;
using RaftMq.Simulation.World;

namespace RaftMq.Simulation.Workloads;

/// <summary>All clients of a run.</summary>
internal sealed class Workload
{
    private const int ProducerIdsAtOnce = 8;

    /// <summary>A partition without much to do, so that its group goes quiet, in a cluster that has enough.</summary>
    private const int SeldomPartitionOneIn = 4;

    private const string SharedTopic = "shared";
    private const string SharedGroup = "members";

    private readonly ClientSide _clients;
    private readonly WorkloadProfile _profile;
    private readonly RandomSource _random;
    private readonly Administrator _administrator;
    private readonly NodeOperator _nodes;
    private readonly List<TopicKeeper> _topics = [];
    private readonly List<TopicRival> _rivals = [];
    private readonly List<WorkPartition> _partitions = [];

    private readonly Queue<long> _producerIds = [];
    private readonly Queue<Action<long>> _wantProducerId = [];
    private readonly List<FinalReader> _finalReaders = [];

    /// <summary>By topic: the producers and consumer groups that work on it, which find what is new.</summary>
    private readonly Dictionary<UInt128, (List<long> Producers, List<string> Groups)> _working = [];
    private readonly SharedPartitions _sharedOut = new();

    /// <summary>While one node stays unwell; else null.</summary>
    private OwedWithoutOne? _owed;
    private bool _isAskingForIds;
    private int _consumers;

    public Workload(ClientSide clients, WorkloadProfile profile, RandomSource random)
    {
        _clients = clients;
        _profile = profile;
        _random = random;
        _administrator = new Administrator(clients, random.Split());
        _nodes = new NodeOperator(clients, profile, random.Split());
    }

    private SimulationWorld World => _clients.World;

    public void Start()
    {
        for (int topic = 0; topic < _profile.Topics; topic++)
        {
            TopicKeeper keeper = new(_clients, _profile, _random.Split(), Opened);
            _topics.Add(keeper);
            keeper.Create();
        }

        new Disturber(_clients, _profile, _random.Split(), _partitions).Start();
        new Mover(_clients, _profile, _random.Split(), _partitions).Start();
        StartRivals();
        StartMembers();
        _nodes.Start();
    }

    private void StartMembers()
    {
        if (_profile.Members > 0)
        {
            World.History.Add(new HistoryEvent.GroupExpected(SharedGroup));
        }

        for (int i = 0; i < _profile.Members; i++)
        {
            new MemberClient(_clients, _random.Split(), SharedGroup, $"member-{i}", _sharedOut).Start();
        }
    }

    private void StartRivals()
    {
        if (_profile.RivalEveryUs == 0)
        {
            return;
        }

        World.History.Add(new HistoryEvent.TopicShared(SharedTopic));
        int rivals = _random.Next(2, 4);
        for (int i = 0; i < rivals; i++)
        {
            if (_profile.RivalsShareTopic)
            {
                TopicRival rival = new(_clients, _profile, _random.Split(), SharedTopic);
                _rivals.Add(rival);
                rival.Start();
            }

            new OffsetRival(_clients, _profile, _random.Split(), "shared", "any").Start();
        }
    }

    /// <summary>All faults are over but those of one node: what can be served without it is owed from here on.</summary>
    public void HealedButFor(SimulatedNode? unwell)
    {
        if (unwell is not null)
        {
            _clients.Unwell = unwell;
            _owed = new OwedWithoutOne(unwell, _clients.Nodes, _partitions);
            World.History.Add(new HistoryEvent.HealedButForOne(unwell.Id, World.NowUs));
            ServiceIsOwed();
        }
    }

    /// <summary>The end of that is near: it is told what was owed.</summary>
    public void UnwellNoMore()
    {
        if (_owed is not null)
        {
            WorkPartition[] owed = [.. _owed.Partitions()];
            World.Totals.OwedWithoutOne += owed.Length;
            World.Trace.Add(World.NowUs, TraceKind.Observed, $"owed without {_clients.Unwell!.Id}: {string.Join(' ', owed.Select(p => p.Name))}");
            World.History.Add(new HistoryEvent.UnwellNoMore([.. owed.Select(p => p.Group)]));
            (_owed, _clients.Unwell) = (null, null);
        }
    }

    /// <summary>All faults are over: service is owed from here on.</summary>
    public void Healed()
    {
        World.History.Add(new HistoryEvent.Healed(World.NowUs));
        ServiceIsOwed();
    }

    private void ServiceIsOwed()
    {
        _clients.HealedAtUs = World.NowUs;
        _clients.Network.LossOneIn = 0;
        _topics.ForEach(static topic => topic.Healed());
    }

    /// <summary>Long before the others end: who is given up without a word is so only after its session, by whoever coordinates the group by then.</summary>
    public void EndMembers()
    {
        _clients.MembersAreLeaving = true;
        if (_profile.Members > 0 && _sharedOut.SharedOut < _sharedOut.Count)
        {
            World.History.Violated(
                "group", $"'{SharedGroup}' has {_sharedOut.Count} partitions since before the faults were over, and its members shared out {_sharedOut.SharedOut}");
        }
    }

    /// <summary>Nothing new is begun.</summary>
    public void End()
    {
        _clients.IsEnding = true;
        _topics.ForEach(static topic => topic.End());
    }

    public void ReadEverything()
    {
        foreach (WorkPartition partition in _partitions.Where(p => !p.IsDeleted))
        {
            FinalReader reader = new(_clients, partition, _random.Split());
            _finalReaders.Add(reader);
            reader.Start();
        }
    }

    /// <summary>What each node knows of what many change, when all is over.</summary>
    public void TellShared() => _rivals.FirstOrDefault()?.TellEnd();

    /// <summary>Where each node believes the partitions to be, when all is over.</summary>
    public void TellPlacement()
    {
        _topics.ForEach(static topic => topic.TellEnd());
        foreach (SimulatedNode node in _clients.Nodes)
        {
            foreach (PartitionInfo info in node.Host?.Broker.Cluster.Topics.Values.SelectMany(t => t.Partitions) ?? [])
            {
                World.History.Add(new HistoryEvent.PlacedAtEnd(
                    node.Id, info.Group, info.Epoch, info.IsMoving, [.. info.Replicas.Select(r => r.Node)]));
            }
        }
    }

    /// <summary>What is not over of the nodes' coming and going; null when nothing is under way.</summary>
    public string? NodesUnderWay => _nodes.UnderWay;

    public bool HasReadAll => _finalReaders.TrueForAll(static reader => reader.IsDone);

    /// <summary>Those that could not be read to the end.</summary>
    public IEnumerable<string> Unread() =>
        _finalReaders.Where(r => !r.IsDone).Select(r => $"{r.Partition.Name} ({r.Partition.Group}): last answer {r.LastAnswer}");

    /// <param name="isGrown">Those who work on the topic's other partitions come to this one too, with their sequences and commits beginning anew.</param>
    private void Opened(WorkPartition partition, bool isGrown)
    {
        _partitions.Add(partition);
        WorkloadProfile profile = _random.OneIn(SeldomPartitionOneIn) ? _profile.Seldom(_random) : _profile;
        if (isGrown && _clients.HealedAtUs is null)
        {
            _sharedOut.Grow();
        }

        if (!_working.TryGetValue(partition.TopicId, out (List<long> Producers, List<string> Groups) working))
        {
            _working.Add(partition.TopicId, working = ([], []));
        }

        Queue<long> producers = new(isGrown ? working.Producers.Distinct() : []);
        for (int i = 0; i < profile.IdempotentProducersPerPartition; i++)
        {
            RandomSource random = _random.Split();
            if (producers.TryDequeue(out long known))
            {
                new ProducerClient(_clients, partition, profile, random, known).Start();
                continue;
            }

            WithProducerId(id =>
            {
                working.Producers.Add(id);
                new ProducerClient(_clients, partition, profile, random, id).Start();
            });
        }

        for (int i = 0; i < profile.PlainProducersPerPartition; i++)
        {
            new ProducerClient(_clients, partition, profile, _random.Split(), producer: -1).Start();
        }

        if (profile.AsksForEnds)
        {
            new EndAsker(_clients, partition, _random.Split()).Start();
        }

        for (int i = 0; i < profile.ConsumersPerPartition; i++)
        {
            string consumers = isGrown && i < working.Groups.Count ? working.Groups[i] : $"group-{_consumers++}";
            if (!isGrown)
            {
                working.Groups.Add(consumers);
            }

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
