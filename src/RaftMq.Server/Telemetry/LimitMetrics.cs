using RaftMq.Broker;

namespace RaftMq.Server.Telemetry;

/// <summary>Use and value of every named limit of the node, in two families, so that one rule watches all of them.</summary>
internal sealed class LimitMetrics
{
    private readonly List<Func<IEnumerable<LimitUse>>> _sources = [];

    public LimitMetrics(MetricRegistry registry)
    {
        Register(registry, "raftmq_limit_used", "How much of a named limit is in use.", use => use.Used);
        Register(registry, "raftmq_limit_max", "The limit that raftmq_limit_used has under the same label.", use => use.Max);
    }

    /// <summary>Before the first scrape.</summary>
    public void Add(Func<IEnumerable<LimitUse>> source) => _sources.Add(source);

    private void Register(MetricRegistry registry, string name, string help, Func<LimitUse, long> value) =>
        registry.Register(new MetricFamily(name, MetricKind.Gauge, help, "limit"), writer =>
        {
            foreach (LimitUse use in _sources.SelectMany(source => source()))
            {
                writer.Sample(value(use), use.Limit);
            }
        });
}
