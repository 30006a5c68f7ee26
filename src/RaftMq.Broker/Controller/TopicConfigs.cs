using System.Collections.Immutable;
using System.Globalization;

namespace RaftMq.Broker.Controller;

public enum ConfigType
{
    Boolean,
    Text,
    Int32,
    Int64,
    List,
}

/// <param name="Refuse">A sentence that says what is wrong with a value, or null when it is fine.</param>
public sealed record TopicConfigDefinition(
    string Name, ConfigType Type, string Default, string Documentation, Func<string, string?> Refuse);

/// <summary>Per-topic settings under their Kafka names. One that is not here is refused by name.</summary>
public static class TopicConfigs
{
    /// <summary>The one setting for which a topic that does not say it takes the leading node's, as Kafka's do.</summary>
    public const string MaxMessageBytes = "max.message.bytes";

    public static readonly ImmutableSortedDictionary<string, TopicConfigDefinition> All = new[]
    {
        Number("retention.ms", "604800000", -1, long.MaxValue,
            "Whole segments go once their newest record is older than this, and all of the log once no record is younger (but what came last stays "
            + "for five minutes, or for this time if it is shorter); a record without a timestamp is as old as its arrival. -1: never."),
        Number("retention.bytes", "-1", -1, long.MaxValue,
            "Whole segments go while the partition is larger than this. -1: no limit."),
        Number("segment.bytes", "134217728", 1 << 14, int.MaxValue, "A segment is closed once it is this large."),
        Number("segment.ms", "604800000", 1, long.MaxValue, "A segment is closed once it is this old, however small."),
        Number("min.insync.replicas", "1", 1, short.MaxValue,
            "An ack waits until so many replicas have the batch durable. A majority is always needed; this can only ask for more."),
        Number(MaxMessageBytes, "1048588", 0, 100 << 20,
            "The largest record batch taken. Not set: what `limits.record.batch.bytes` says on the node that leads, with this default."),
        OneOf("message.timestamp.type", "CreateTime", ["CreateTime", "LogAppendTime"],
            "Whether records keep the producer's time or get the broker's."),
        Number("message.timestamp.before.max.ms", "9223372036854775807", 0, long.MaxValue,
            "How much older than the broker's clock a record's timestamp may be."),
        Number("message.timestamp.after.max.ms", "9223372036854775807", 0, long.MaxValue,
            "How far in the future a record's timestamp may be."),
        new TopicConfigDefinition("cleanup.policy", ConfigType.List, "delete",
            "Only delete is offered; compaction is not built yet.",
            value => value == "delete"
                ? null
                : $"cleanup.policy={value} is not offered: RaftMq does not compact topics yet. Use delete."),
        OneOf("compression.type", "producer", ["producer"],
            "Batches are stored as the producer compressed them."),
    }.ToImmutableSortedDictionary(d => d.Name, d => d, StringComparer.Ordinal);

    /// <summary>Characters of a name or a value; far more than any has.</summary>
    private const int TextCharsMax = 255;

    /// <summary>One request may have a hundred thousand faults.</summary>
    private const int FaultsToldMax = 10;

    /// <summary>A sentence per fault, of the first few, empty when all settings are known and fine.</summary>
    public static IReadOnlyList<string> Refusals(IEnumerable<KeyValuePair<string, string>> configs, int replicationFactor)
    {
        var faults = new List<string>();
        foreach ((string name, string value) in configs)
        {
            if (faults.Count == FaultsToldMax)
            {
                faults.Add("There is more.");
                break;
            }

            if (name.Length > TextCharsMax || value.Length > TextCharsMax)
            {
                // A number may have any number of zeros before it; all of them would be replicated.
                faults.Add($"A topic setting's name and value have at most {TextCharsMax} characters, not {Math.Max(name.Length, value.Length)}.");
            }
            else if (!All.TryGetValue(name, out TopicConfigDefinition? definition))
            {
                faults.Add($"There is no topic setting '{name}'. Known: {string.Join(", ", All.Keys)}.");
            }
            else if (definition.Refuse(value) is { } fault)
            {
                faults.Add(fault);
            }
            else if (name == "min.insync.replicas" && int.Parse(value, CultureInfo.InvariantCulture) > replicationFactor)
            {
                faults.Add($"min.insync.replicas={value} can never be met with {replicationFactor} replicas.");
            }
        }

        return faults;
    }

    public static string Value(TopicInfo topic, string name) =>
        topic.Configs.TryGetValue(name, out string? value) ? value : All[name].Default;

    public static long Int64(TopicInfo topic, string name) => long.Parse(Value(topic, name), CultureInfo.InvariantCulture);

    private static TopicConfigDefinition Number(string name, string standard, long min, long max, string documentation) => new(
        name, max > int.MaxValue ? ConfigType.Int64 : ConfigType.Int32, standard, documentation,
        value => long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number)
            && number >= min && number <= max
                ? null
                : $"{name} must be a whole number from {min} to {max}, not '{value}'.");

    private static TopicConfigDefinition OneOf(string name, string standard, string[] choices, string documentation) => new(
        name, ConfigType.Text, standard, documentation,
        value => choices.Contains(value, StringComparer.Ordinal)
            ? null
            : $"{name} must be one of {string.Join(", ", choices)}, not '{value}'.");
}
