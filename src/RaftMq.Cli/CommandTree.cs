using System.CommandLine;
using System.CommandLine.Help;
using RaftMq.Cli.Commands;
using RaftMq.Kafka.Wire.Client;

namespace RaftMq.Cli;

/// <summary>All commands, and what is the same for each of them: faults become one sentence and an exit code.</summary>
internal static class CommandTree
{
    public static RootCommand Build(StandardStreams streams)
    {
        RootCommand root = Commands(streams);
        HelpOption help = root.Options.OfType<HelpOption>().Single();
        help.Action = new ExplainedHelp((HelpAction)help.Action!, new Dictionary<string, string>
        {
            [SimCommand.Name] = SimCommand.Explanation,
            [DoctorCommand.Name] = DoctorCommand.Explanation,
        });
        return root;
    }

    public static Task<int> RunAsync(string[] args, TextWriter output, TextWriter error) =>
        RunAsync(args, output, error, StandardStreams.OfProcess);

    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error, StandardStreams streams)
    {
        ParseResult parsed = Build(streams).Parse(args is ["help", .. string[] asked] ? [.. asked, "--help"] : args);
        if (CommandLineFault.Of(parsed) is { } fault)
        {
            await error.WriteLineAsync(CommandLineFault.Sentence(parsed, fault));
            return ExitCodes.Usage;
        }

        var configuration = new InvocationConfiguration { Output = output, Error = error, EnableDefaultExceptionHandler = false };
        if (parsed.CommandResult.Command.Name == UpCommand.Name)
        {
            // It treats signals itself: the first stops the nodes, the second kills them.
            configuration.ProcessTerminationTimeout = null;
        }

        try
        {
            return await parsed.InvokeAsync(configuration);
        }
        catch (CommandFailedException failed)
        {
            await error.WriteLineAsync(failed.ExitCode == ExitCodes.Usage ? CommandLineFault.Sentence(parsed, failed.Message) : failed.Message);
            return failed.ExitCode;
        }
        catch (KafkaConnectionException unreachable)
        {
            await error.WriteLineAsync($"{unreachable.Message}{await CommonOptions.HttpAtBootstrapAsync(parsed, unreachable)}");
            return ExitCodes.Unreachable;
        }
        catch (OperationCanceledException)
        {
            return ExitCodes.Interrupted;
        }
    }

    private static RootCommand Commands(StandardStreams streams) => new("raftmq: start a local RaftMq cluster, administer any cluster, examine a stopped node, measure any Kafka-speaking broker.")
    {
        UpCommand.Build(),
        new Command("topic", "Create, list, describe and delete topics.")
        {
            TopicCreateCommand.Build(), TopicListCommand.Build(), TopicDescribeCommand.Build(), TopicDeleteCommand.Build(),
        },
        new Command("partition", "Move replicas and the leadership of partitions.") { PartitionMoveCommand.Build(), PartitionTransferCommand.Build() },
        new Command("cluster", "Look at the cluster, and make placement even.") { ClusterStatusCommand.Build(), ClusterBalanceCommand.Build() },
        NodeCommands.Build(),
        new Command("group", "Look at consumer groups.") { GroupListCommand.Build(), GroupDescribeCommand.Build() },
        ProduceCommand.Build(streams),
        ConsumeCommand.Build(streams),
        DoctorCommand.Build(),
        SimCommand.Build(),
        new Command("bench", "Measure any broker that speaks Kafka's protocol.")
        {
            BenchProduceCommand.Build(), BenchConsumeCommand.Build(), BenchEndToEndCommand.Build(),
        },
    };
}
