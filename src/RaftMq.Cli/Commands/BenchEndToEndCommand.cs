using System.CommandLine;
using RaftMq.Cli.Bench;

namespace RaftMq.Cli.Commands;

/// <summary><c>raftmq bench end-to-end</c>.</summary>
internal static class BenchEndToEndCommand
{
    public static Command Build()
    {
        var options = new BenchOptions();
        var command = new Command("end-to-end", "Measure from the send to the delivery at a consumer.");
        foreach (Option option in options.All)
        {
            command.Options.Add(option);
        }

        command.SetAction(async (parsed, cancellation) =>
        {
            BenchReport report = await new BenchRun(options.Read(parsed), options.Admin(parsed)).EndToEndAsync(cancellation);
            await report.WriteAsync(parsed.InvocationConfiguration.Output, options.Json(parsed));
            return report.Holds ? ExitCodes.Done : ExitCodes.Failed;
        });
        return command;
    }
}
