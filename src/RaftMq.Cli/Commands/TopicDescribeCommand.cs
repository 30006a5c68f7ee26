using System.CommandLine;
using System.Globalization;
using RaftMq.Cli.Brokers;
using RaftMq.Cli.Output;
using RaftMq.Kafka.Wire.Client;

namespace RaftMq.Cli.Commands;

/// <summary><c>raftmq topic describe</c>: the topic's settings; leader, replicas, in-sync set and offsets of each partition.</summary>
internal static class TopicDescribeCommand
{
    public static Command Build()
    {
        Argument<string> topic = CommonOptions.Topic();
        Option<string> bootstrap = CommonOptions.Bootstrap();
        Option<bool> json = CommonOptions.JsonOutput();
        var command = new Command("describe", "Describe a topic's partitions, and its settings: those that differ from the default, with --json all.") { topic, bootstrap, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            await using KafkaCluster cluster = CommonOptions.Cluster(parsed.GetValue(bootstrap)!);
            TopicDescription described = await DescribeAsync(new TopicReader(cluster), parsed.GetRequiredValue(topic), cancellation);
            await WriteAsync(parsed.InvocationConfiguration.Output, described, parsed.GetValue(json));
            return ExitCodes.Done;
        });
        return command;
    }

    internal static async Task WriteAsync(TextWriter output, TopicDescription topic, bool json)
    {
        if (json)
        {
            await Json.WriteAsync(output, topic);
            return;
        }

        await output.WriteLineAsync($"{topic.Name}: {Counted.Of(topic.Partitions.Count, "partition")}");
        string[] settings = [.. (topic.Settings ?? []).Where(setting => !setting.IsDefault).Select(setting => $"{setting.Name}={setting.Value}")];
        if (topic.Settings is not null)
        {
            await output.WriteLineAsync(settings.Length == 0 ? "settings: all as by default" : $"settings: {string.Join(", ", settings)}");
        }

        Tables.Write(
            output, ["PARTITION", "LEADER", "REPLICAS", "IN SYNC", "FIRST OFFSET", "END OFFSET"],
            topic.Partitions.Select(partition => (IReadOnlyList<string>)
            [
                partition.Partition.ToString(CultureInfo.InvariantCulture),
                Text(partition.Leader),
                string.Join(',', partition.Replicas),
                string.Join(',', partition.InSync),
                Text(partition.FirstOffset),
                Text(partition.EndOffset),
            ]));
    }

    private static string Text(long? number) => number?.ToString(CultureInfo.InvariantCulture) ?? "none";

    private static async Task<TopicDescription> DescribeAsync(TopicReader reader, string name, CancellationToken cancellation)
    {
        TopicDescription topic = (await reader.DescribeAsync([name], cancellation)).Single();
        int[] partitions = [.. topic.Partitions.Select(partition => partition.Partition)];
        IReadOnlyDictionary<int, long> first = await reader.OffsetsAsync(name, partitions, TopicReader.Earliest, cancellation);
        IReadOnlyDictionary<int, long> end = await reader.OffsetsAsync(name, partitions, TopicReader.Latest, cancellation);
        return topic with
        {
            Settings = await reader.SettingsAsync(name, cancellation),
            Partitions =
            [
                .. topic.Partitions.Select(partition => partition with
                {
                    FirstOffset = first.TryGetValue(partition.Partition, out long from) ? from : null,
                    EndOffset = end.TryGetValue(partition.Partition, out long to) ? to : null,
                }),
            ],
        };
    }
}
