using System.Globalization;

namespace RaftMq.Simulation.Tests;

public sealed class SeedTests
{
    /// <summary>Seeds of the short form; CI's simulation stage sets RAFTMQ_SIM_SEEDS (at least 500), RAFTMQ_FULL=1 runs many more.</summary>
    private const int ShortSeeds = 8;

    private const int FullSeeds = 5_000;

    private const int FailuresShown = 3;

    [Fact]
    public void Seeds_that_once_found_a_bug_find_none()
    {
        StringWriter failures = new();
        SweepSummary summary = new SimulationSweep(Run, failures).Run(KnownSeeds(), failuresMax: int.MaxValue);
        Assert.True(summary.Failures.Count == 0, failures.ToString());
    }

    [Fact]
    public void New_seeds_keep_every_promise()
    {
        int count = Environment.GetEnvironmentVariable("RAFTMQ_SIM_SEEDS") is { } seeds
            ? int.Parse(seeds, CultureInfo.InvariantCulture)
            : Environment.GetEnvironmentVariable("RAFTMQ_FULL") == "1" ? FullSeeds : ShortSeeds;

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

    private static SimulationResult Run(ulong seed) => Simulator.Run(new SimulationOptions { Seed = seed });

    /// <summary>Each line of Seeds.txt: a seed, a space, the reason.</summary>
    private static IEnumerable<ulong> KnownSeeds() =>
        File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Seeds.txt"))
            .Where(line => line.Length > 0 && line[0] != '#')
            .Select(line => ulong.Parse(line.Split(' ')[0], CultureInfo.InvariantCulture));
}
