using System.CommandLine;
using RaftMq.Cli.Bench;

namespace RaftMq.Cli.Commands;

/// <summary><c>raftmq bench produce</c>.</summary>
internal static class BenchProduceCommand
{
    public static Command Build()
    {
        var options = new BenchOptions();
        var command = new Command("produce", "Measure acknowledged writes.");
        foreach (Option option in options.All)
        {
            command.Options.Add(option);
        }

        command.SetAction(async (parsed, cancellation) =>
        {
            BenchReport report = await new BenchRun(options.Read(parsed), options.Admin(parsed)).ProduceAsync(cancellation);
            await report.WriteAsync(parsed.InvocationConfiguration.Output, options.Json(parsed));
            return report.Holds ? ExitCodes.Done : ExitCodes.Failed;
        });
        return command;
    }
}
