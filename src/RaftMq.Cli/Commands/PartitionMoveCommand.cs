using System.CommandLine;
using System.Globalization;
using RaftMq.Cli.Admin;
using RaftMq.Cli.Output;

namespace RaftMq.Cli.Commands;

/// <summary>
/// <c>raftmq partition move TOPIC/P --to 1,2,3</c>: ends when the cluster has written the wish down; <c>cluster status</c> shows the progress.
/// </summary>
internal static class PartitionMoveCommand
{
    public static Command Build()
    {
        var partition = new Argument<string>("partition") { Description = "TOPIC/P: the topic and the number of its partition." };
        var to = new Option<string>("--to") { Description = "Numbers of the nodes that are to have the replicas, the first to lead: 1,2,3." };
        var cancel = new Option<bool>("--cancel") { Description = "A movement under way goes back to where it came from." };
        Option<string> admin = CommonOptions.Admin();
        Option<bool> json = CommonOptions.JsonOutput();
        var command = new Command("move", "Move the replicas of a partition to other nodes, or give it more or fewer.") { partition, to, cancel, admin, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            (string topic, int number) = PartitionTransferCommand.Parse(parsed.GetRequiredValue(partition));
            int[]? nodes = Nodes(parsed.GetValue(to), parsed.GetValue(cancel));
            using AdminClient client = CommonOptions.AdminOf(parsed.GetValue(admin)!);
            await client.MoveAsync(topic, number, nodes, cancellation);
            TextWriter output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(json))
            {
                await Json.WriteAsync(output, new { topic, partition = number, to = nodes });
            }
            else
            {
                await output.WriteLineAsync(nodes is null
                    ? $"{topic}/{number} goes back to where it was; raftmq cluster status shows how far it is"
                    : $"{topic}/{number} moves to nodes {string.Join(',', nodes)}; raftmq cluster status shows how far it is");
            }

            return ExitCodes.Done;
        });
        return command;
    }

    /// <summary>Null: cancel.</summary>
    private static int[]? Nodes(string? to, bool cancel)
    {
        if (to is null == !cancel)
        {
            throw new CommandFailedException(ExitCodes.Usage, "Either --to says where the replicas are to be, or --cancel takes a movement back.");
        }

        return to?.Split(',').Select(text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int node)
            ? node
            : throw new CommandFailedException(ExitCodes.Usage, $"--to takes numbers of nodes with commas between, not '{to}'.")).ToArray();
    }
}
