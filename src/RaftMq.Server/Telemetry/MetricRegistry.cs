using RaftMq.Raft;

namespace RaftMq.Server.Telemetry;

/// <summary>
/// All metrics of a process. Components register what they measure when they are made; the text is written from here at each scrape.
/// A family is registered whole (its name once), with the samples that are known then or with a function that lists them at the scrape.
/// </summary>
internal sealed class MetricRegistry
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, (MetricFamily Family, Action<MetricTextWriter> Write)> _families =
        new(StringComparer.Ordinal);

    public IReadOnlyList<MetricFamily> Families
    {
        get
        {
            lock (_lock)
            {
                return [.. _families.Values.Select(entry => entry.Family)];
            }
        }
    }

    public Counter Counter(string name, string help)
    {
        var counter = new Counter();
        Register(new MetricFamily(name, MetricKind.Counter, help), writer => writer.Sample(counter.Value));
        return counter;
    }

    /// <summary>One counter per value of one label.</summary>
    public Counter[] Counters(string name, string help, string label, params string[] values)
    {
        Counter[] counters = [.. values.Select(_ => new Counter())];
        Register(new MetricFamily(name, MetricKind.Counter, help, label), writer =>
        {
            for (int i = 0; i < values.Length; i++)
            {
                writer.Sample(counters[i].Value, values[i]);
            }
        });
        return counters;
    }

    public Gauge Gauge(string name, string help)
    {
        var gauge = new Gauge();
        Register(new MetricFamily(name, MetricKind.Gauge, help), writer => writer.Sample(gauge.Value));
        return gauge;
    }

    public void Gauge(string name, string help, Func<double> read) =>
        Register(new MetricFamily(name, MetricKind.Gauge, help), writer => writer.Sample(read()));

    /// <summary>One histogram per value of one label.</summary>
    public Histogram[] Histograms(string name, string help, Func<Histogram> create, string label, params string[] values)
    {
        Histogram[] histograms = [.. values.Select(_ => create())];
        Register(new MetricFamily(name, MetricKind.Histogram, help, label), writer =>
        {
            for (int i = 0; i < values.Length; i++)
            {
                writer.Sample(histograms[i], values[i]);
            }
        });
        return histograms;
    }

    public Histogram Histogram(string name, string help, Histogram histogram)
    {
        Register(new MetricFamily(name, MetricKind.Histogram, help), writer => writer.Sample(histogram));
        return histogram;
    }

    /// <summary>Samples that are listed at each scrape, one call of <see cref="MetricTextWriter.Sample(double, string[])"/> each.</summary>
    public void Register(MetricFamily family, Action<MetricTextWriter> write)
    {
        Invariant.Holds(family.Name.StartsWith("raftmq_", StringComparison.Ordinal));
        lock (_lock)
        {
            Invariant.Holds(_families.TryAdd(family.Name, (family, write)));
        }
    }

    /// <summary>The Prometheus text format, version 0.0.4.</summary>
    public string WriteText()
    {
        (MetricFamily Family, Action<MetricTextWriter> Write)[] families;
        lock (_lock)
        {
            families = [.. _families.Values];
        }

        var writer = new MetricTextWriter();
        foreach ((MetricFamily family, Action<MetricTextWriter> write) in families)
        {
            writer.Begin(family);
            write(writer);
        }

        return writer.ToString();
    }
}
