using System.Globalization;
using System.Text;
using RaftMq.Raft;

namespace RaftMq.Server.Telemetry;

/// <summary>Writes the Prometheus text format, version 0.0.4: one HELP and TYPE line per family, then its samples.</summary>
internal sealed class MetricTextWriter
{
    private readonly StringBuilder _text = new();
    private MetricFamily? _family;

    public void Begin(MetricFamily family)
    {
        _family = family;
        _text.Append("# HELP ").Append(family.Name).Append(' ').Append(family.Help.Replace("\\", "\\\\").Replace("\n", "\\n")).Append('\n');
        _text.Append("# TYPE ").Append(family.Name).Append(' ').Append(KindName(family.Kind)).Append('\n');
    }

    /// <param name="value">In the unit that the family's name ends in.</param>
    /// <param name="labels">One value per label of the family.</param>
    public void Sample(double value, params string[] labels)
    {
        Invariant.Holds(_family is not null);
        Name("", labels, bound: null);
        Value(value);
    }

    public void Sample(Histogram histogram, params string[] labels)
    {
        ReadOnlySpan<long> bounds = histogram.Bounds;
        long total = 0;
        for (int i = 0; i < bounds.Length; i++)
        {
            total += histogram.CountIn(i);
            Name("_bucket", labels, Number(bounds[i] * histogram.Scale));
            Value(total);
        }

        total += histogram.CountIn(bounds.Length);
        Name("_bucket", labels, "+Inf");
        Value(total);
        Name("_sum", labels, bound: null);
        Value(histogram.Sum * histogram.Scale);
        Name("_count", labels, bound: null);
        Value(total);
    }

    public override string ToString() => _text.ToString();

    private static string KindName(MetricKind kind) => kind switch
    {
        MetricKind.Counter => "counter",
        MetricKind.Gauge => "gauge",
        _ => "histogram",
    };

    // Twelve digits hide the noise of binary fractions in bucket bounds and keep every count exact that fits in them.
    private static string Number(double value) =>
        Math.Abs(value) < 1e15 && value == Math.Floor(value)
            ? ((long)value).ToString(CultureInfo.InvariantCulture)
            : value.ToString("G12", CultureInfo.InvariantCulture);

    private void Name(string suffix, string[] labels, string? bound)
    {
        Invariant.Holds(labels.Length == _family!.Labels.Length);
        _text.Append(_family.Name).Append(suffix);
        if (labels.Length == 0 && bound is null)
        {
            return;
        }

        _text.Append('{');
        for (int i = 0; i < labels.Length; i++)
        {
            Label(_family.Labels[i], labels[i], first: i == 0);
        }

        if (bound is not null)
        {
            Label("le", bound, first: labels.Length == 0);
        }

        _text.Append('}');
    }

    private void Label(string name, string value, bool first)
    {
        if (!first)
        {
            _text.Append(',');
        }

        _text.Append(name).Append("=\"")
            .Append(value.Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\n", "\\n")).Append('"');
    }

    private void Value(double value) => _text.Append(' ').Append(Number(value)).Append('\n');
}
