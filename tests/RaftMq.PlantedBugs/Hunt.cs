using System.Diagnostics;
using RaftMq.Simulation;
using RaftMq.Simulation.Checkers;
using RaftMq.Simulation.Coverage;

namespace RaftMq.PlantedBugs;

/// <summary>One set of seeds and one bug: how many seeds it took.</summary>
/// <param name="Found">Null: not found.</param>
internal readonly record struct SetResult(ulong FirstSeed, int Seeds, Violation? Found);

internal sealed record HuntResult(string Bug, IReadOnlyList<SetResult> Sets, RunCoverage Coverage, TimeSpan Duration)
{
    public int Found => Sets.Count(static set => set.Found is not null);

    public int Worst => Sets.Max(static set => set.Seeds);

    public int Median => Sets.Select(static set => set.Seeds).Order().ElementAt(Sets.Count / 2);

    /// <summary>The checkers that caught it, the most frequent first.</summary>
    public string Checkers => string.Join(", ", Sets.Where(static set => set.Found is not null)
        .GroupBy(static set => set.Found!.Promise).OrderByDescending(static group => group.Count()).Select(static group => group.Key));
}

/// <summary>Lets the simulator look for one bug, in several sets of seeds side by side. Workload and faults are the default ones: nothing is steered.</summary>
internal static class Hunt
{
    /// <summary>Sets are so far apart that they never share a seed.</summary>
    private const ulong SetDistance = 1_000_000;

    /// <summary>
    /// Of real time, as a bug may let one event go on for ever. A run takes a second or two of a core; on a machine that a dozen others use as well one was seen
    /// to take more than a minute.
    /// </summary>
    private static readonly TimeSpan RunMax = TimeSpan.FromMinutes(15);

    public static HuntResult For(string bug, HuntOptions options)
    {
        long started = Stopwatch.GetTimestamp();
        var sets = new SetResult[options.Sets];
        RunCoverage coverage = RunCoverage.OfNoRun();
        Parallel.For(0, options.Sets, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, set =>
            sets[set] = Search(options.FirstSeed + ((ulong)set * SetDistance), options, coverage));
        return new HuntResult(bug, sets, coverage, Stopwatch.GetElapsedTime(started));
    }

    private static SetResult Search(ulong first, HuntOptions options, RunCoverage coverage)
    {
        for (int n = 0; n < options.SeedsMax; n++)
        {
            ulong seed = first + (ulong)n;
            using var limit = new Timer(
                _ => Environment.FailFast($"Seed {seed} took more than {RunMax.TotalMinutes} minutes."), null, RunMax, Timeout.InfiniteTimeSpan);
            SimulationResult result = Simulator.Run(new SimulationOptions { Seed = seed, VirtualDuration = options.VirtualDuration });
            lock (coverage)
            {
                coverage.Add(result.Coverage);
            }

            if (result.Violation is { } found)
            {
                return new SetResult(first, n + 1, found);
            }
        }

        return new SetResult(first, options.SeedsMax, null);
    }
}
