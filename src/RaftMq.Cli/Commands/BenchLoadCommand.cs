using System.CommandLine;
using RaftMq.Cli.Bench;

namespace RaftMq.Cli.Commands;

/// <summary>A measurement that makes its own load, formed by <see cref="BenchOptions"/>.</summary>
internal static class BenchLoadCommand
{
    public static Command Build(string name, string description, Func<BenchRun, CancellationToken, Task<BenchReport>> measure)
    {
        var options = new BenchOptions();
        var command = new Command(name, description);
        foreach (Option option in options.All)
        {
            command.Options.Add(option);
        }

        command.SetAction(async (parsed, cancellation) =>
        {
            BenchReport report = await measure(new BenchRun(options.Read(parsed), options.Admin(parsed)), cancellation);
            await report.WriteAsync(parsed.InvocationConfiguration.Output, options.Json(parsed));
            return report.Holds ? ExitCodes.Done : ExitCodes.Failed;
        });
        return command;
    }
}
