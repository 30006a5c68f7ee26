using RaftMq.Broker.Controller;
using RaftMq.Raft;
using RaftMq.Simulation.Checkers;
using RaftMq.Simulation.World;

namespace RaftMq.Simulation.Workloads;

/// <summary>
/// Keeps one topic in being: creates it, tells the clients of its partitions, and, if the run is so, deletes it some time later and
/// creates one of the same name, which must know nothing of the former. If the run is so, the topic grows meanwhile: what of it is new
/// the clients find out as they do, by asking some node.
/// </summary>
internal sealed class TopicKeeper
{
    /// <summary>A topic grows no further, so that a node has as many groups as its journal stands.</summary>
    private const int PartitionsMax = 5;
    private const int FindEveryUs = 500_000;

    private readonly ClientSide _clients;
    private readonly WorkloadProfile _profile;
    private readonly RandomSource _random;
    private readonly Administrator _administrator;
    private readonly Action<WorkPartition, bool> _opened;
    private readonly string _name;
    private readonly Mark _mark;
    private readonly int _minInSync;
    private readonly HashSet<UInt128> _ids = [];
    private readonly SettingsChanger _settings;
    private UInt128 _lastId;

    /// <summary>So many partitions the cluster said that the present topic has.</summary>
    private int _told;

    /// <param name="opened">Clients may begin; true: they had to find it, as the topic grew.</param>
    public TopicKeeper(
        ClientSide clients, WorkloadProfile profile, RandomSource random, Action<WorkPartition, bool> opened)
    {
        _clients = clients;
        _profile = profile;
        _random = random;
        _administrator = new Administrator(clients, random.Split());
        _opened = opened;
        _mark = clients.World.History.Marks.Next();
        _name = _mark.ToString();
        bool isStrict = profile.StrictTopicOneIn > 0 && random.OneIn(profile.StrictTopicOneIn);
        _minInSync = isStrict ? (profile.ReplicationFactor / 2) + 2 : 1;
        _settings = new SettingsChanger(clients, profile, random.Split(), _name, _minInSync);
    }

    public List<WorkPartition> Partitions { get; } = [];

    public bool IsOpen { get; private set; }

    private SimulationWorld World => _clients.World;

    /// <summary>The faults are over.</summary>
    public void Healed() => _settings.Healed();

    /// <summary>Nothing new is begun.</summary>
    public void End() => _settings.End();

    public void Create()
    {
        if (_clients.IsEnding)
        {
            return;
        }

        _administrator.Ask(
            new AdminCommand.CreateTopic(
                _name, _profile.PartitionsPerTopic, _profile.ReplicationFactor, [], _settings.Initial, ValidateOnly: false),
            result =>
            {
                if (result.Outcome == AdminOutcome.Done)
                {
                    World.History.Add(new HistoryEvent.ChangeAcked($"topic {_name}", _mark, _clients.MembersOfController()));
                }
            },
            result =>
            {
                if (result?.Outcome is AdminOutcome.Done or AdminOutcome.TopicExists)
                {
                    World.After(1_000, Open);
                }
                else
                {
                    World.After(_random.Next(50_000, 400_000), Create);
                }
            });
    }

    /// <summary>Waits until some node tells of the topic's new incarnation; one that was cut off for long may still tell of any former one.</summary>
    private void Open()
    {
        if (_clients.AnyNode(_random).Host?.Broker.Cluster.Topics.GetValueOrDefault(_name) is not { } topic || !_ids.Add(topic.Id))
        {
            World.After(_random.Next(10_000, 100_000), Open);
            return;
        }

        _lastId = topic.Id;
        IsOpen = true;
        _told = 0;
        Partitions.Clear();
        foreach (PartitionInfo info in topic.Partitions)
        {
            Add(topic.Id, info);
        }

        _settings.Begin([.. Partitions]);
        Partitions.ForEach(partition => _opened(partition, false));
        if (_profile.GrowTopicEveryUs > 0)
        {
            UInt128 id = topic.Id;
            World.After(_random.Next(1, 2 * _profile.GrowTopicEveryUs), () => Grow(id));
            World.After(_random.Next(FindEveryUs), () => FindNew(id));
        }

        if (_profile.RecreateTopicEveryUs > 0)
        {
            World.After(_random.Next(_profile.RecreateTopicEveryUs / 2, 2 * _profile.RecreateTopicEveryUs), Delete);
        }
    }

