using System.Globalization;
using RaftMq.Cli.Output;

namespace RaftMq.Cli.Bench;

/// <summary>What a run found. What was not measured is null.</summary>
internal sealed record BenchReport
{
    public required string Kind { get; init; }

    public required BenchSettings Settings { get; init; }

    public required string Topic { get; init; }

    public double Seconds { get; init; }

    public double RecordsPerSecond { get; init; }

    public double MebibytesPerSecond { get; init; }

    public LatencyFigures? AckLatencyMs { get; init; }

    public LatencyFigures? DeliveryLatencyMs { get; init; }

    public BatchFigures? BatchesSent { get; init; }

    public BatchFigures? BatchesInLog { get; init; }

    public double? LongestGapMs { get; init; }

    public long Acknowledged { get; init; }

    public long SentAgain { get; init; }

    /// <summary>Offsets that the run added to the log.</summary>
    public long? OffsetsAdded { get; init; }

    public long? FoundInLog { get; init; }

    public long? Repeated { get; init; }

    public long Corrupt { get; init; }

    public IReadOnlyList<NodeFigures> Nodes { get; init; } = [];

    /// <summary>A sentence for each node that is not in <see cref="Nodes"/>.</summary>
    public IReadOnlyList<string> NodesUnknown { get; init; } = [];

    public IReadOnlyList<string> Faults { get; init; } = [];

    public bool Holds => Faults.Count == 0;

    public async Task WriteAsync(TextWriter output, bool json)
    {
        if (json)
        {
            await Json.WriteAsync(output, new
            {
                Kind,
                Topic,
                acks = Settings.Acks,
                Settings.Window,
                Settings.Partitions,
                Settings.Producers,
                Settings.RecordBytes,
                Settings.BatchBytes,
                Settings.RequestsInFlight,
                Settings.Idempotence,
                Settings.Rate,
                Seconds,
                RecordsPerSecond,
                MebibytesPerSecond,
                AckLatencyMs,
                DeliveryLatencyMs,
                BatchesSent,
                BatchesInLog,
                LongestGapMs,
                Acknowledged,
                SentAgain,
                OffsetsAdded,
                FoundInLog,
                Repeated,
                Corrupt,
                Nodes,
                NodesUnknown,
                Holds,
                Faults,
            });
            return;
        }

        foreach (string line in Lines())
        {
            await output.WriteLineAsync(line);
        }
    }

    private IEnumerable<string> Lines()
    {
        CultureInfo culture = CultureInfo.InvariantCulture;
        if (Kind != "consume")
        {
            string acks = Settings.Acks < 0 ? "all" : Settings.Acks.ToString(culture);
            string pace = Settings.Rate > 0 ? string.Create(culture, $"{Settings.Rate:N0}/s open loop") : "closed loop";
            yield return string.Create(
                culture, $"load      {Settings.RecordBytes} B records, {Counted.Of(Settings.Partitions, "partition")}, {Counted.Of(Settings.Producers, "producer")}, {pace}, topic {Topic}");
            yield return string.Create(
                culture,
                $"client    acks {acks}, idempotence {(Settings.Idempotence ? "on" : "off")}, window {Settings.Window:N0}, batches up to {Settings.BatchBytes:N0} B, {Settings.RequestsInFlight} requests in flight");
        }

        yield return string.Create(culture, $"rate      {RecordsPerSecond:N0} records/s, {MebibytesPerSecond:N1} MiB/s over {Seconds:N1} s");
        foreach ((string name, LatencyFigures? figures) in new[] { ("ack", AckLatencyMs), ("delivery", DeliveryLatencyMs) })
        {
            if (figures is not null)
            {
                yield return string.Create(
                    culture,
                    $"{name,-8}  p50 {figures.P50:0.00} ms, p90 {figures.P90:0.00}, p99 {figures.P99:0.00}, p99.9 {figures.P999:0.00}, max {figures.Max:0.00}");
            }
        }

        foreach ((string name, BatchFigures? batches) in new[] { ("sent", BatchesSent), ("in log", BatchesInLog) })
        {
            if (batches is not null)
            {
                yield return string.Create(
                    culture,
                    $"{name,-8}  {batches.Count:N0} batches, mean {batches.RecordsMean:N1} records {batches.BytesMean:N0} B, largest {batches.RecordsMax:N0} records {batches.BytesMax:N0} B");
            }
        }

        if (LongestGapMs is { } gap)
        {
            yield return string.Create(culture, $"gap       longest time without an ack: {gap:N1} ms; {SentAgain:N0} records sent again");
        }

        foreach (NodeFigures node in Nodes)
        {
            yield return string.Create(
                culture, $"node      {node.Node}: {node.Syncs:N0} fdatasync, {node.WrittenBytes / 1048576.0:N1} MiB written");
        }

        foreach (string unknown in NodesUnknown)
        {
            yield return $"node      {unknown}";
        }

        if (Kind != "consume")
        {
            yield return string.Create(
                culture, $"records   {Acknowledged:N0} acknowledged, {OffsetsAdded:N0} offsets added, {FoundInLog:N0} found in the log, {Repeated:N0} repeated, {Corrupt:N0} corrupt");
        }

        yield return Holds ? "holds" : string.Join(Environment.NewLine, Faults);
    }
}
