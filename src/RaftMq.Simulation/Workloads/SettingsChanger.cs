using System.Collections.Immutable;
using System.Globalization;
using RaftMq.Broker.Controller;
using RaftMq.Raft;
using RaftMq.Simulation.Checkers;
using RaftMq.Simulation.World;

namespace RaftMq.Simulation.Workloads;

/// <summary>
/// Changes one topic's settings while all runs: what its log keeps by time and by size, how long its segments are, how large a batch may be, how
/// many replicas an ack asks for. When the faults are over no batch is too large any more, and before the run ends nothing goes any more: what is
/// compared then must stand still.
/// </summary>
internal sealed class SettingsChanger
{
    private const string SegmentBytes = "segment.bytes";
    private const string RetentionMs = "retention.ms";
    private const string RetentionBytes = "retention.bytes";
    public const string MinInSync = "min.insync.replicas";

    private const int CheckEveryUs = 1_000_000;

    private static readonly ImmutableSortedDictionary<string, string?> AtEnd = ImmutableSortedDictionary<string, string?>.Empty
        .Add(RetentionMs, "-1").Add(RetentionBytes, null).Add(TopicConfigs.MaxMessageBytes, null);

    private readonly ClientSide _clients;
    private readonly WorkloadProfile _profile;
    private readonly RandomSource _random;
    private readonly Administrator _administrator;
    private readonly string _topic;
    private readonly int _minInSync;

    /// <summary>What is or may be in force: all that was asked of the topic, and of former ones of its name without an answer until now.</summary>
    private readonly List<Asked> _asked = [];
    private List<WorkPartition> _partitions = [];

    /// <param name="minInSync">No fewer are ever asked for than this.</param>
    public SettingsChanger(ClientSide clients, WorkloadProfile profile, RandomSource random, string topic, int minInSync)
    {
        _clients = clients;
        _profile = profile;
        _random = random;
        _administrator = new Administrator(clients, random.Split());
        _topic = topic;
        _minInSync = minInSync;
    }

    /// <summary>The settings that the topic is made with: segments as small as may be, so that they roll often.</summary>
    public ImmutableSortedDictionary<string, string> Initial
    {
        get
        {
            ImmutableSortedDictionary<string, string> configs = ImmutableSortedDictionary<string, string>.Empty.Add(SegmentBytes, "16384");
            return _minInSync > 1 ? configs.Add(MinInSync, Text(_minInSync)) : configs;
        }
    }

    private SimulationWorld World => _clients.World;

    /// <summary>
    /// The topic is there, with these partitions. It lives on until one of them is deleted. What was asked for by the topic's name, and comes to a node only now,
    /// is meant for this one as far as that node can know.
    /// </summary>
    public void Begin(List<WorkPartition> partitions)
    {
        _partitions = partitions;
        _asked.RemoveAll(static asked => asked.IsAnswered);
        foreach (WorkPartition partition in partitions)
        {
            Tell(partition);
        }

        Note(new Asked { KeepMs = 7L * 24 * 60 * 60 * 1000, SegmentBytes = 16 << 10, IsAnswered = true });
        if (_profile.ChangeSettingsEveryUs > 0)
        {
            Later();
        }

        if (_clients.HealedAtUs is not null)
        {
            Healed();
        }

        if (_clients.IsEnding)
        {
            End();
        }
    }

    /// <summary>One more partition of the topic: all that was asked for may be in force there.</summary>
    public void Grown(WorkPartition partition)
    {
        _partitions.Add(partition);
        Tell(partition);
    }

    private void Tell(WorkPartition partition) => _asked.ForEach(asked => Tell(partition, asked));

    /// <summary>Nothing is too large any more: whatever waits for that goes on.</summary>
    public void Healed() => AskAgain(Serving(ImmutableSortedDictionary<string, string?>.Empty));

    /// <summary>Nothing goes any more.</summary>
    public void End() => AskAgain(AtEnd);

    private void AskAgain(ImmutableSortedDictionary<string, string?> changes)
    {
        if (_profile.ChangeSettingsEveryUs > 0 && !IsOver(_partitions))
        {
            Ask(changes, () => Check(changes));
        }
    }

