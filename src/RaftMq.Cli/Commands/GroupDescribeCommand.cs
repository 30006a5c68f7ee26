using System.CommandLine;
using System.Globalization;
using RaftMq.Cli.Brokers;
using RaftMq.Cli.Output;
using RaftMq.Kafka.Wire.Client;

namespace RaftMq.Cli.Commands;

/// <summary><c>raftmq group describe</c>: members, committed offsets and lag.</summary>
internal static class GroupDescribeCommand
{
    public static Command Build()
    {
        var group = new Argument<string>("group") { Description = "Name of the group." };
        Option<string> bootstrap = CommonOptions.Bootstrap();
        Option<bool> json = CommonOptions.JsonOutput();
        var command = new Command("describe", "Describe a consumer group: members, committed offsets, lag.") { group, bootstrap, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            await using KafkaCluster cluster = CommonOptions.Cluster(parsed.GetValue(bootstrap)!);
            GroupDescription described = await new GroupReader(cluster).DescribeAsync(parsed.GetRequiredValue(group), cancellation);
            await WriteAsync(parsed.InvocationConfiguration.Output, described, parsed.GetValue(json));
            return ExitCodes.Done;
        });
        return command;
    }

    internal static async Task WriteAsync(TextWriter output, GroupDescription group, bool json)
    {
        long lag = group.Positions.Sum(position => position.Lag ?? 0);
        if (json)
        {
            await Json.WriteAsync(output, new { group.Group, group.State, group.Protocol, group.Members, group.Positions, lag });
            return;
        }

        int uncommitted = group.Positions.Count(position => position.Committed is null);
        string without = uncommitted == 0 ? "" : $" and {Counted.Of(uncommitted, "partition")} without a committed offset";
        await output.WriteLineAsync($"{group.Group}: {group.State}, {Counted.Of(group.Members.Count, "member")}, lag {lag}{without}");
        Tables.Write(
            output, ["TOPIC", "PARTITION", "COMMITTED", "END", "LAG"],
            group.Positions.Select(position => (IReadOnlyList<string>)
            [
                position.Topic,
                position.Partition.ToString(CultureInfo.InvariantCulture),
                position.Committed?.ToString(CultureInfo.InvariantCulture) ?? "none",
                position.End?.ToString(CultureInfo.InvariantCulture) ?? "?",
                position.Lag?.ToString(CultureInfo.InvariantCulture) ?? "?",
            ]));
        if (group.Members.Count > 0)
        {
            Tables.Write(
                output, ["MEMBER", "INSTANCE", "CLIENT", "HOST"],
                group.Members.Select(member => (IReadOnlyList<string>)[member.Member, member.Instance ?? "", member.Client, member.Host]));
        }
    }
}
