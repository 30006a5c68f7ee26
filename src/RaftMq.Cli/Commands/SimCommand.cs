using System.CommandLine;
using RaftMq.Cli.Output;
using RaftMq.Simulation;

namespace RaftMq.Cli.Commands;

/// <summary><c>raftmq sim --seed N</c>: replays one run of the simulator.</summary>
internal static class SimCommand
{
    public static Command Build()
    {
        var seed = new Option<ulong>("--seed") { Description = "The number all else follows from.", Required = true };
        var seconds = new Option<int>("--seconds") { Description = "Virtual seconds.", DefaultValueFactory = _ => 60 };
        var nodes = new Option<int?>("--nodes") { Description = "3 to 5; without: drawn from the seed." };
        var journal = new Option<JournalSize?>("--journal") { Description = "Usual, small or tiny; without: drawn from the seed." };
        var trace = new Option<string?>("--trace") { Description = "File that every event is written to." };
        Option<bool> json = CommonOptions.JsonOutput();
        CommonOptions.Between(nodes, 3, 5);
        var command = new Command("sim", "Run a simulated cluster with faults; the same seed gives the same run.") { seed, seconds, nodes, journal, trace, json };
        command.SetAction(async (parsed, _) =>
        {
            TextWriter output = parsed.InvocationConfiguration.Output;
            await using TextWriter? events = parsed.GetValue(trace) is { } path ? new StreamWriter(path) : null;
            SimulationResult result = Simulator.Run(new SimulationOptions
            {
                Seed = parsed.GetValue(seed),
                VirtualDuration = TimeSpan.FromSeconds(parsed.GetValue(seconds)),
                Nodes = parsed.GetValue(nodes),
                Journal = parsed.GetValue(journal),
                Trace = events,
            });
            bool held = result.Violation is null && result.Totals.Acks > 0;
            if (parsed.GetValue(json))
            {
                await Json.WriteAsync(output, new
                {
                    result.Seed,
                    result.Commit,
                    result.Nodes,
                    traceHash = $"{result.TraceHash:x16}",
                    held,
                    result.Totals,
                    violation = result.Violation?.ToString(),
                    replay = result.ReplayLine,
                    realSeconds = result.RealDuration.TotalSeconds,
                });
            }
            else
            {
                await output.WriteLineAsync(result.ToString());
                if (result.Violation is null && !held)
                {
                    await output.WriteLineAsync("not one record was acknowledged: this run shows nothing");
                }
            }

            return held ? ExitCodes.Done : ExitCodes.Failed;
        });
        return command;
    }
}