    /// <summary>With what nobody has to wait for, also while one node is unwell.</summary>
    private ImmutableSortedDictionary<string, string?> Serving(ImmutableSortedDictionary<string, string?> changes)
    {
        ImmutableSortedDictionary<string, string?> serving = changes.SetItem(TopicConfigs.MaxMessageBytes, null);
        return _clients.Unwell is null ? serving : serving.SetItem(MinInSync, Text(_minInSync));
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private bool IsOver(IReadOnlyList<WorkPartition> partitions) => partitions != _partitions || partitions.Any(p => p.IsDeleted);

    private void Later()
    {
        IReadOnlyList<WorkPartition> partitions = _partitions;
        World.After(_random.Next(1, 2 * _profile.ChangeSettingsEveryUs), () =>
        {
            if (!IsOver(partitions))
            {
                Change();
            }
        });
    }

    private void Change()
    {
        if (!_clients.IsEnding)
        {
            Ask(_clients.HealedAtUs is null ? Draw() : Serving(Draw()), Later);
        }
    }

    /// <summary>Again and again: a request of before that was believed lost may have been carried out since.</summary>
    private void Check(ImmutableSortedDictionary<string, string?> changes)
    {
        IReadOnlyList<WorkPartition> partitions = _partitions;
        World.After(CheckEveryUs, () =>
        {
            if (!IsOver(partitions))
            {
                bool isInForce = _clients.AnyNode(_random).Host?.Broker.Cluster.Topics.GetValueOrDefault(_topic)?.Configs is { } configs
                    && changes.All(change => configs.GetValueOrDefault(change.Key) == change.Value);
                Action next = isInForce ? () => Check(changes) : () => AskAgain(changes);
                next();
            }
        });
    }

    /// <summary>One to three of them at once.</summary>
    private ImmutableSortedDictionary<string, string?> Draw()
    {
        ImmutableSortedDictionary<string, string?> changes = ImmutableSortedDictionary<string, string?>.Empty;
        for (int count = _random.Next(1, 4); count > 0; count--)
        {
            (string name, string? value) = _random.Next(6) switch
            {
                // Some longer than a run, as the clocks jump by so much.
                0 or 1 => (RetentionMs, _random.Next(5) switch
                {
                    0 => null,
                    1 => "-1",
                    2 => Text(_random.Next(600_000, 3_600_000)),
                    _ => Text(_random.Next(500, 20_000)),
                }),
                2 or 3 => (RetentionBytes, _random.OneIn(4) ? null : _random.OneIn(8) ? "0" : Text(_random.Next(32 << 10, 512 << 10))),
                4 => (SegmentBytes, Text(_random.Next(16 << 10, 128 << 10))),
                _ => _random.OneIn(2)
                    ? (TopicConfigs.MaxMessageBytes, _random.OneIn(3) ? null : Text(_random.Next(2 << 10, 256 << 10)))
                    : (MinInSync, Text(_random.Next(_minInSync, Math.Max(_minInSync, (_profile.ReplicationFactor / 2) + 2) + 1))),
            };
            changes = changes.SetItem(name, value);
        }

        return changes;
    }

    private void Ask(ImmutableSortedDictionary<string, string?> changes, Action then)
    {
        IReadOnlyList<WorkPartition> partitions = _partitions;
        Asked asked = new()
        {
            KeepMs = Number(changes, RetentionMs),
            KeepBytes = Number(changes, RetentionBytes),
            SegmentBytes = Number(changes, SegmentBytes),
            MessageBytes = Number(changes, TopicConfigs.MaxMessageBytes),
        };
        Note(asked);
        World.Trace.Add(World.NowUs, TraceKind.Request, $"settings of {_topic}: {string.Join(", ", changes.Select(c => $"{c.Key}={c.Value}"))}");
        _administrator.Ask(
            new AdminCommand.SetTopicConfigs(_topic, changes, Replace: false, ValidateOnly: false),
            observed: result => asked.IsAnswered = result.Outcome is not (AdminOutcome.TimedOut or AdminOutcome.NotController),
            result =>
            {
                if (result?.Outcome == AdminOutcome.Done)
                {
                    World.Totals.SettingsChanged++;
                }

                if (!IsOver(partitions))
                {
                    then();
                }
            });
    }

    private void Note(Asked asked)
    {
        _asked.Add(asked);
        foreach (WorkPartition partition in _partitions)
        {
            Tell(partition, asked);
        }
    }

    private void Tell(WorkPartition partition, Asked asked)
    {
        partition.MessageBytesMin = (int)Math.Min(partition.MessageBytesMin, asked.MessageBytes ?? int.MaxValue);
        if (asked.KeepMs is not null || asked.KeepBytes is not null || asked.SegmentBytes is not null)
        {
            World.History.Add(new HistoryEvent.RetentionAsked(partition.Group, asked.KeepMs, asked.KeepBytes, asked.SegmentBytes));
        }
    }

    private static long? Number(ImmutableSortedDictionary<string, string?> changes, string name) =>
        changes.TryGetValue(name, out string? value) && value is not null ? long.Parse(value, CultureInfo.InvariantCulture) : null;

    /// <summary>Null: not asked for.</summary>
    private sealed class Asked
    {
        public long? KeepMs { get; init; }

        public long? KeepBytes { get; init; }

        public long? SegmentBytes { get; init; }

        public long? MessageBytes { get; init; }

        /// <summary>It was carried out or refused, for good.</summary>
        public bool IsAnswered { get; set; }
    }
}
