using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using RaftMq.Cli.Admin;
using RaftMq.Cli.Output;

namespace RaftMq.Cli.Commands;

/// <summary><c>raftmq partition transfer TOPIC/P --to NODE</c>: ends when that node leads.</summary>
internal static class PartitionTransferCommand
{
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan PollTime = TimeSpan.FromMilliseconds(50);

    public static Command Build()
    {
        var partition = new Argument<string>("partition") { Description = "TOPIC/P: the topic and the number of its partition." };
        var to = new Option<int>("--to") { Description = "Number of the node that is to lead.", Required = true };
        CommonOptions.Between(to, 0, int.MaxValue);
        Option<string> admin = CommonOptions.Admin();
        Option<bool> json = CommonOptions.JsonOutput();
        var command = new Command("transfer", "Make a replica the leader of a partition.") { partition, to, admin, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            (string topic, int number) = Parse(parsed.GetRequiredValue(partition));
            int node = parsed.GetValue(to);
            using AdminClient client = CommonOptions.AdminOf(parsed.GetValue(admin)!);
            await TransferAsync(client, topic, number, node, cancellation);
            TextWriter output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(json))
            {
                await Json.WriteAsync(output, new { topic, partition = number, leader = node });
            }
            else
            {
                await output.WriteLineAsync($"{topic}/{number} is led by node {node}");
            }

            return ExitCodes.Done;
        });
        return command;
    }

    internal static (string Topic, int Partition) Parse(string text)
    {
        int slash = text.LastIndexOf('/');
        return slash > 0 && int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int partition)
            ? (text[..slash], partition)
            : throw new CommandFailedException(ExitCodes.Usage, $"'{text}' is not TOPIC/P.");
    }

    private static async Task TransferAsync(AdminClient client, string topic, int partition, int node, CancellationToken cancellation)
    {
        long started = Stopwatch.GetTimestamp();
        await client.TransferAsync(topic, partition, node, cancellation);
        int? leader = null;
        while (Stopwatch.GetElapsedTime(started) < TimeLimit)
        {
            ClusterAnswer cluster = await client.ClusterAsync(cancellation);
            leader = cluster.Topics.FirstOrDefault(known => known.Name == topic)?
                .Partitions.FirstOrDefault(known => known.Partition == partition)?.Leader;
            if (leader == node)
            {
                return;
            }

            await Task.Delay(PollTime, cancellation);
        }

        throw new CommandFailedException(
            $"{topic}/{partition} is led by {(leader is null ? "nobody" : $"node {leader}")} after {TimeLimit.TotalSeconds:0} s.");
    }
}
