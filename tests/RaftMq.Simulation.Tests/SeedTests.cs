using System.Globalization;

namespace RaftMq.Simulation.Tests;

public sealed class SeedTests
{
    /// <summary>Seeds of the short form; CI's simulation stage sets RAFTMQ_SIM_SEEDS (at least 500), RAFTMQ_FULL=1 runs many more.</summary>
    private const int ShortSeeds = 4;

    private const int FullSeeds = 5_000;

    private const int FailuresShown = 3;

    [Fact]
    public void Seeds_that_once_found_a_bug_find_none()
    {
        StringWriter failures = new();
        ulong[] known = [.. KnownSeeds()];

        // The short form takes turns: two of them each time.
        int turn = (int)(DateTimeOffset.UtcNow.ToUnixTimeSeconds() % known.Length);
        IEnumerable<ulong> seeds = IsShort ? [known[turn], known[(turn + 1) % known.Length]] : known;
        SweepSummary summary = new SimulationSweep(Run, failures).Run(seeds, failuresMax: int.MaxValue);
        Assert.True(summary.Failures.Count == 0, failures.ToString());
    }

    [Fact]
    public void New_seeds_keep_every_promise()
    {
        int count = SeedsAsked ?? (IsFull ? FullSeeds : ShortSeeds);

        // New ones each time: the clock is where they come from, and it is printed with each failure.
        ulong first = (ulong)DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 100_000;
        StringWriter failures = new();
        SweepSummary summary =
            new SimulationSweep(Run, failures).Run(Enumerable.Range(0, count).Select(n => first + (ulong)n), FailuresShown);
        string report = $"{failures}first seed {first}: {summary}";
        Console.WriteLine(report);
        Assert.True(summary.Failures.Count == 0, report);
        Assert.True(summary.Missing().Count == 0, $"nothing of {string.Join(", ", summary.Missing())} in {report}");
    }

    private static int? SeedsAsked => Environment.GetEnvironmentVariable("RAFTMQ_SIM_SEEDS") is { } seeds
        ? int.Parse(seeds, CultureInfo.InvariantCulture)
        : null;

    private static bool IsFull => Environment.GetEnvironmentVariable("RAFTMQ_FULL") == "1";

    private static bool IsShort => SeedsAsked is null && !IsFull;

    private static SimulationResult Run(ulong seed) => Simulator.Run(new SimulationOptions { Seed = seed });

    /// <summary>Each line of Seeds.txt: a seed, a space, the reason.</summary>
    private static IEnumerable<ulong> KnownSeeds() =>
        File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Seeds.txt"))
            .Where(line => line.Length > 0 && line[0] != '#')
            .Select(line => ulong.Parse(line.Split(' ')[0], CultureInfo.InvariantCulture));
}
