using System.CommandLine;
using System.Globalization;
using RaftMq.Cli.Brokers;
using RaftMq.Cli.Output;
using RaftMq.Kafka.Wire.Client;

namespace RaftMq.Cli.Commands;

/// <summary><c>raftmq topic list</c>.</summary>
internal static class TopicListCommand
{
    public static Command Build()
    {
        var all = new Option<bool>("--internal") { Description = "Internal topics too." };
        Option<string> bootstrap = CommonOptions.Bootstrap();
        Option<bool> json = CommonOptions.JsonOutput();
        var command = new Command("list", "List topics.") { all, bootstrap, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            await using KafkaCluster cluster = CommonOptions.Cluster(parsed.GetValue(bootstrap)!);
            IReadOnlyList<TopicDescription> topics = await new TopicReader(cluster).DescribeAsync(names: null, cancellation);
            await WriteAsync(
                parsed.InvocationConfiguration.Output, [.. topics.Where(topic => parsed.GetValue(all) || !topic.Internal)], parsed.GetValue(json));
            return ExitCodes.Done;
        });
        return command;
    }

    internal static async Task WriteAsync(TextWriter output, IReadOnlyList<TopicDescription> topics, bool json)
    {
        if (json)
        {
            await Json.WriteAsync(output, topics.Select(topic => new
            {
                topic.Name,
                topic.Internal,
                partitions = topic.Partitions.Count,
                replicas = topic.Partitions.Max(partition => (int?)partition.Replicas.Count) ?? 0,
                withoutLeader = WithoutLeader(topic),
            }));
            return;
        }

        Tables.Write(
            output, ["TOPIC", "PARTITIONS", "REPLICAS", "WITHOUT LEADER"],
            topics.Select(topic => (IReadOnlyList<string>)
            [
                topic.Name,
                topic.Partitions.Count.ToString(CultureInfo.InvariantCulture),
                (topic.Partitions.Max(partition => (int?)partition.Replicas.Count) ?? 0).ToString(CultureInfo.InvariantCulture),
                WithoutLeader(topic).ToString(CultureInfo.InvariantCulture),
            ]));
    }

    private static int WithoutLeader(TopicDescription topic) => topic.Partitions.Count(partition => partition.Leader is null);
}
