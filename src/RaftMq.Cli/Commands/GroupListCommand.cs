using System.CommandLine;
using System.Globalization;
using RaftMq.Cli.Brokers;
using RaftMq.Cli.Output;
using RaftMq.Kafka.Wire.Client;

namespace RaftMq.Cli.Commands;

/// <summary><c>raftmq group list</c>.</summary>
internal static class GroupListCommand
{
    public static Command Build()
    {
        Option<string> bootstrap = CommonOptions.Bootstrap();
        Option<bool> json = CommonOptions.JsonOutput();
        var command = new Command("list", "List consumer groups.") { bootstrap, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            await using KafkaCluster cluster = CommonOptions.Cluster(parsed.GetValue(bootstrap)!);
            IReadOnlyList<GroupListing> groups = await new GroupReader(cluster).ListAsync(cancellation);
            TextWriter output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(json))
            {
                await Json.WriteAsync(output, groups);
            }
            else
            {
                Tables.Write(
                    output, ["GROUP", "STATE", "PROTOCOL", "COORDINATOR"],
                    groups.Select(group => (IReadOnlyList<string>)
                        [group.Group, group.State, group.Protocol, group.Coordinator.ToString(CultureInfo.InvariantCulture)]));
            }

            return ExitCodes.Done;
        });
        return command;
    }
}
