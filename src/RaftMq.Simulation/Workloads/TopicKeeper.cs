using RaftMq.Broker.Controller;
using RaftMq.Raft;
using RaftMq.Simulation.Checkers;
using RaftMq.Simulation.World;

namespace RaftMq.Simulation.Workloads;

/// <summary>
/// Keeps one topic in being: creates it, tells the clients of its partitions, and, if the run is so, deletes it some time later and
/// creates one of the same name, which must know nothing of the former.
/// </summary>
internal sealed class TopicKeeper
{
    private readonly ClientSide _clients;
    private readonly WorkloadProfile _profile;
    private readonly RandomSource _random;
    private readonly Administrator _administrator;
    private readonly Action<WorkPartition> _opened;
    private readonly string _name;
    private readonly Mark _mark;
    private readonly int _minInSync;
    private readonly HashSet<UInt128> _ids = [];
    private readonly SettingsChanger _settings;
    private UInt128 _lastId;

    public TopicKeeper(
        ClientSide clients, WorkloadProfile profile, RandomSource random, Action<WorkPartition> opened)
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
        Partitions.Clear();
        foreach (PartitionInfo info in topic.Partitions)
        {
            WorkPartition partition = new(_name, topic.Id, info.Number, info.Group);
            Partitions.Add(partition);
            World.Trace.Add(World.NowUs, TraceKind.Observed, $"partition {partition.Name} is {info.Group} on {string.Join(',', info.Replicas)}");
            World.History.Add(new HistoryEvent.PartitionCreated(
                info.Group, partition.Name, [.. info.Replicas.Select(r => r.Node)], _minInSync, World.NowUs));
        }

        _settings.Begin([.. Partitions]);
        Partitions.ForEach(_opened);

        if (_profile.RecreateTopicEveryUs > 0)
        {
            World.After(_random.Next(_profile.RecreateTopicEveryUs / 2, 2 * _profile.RecreateTopicEveryUs), Delete);
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
