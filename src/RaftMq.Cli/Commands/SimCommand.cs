using System.CommandLine;
using RaftMq.Cli.Output;
using RaftMq.Simulation;

namespace RaftMq.Cli.Commands;

/// <summary><c>raftmq sim --seed N</c>: replays one run of the simulator.</summary>
internal static class SimCommand
{
    public const string Name = "sim";

    /// <summary>What the options do not say.</summary>
    public const string Explanation =
        """
        Drawn from the seed are: crashes of processes, power cuts of one node or of all, cut, slow and lossy networks, connections that
        break, disks that are slow, hang, fail or are full, wall clocks that jump. The line at the end says how often each happened, and
        what the cluster did meanwhile: acks are sends acknowledged, retried duplicates sends that came again and were stored once, sends
        held those that waited in the broker, appends held off those that a follower with a full journal did not take. With a promise
        broken it ends with 1, and the first line replays it. docs/simulation.md explains all of it.
        """;

    /// <summary>Shorter ones the simulator makes as long as this: it needs 30 s at the end for what is owed.</summary>
    private const int SecondsMin = 50;
    private const int SecondsMax = 86_400;

    public static Command Build()
    {
        var seed = new Option<ulong>("--seed") { Description = "The number all else follows from: load, faults, delays, what disks forget.", Required = true };
        var seconds = new Option<int>("--seconds")
        {
            Description = "Virtual seconds, at least 50; faults happen until 31 s before the end.",
            DefaultValueFactory = _ => 60,
        };
        var nodes = new Option<int?>("--nodes") { Description = "3 to 5; without: drawn from the seed." };
        var journal = new Option<JournalSize?>("--journal")
        {
            HelpName = "usual|small|tiny",
            Description = "Of each node: usual (full only while a disk is slow), small (six files of 128 KiB) or tiny (four of 64 KiB); without: drawn from the seed.",
        };
        var trace = new Option<string?>("--trace") { Description = "File that every event is written to, a line each." };
        Option<bool> json = CommonOptions.JsonOutput();
        CommonOptions.Between(nodes, 3, 5);
        CommonOptions.Between(seconds, SecondsMin, SecondsMax);
        var command = new Command(Name, "Run a simulated cluster with faults; the same seed gives the same run.") { seed, seconds, nodes, journal, trace, json };
        command.SetAction(async (parsed, _) =>
        {
            TextWriter output = parsed.InvocationConfiguration.Output;
            await using TextWriter? events = Opened(parsed.GetValue(trace));
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

    private static StreamWriter? Opened(string? trace)
    {
        try
        {
            return trace is null ? null : new StreamWriter(trace);
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailedException($"The file {trace} can't be written: {wrong.Message}", wrong);
        }
    }
}