    private void Add(UInt128 id, PartitionInfo info)
    {
        WorkPartition partition = new(_name, id, info.Number, info.Group);
        Partitions.Add(partition);
        World.Trace.Add(World.NowUs, TraceKind.Observed, $"partition {partition.Name} is {info.Group} on {string.Join(',', info.Replicas)}");
        World.History.Add(new HistoryEvent.PartitionCreated(
            info.Group, partition.Name, [.. info.Replicas.Select(r => r.Node)], _minInSync, World.NowUs));
    }

    private bool IsStill(UInt128 id) => IsOpen && id == _lastId && !_clients.IsEnding;

    /// <summary>Not once the faults are over: there are to be as many partitions then as are looked at.</summary>
    private void Grow(UInt128 id)
    {
        if (!IsStill(id) || _clients.HealedAtUs is not null || Partitions.Count >= PartitionsMax)
        {
            return;
        }

        int count = Math.Min(PartitionsMax, Partitions.Count + _random.Next(1, 3));
        World.Trace.Add(World.NowUs, TraceKind.Request, $"{_name} is to have {count} partitions");
        _administrator.Ask(
            new AdminCommand.AddPartitions(_name, count, [], ValidateOnly: false),
            result =>
            {
                if (result.Outcome == AdminOutcome.Done && IsStill(id))
                {
                    World.Totals.TopicsGrown++;
                    _told = Math.Max(_told, count);
                }
            },
            _ => World.After(_random.Next(1, 2 * _profile.GrowTopicEveryUs), () => Grow(id)));
    }

    /// <summary>As a client asks for metadata again and again. The node that is asked may be behind, or cut off.</summary>
    private void FindNew(UInt128 id)
    {
        if (!IsStill(id))
        {
            return;
        }

        if (_clients.AnyNode(_random).Host?.Broker.Cluster.Topics.GetValueOrDefault(_name) is { } topic && topic.Id == id)
        {
            foreach (PartitionInfo info in topic.Partitions.Skip(Partitions.Count).ToArray())
            {
                Add(id, info);
                _settings.Grown(Partitions[^1]);
                _opened(Partitions[^1], true);
            }
        }

        World.After(_random.Next(1, 2 * FindEveryUs), () => FindNew(id));
    }

    /// <summary>When all is over each node knows of the partitions that were said to be there.</summary>
    public void TellEnd()
    {
        foreach (SimulatedNode node in _clients.Nodes.Where(static node => node.IsWanted))
        {
            if (IsOpen && node.Host?.Broker.Cluster.Topics.GetValueOrDefault(_name) is { } topic && topic.Id == _lastId && topic.Partitions.Length < _told)
            {
                World.History.Violated("DURABLE", $"{node.Id}: {_name} has {topic.Partitions.Length} partitions, and was said to have {_told}");
            }
        }
    }

    private void Delete()
    {
        // Not once the faults are over: what is promised then is about partitions that stay.
        if (_clients.HealedAtUs is not null || _clients.IsEnding)
        {
            return;
        }

        IsOpen = false;
        foreach (WorkPartition partition in Partitions.Where(p => !p.IsDeleted))
        {
            partition.IsDeleted = true;
            World.History.Add(new HistoryEvent.PartitionDeleted(partition.Group));
        }

        World.History.Add(new HistoryEvent.UnfoundDeleted(_name, Partitions.Count, PartitionsMax));
        AskToDelete();
    }

    private void AskToDelete() => _administrator.Ask(
        new AdminCommand.DeleteTopic(_name, _lastId),
        observed: null,
        result =>
        {
            if (result?.Outcome is AdminOutcome.Done or AdminOutcome.UnknownTopic)
            {
                World.Totals.TopicsDeleted++;
                World.After(_random.Next(10_000, 500_000), Create);
            }
            else
            {
                World.After(_random.Next(50_000, 400_000), AskToDelete);
            }
        });
}
