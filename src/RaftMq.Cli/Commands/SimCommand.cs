using System.CommandLine;
using System.CommandLine.Parsing;
using System.Diagnostics;
using RaftMq.Cli.Campaigns;
using RaftMq.Cli.Output;
using RaftMq.Simulation;

namespace RaftMq.Cli.Commands;

/// <summary><c>raftmq sim --seed N</c>: replays one run of the simulator; <c>--resume FILE</c>: begins or goes on with many new ones.</summary>
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
    private const int SecondsOfReplay = 60;
    private const int SecondsOfCampaign = 300;
    private const int CampaignSeeds = 10_000;
    private static readonly TimeSpan ProgressEvery = TimeSpan.FromMinutes(1);

    public static Command Build()
    {
        var seed = new Option<ulong?>("--seed") { Description = "The number all else follows from: load, faults, delays, what disks forget." };
        var seconds = new Option<int?>("--seconds")
        {
            Description = "Virtual seconds, at least 50; faults happen until 31 s before the end. Without: 60, with --resume 300.",
        };
        var nodes = new Option<int?>("--nodes") { Description = "3 to 5; without: drawn from the seed." };
        var journal = new Option<JournalSize?>("--journal")
        {
            HelpName = "usual|small|tiny",
            Description = "Of each node: usual (full only while a disk is slow), small (six files of 128 KiB) or tiny (four of 64 KiB); without: drawn from the seed.",
        };
        var trace = new Option<string?>("--trace") { Description = "File that every event is written to, a line each." };
        var resume = new Option<string?>("--resume") { HelpName = "file", Description = "Run many new seeds, and keep in this file how far they are." };
        var seeds = new Option<int>("--seeds")
        {
            Description = "With --resume: how many in all.",
            DefaultValueFactory = _ => CampaignSeeds,
        };
        var minutes = new Option<int?>("--minutes") { Description = "With --resume: begin no more after so long; the same line goes on another time." };
        Option<bool> json = CommonOptions.JsonOutput();
        CommonOptions.Between(nodes, 3, 5);
        CommonOptions.Between(seconds, SecondsMin, SecondsMax);
        CommonOptions.AtLeast(seeds, 1);
        CommonOptions.AtLeast(minutes, 1);
        var command = new Command(Name, "Run a simulated cluster with faults; the same seed gives the same run.")
        {
            seed, seconds, nodes, journal, trace, resume, seeds, minutes, json,
        };
        Option[] ofReplay = [seed, nodes, journal, trace, json];
        Option[] ofCampaign = [seeds, minutes];
        command.Validators.Add(result =>
        {
            bool isCampaign = IsGiven(result, resume);
            if (!isCampaign && !IsGiven(result, seed))
            {
                result.AddError($"raftmq {Name} lacks the option --seed");
            }
            else if ((isCampaign ? ofReplay : ofCampaign).FirstOrDefault(other => IsGiven(result, other)) is { } stranger)
            {
                result.AddError($"{stranger.Name} does not go {(isCampaign ? "with" : "without")} --resume");
            }
        });
        command.SetAction(async (parsed, cancellation) =>
        {
            TextWriter output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(resume) is { } file)
            {
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
                if (parsed.GetValue(minutes) is { } most)
                {
                    limit.CancelAfter(TimeSpan.FromMinutes(most));
                }

                return await GoOnAsync(output, file, parsed.GetValue(seeds), parsed.GetValue(seconds), cancellation, limit.Token);
            }

            await using TextWriter? events = Opened(parsed.GetValue(trace));
            SimulationResult result = Simulator.Run(new SimulationOptions
            {
                Seed = parsed.GetValue(seed)!.Value,
                VirtualDuration = TimeSpan.FromSeconds(parsed.GetValue(seconds) ?? SecondsOfReplay),
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

    private static bool IsGiven(CommandResult command, Option option) => command.GetResult(option) is { Implicit: false };

    private static async Task<int> GoOnAsync(
        TextWriter output, string file, int seeds, int? seconds, CancellationToken interrupted, CancellationToken enough)
    {
        string commit = SourceCommit.OfThisBuild;
        Campaign begun = Campaign.Read(file)
            ?? Campaign.Begin(seconds ?? SecondsOfCampaign, (ulong)DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 100_000, commit);
        if (begun.Commit != commit)
        {
            throw new CommandFailedException(
                $"{file} counts runs of commit {begun.Commit} and this is {commit}: what ran before says nothing of it; begin another file.");
        }

        if (seconds is { } wanted && wanted != begun.SecondsEach)
        {
            throw new CommandFailedException($"The runs in {file} are of {begun.SecondsEach} s each, not of {wanted}: begin another file for these.");
        }

        begun.Write(file);
        long toldAt = Stopwatch.GetTimestamp();
        var duration = TimeSpan.FromSeconds(begun.SecondsEach);
        CampaignRunner runner = new(begun, seed => Simulator.Run(new SimulationOptions { Seed = seed, VirtualDuration = duration }), so =>
        {
            so.Write(file);
            if (Stopwatch.GetElapsedTime(toldAt) >= ProgressEvery)
            {
                toldAt = Stopwatch.GetTimestamp();
                output.WriteLine(CampaignReport.Line(so, seeds));
            }
        });
        Campaign ended = await runner.GoAsync(seeds, enough);
        foreach (string failure in ended.Failures)
        {
            await output.WriteLineAsync(failure);
        }

        await output.WriteLineAsync(CampaignReport.Line(ended, seeds));
        return ended.Failures.Count > 0 ? ExitCodes.Failed : interrupted.IsCancellationRequested ? ExitCodes.Interrupted : ExitCodes.Done;
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
