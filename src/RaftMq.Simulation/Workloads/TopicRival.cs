using System.Collections.Immutable;
using System.Globalization;
using RaftMq.Broker.Controller;
using RaftMq.Raft;
using RaftMq.Simulation.Checkers;
using RaftMq.Simulation.World;

namespace RaftMq.Simulation.Workloads;

/// <summary>
/// One of several who create, delete, grow and set the same topic, each through any node, without knowing of each other. What they are told must
/// have an order. In the end each node must know what the last of them did.
/// </summary>
internal sealed class TopicRival(ClientSide clients, WorkloadProfile profile, RandomSource random, string topic)
{
    /// <summary>Any setting that has no effect on a topic without records, and takes many values.</summary>
    private const string Setting = "segment.ms";
    private const int PartitionsMax = 3;

    /// <summary>Of one object: so many calls without an end, and nothing can be said of it any more.</summary>
    private const int LostMax = 12;

    /// <summary>Beyond the asked node's time: clocks go differently.</summary>
    private const int OverUs = 500_000;

    private readonly Administrator _administrator = new(clients, random.Split());
    private int _lost;

    private SimulationWorld World => clients.World;

    public void Start() => World.After(random.Next(1, profile.RivalEveryUs), Next);

    /// <summary>What a node knows of it when all is over.</summary>
    public void TellEnd()
    {
        foreach (SimulatedNode node in clients.Nodes)
        {
            if (node is { IsWanted: true, Host.Broker.Cluster: { } image })
            {
                TopicInfo? info = image.Topics.GetValueOrDefault(topic);
                long value = info is null || !info.Configs.TryGetValue(Setting, out string? text) ? 0 : long.Parse(text, CultureInfo.InvariantCulture);
                long call = Begin(new ObjectCall.Read());
                World.History.Add(new HistoryEvent.CallEnded(call, CallOutcome.Done, new ObjectState(info?.Partitions.Length ?? 0, value)));
            }
        }
    }

    private void Next()
    {
        if (clients.IsEnding || _lost >= LostMax)
        {
            return;
        }

        (ObjectCall what, AdminCommand command) = Draw();
        long call = Begin(what);
        bool isTold = false;
        _administrator.Ask(
            command,
            result =>
            {
                CallOutcome outcome = OutcomeOf(result.Outcome);
                World.Trace.Add(World.NowUs, TraceKind.Observed, $"call {call}: {result.Outcome} {result.Message}");
                isTold = outcome != CallOutcome.None;
                World.History.Add(isTold ? new HistoryEvent.CallEnded(call, outcome) : new HistoryEvent.CallLost(call));
            },
            _ =>
            {
                if (!isTold)
                {
                    _lost++;
                    World.History.Add(new HistoryEvent.CallLost(call));
                }

                World.After(random.Next(1, 2 * profile.RivalEveryUs), Next);
            },
            broker =>
            {
                if (broker.Cluster.Topics.ContainsKey(topic))
                {
                    World.After(Administrator.TimeoutUs + OverUs, () => World.History.Add(new HistoryEvent.CallOver(call)));
                }
            });
    }

    private long Begin(ObjectCall what)
    {
        long call = World.Totals.Calls++;
        World.Trace.Add(World.NowUs, TraceKind.Request, $"call {call} of {topic}: {what}");
        World.History.Add(new HistoryEvent.CallStarted(call, topic, what));
        return call;
    }

    private (ObjectCall What, AdminCommand Command) Draw()
    {
        int partitions = random.Next(1, PartitionsMax + 1);

        // Another one each time, and never 0.
        long value = World.Totals.Calls + 1_000;
        return random.Next(8) switch
        {
            0 or 1 or 2 => (new ObjectCall.Create(partitions), new AdminCommand.CreateTopic(
                topic, partitions, profile.ReplicationFactor, [], ImmutableSortedDictionary<string, string>.Empty, ValidateOnly: false)),
            3 or 4 => (new ObjectCall.Delete(), new AdminCommand.DeleteTopic(topic, UInt128.Zero)),
            5 => (new ObjectCall.Grow(partitions), new AdminCommand.AddPartitions(topic, partitions, [], ValidateOnly: false)),
            _ => (new ObjectCall.Set(value), new AdminCommand.SetTopicConfigs(
                topic, ImmutableSortedDictionary<string, string?>.Empty.Add(Setting, value.ToString(CultureInfo.InvariantCulture)),
                Replace: false, ValidateOnly: false)),
        };
    }

    private static CallOutcome OutcomeOf(AdminOutcome outcome) => outcome switch
    {
        AdminOutcome.Done => CallOutcome.Done,
        AdminOutcome.TopicExists or AdminOutcome.InvalidPartitions => CallOutcome.Refused,
        AdminOutcome.UnknownTopic => CallOutcome.Absent,
        _ => CallOutcome.None,
    };
}
