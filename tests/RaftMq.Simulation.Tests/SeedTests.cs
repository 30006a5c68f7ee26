using System.Diagnostics;
using System.Globalization;
using RaftMq.Testing;

namespace RaftMq.Simulation.Tests;

public sealed class SeedTests
{
    /// <summary>Set to a number of new seeds; tests/run.sh sets it to 330.</summary>
    private const string SeedsVariable = "RAFTMQ_SIM_SEEDS";

    /// <summary>Set to where new seeds begin; tests/run.sh sets it to what it makes of the commit.</summary>
    private const string FirstVariable = "RAFTMQ_SIM_FIRST";

    /// <summary>Set to minutes: new seeds are begun for so long.</summary>
    private const string MinutesVariable = "RAFTMQ_SIM_MINUTES";

    /// <summary>New seeds where nobody says how many.</summary>
    private const int ShortSeeds = 4;

    /// <summary>The long form is bounded in time, so that a faster machine sees more.</summary>
    private const double FullMinutes = 32;

    private const int FailuresShown = 3;

    [Fact]
    public void Seeds_that_once_found_a_bug_find_none()
    {
        ulong[] known = [.. KnownSeeds()];

        // The short form takes turns: two of them each time.
        int turn = (int)(FirstSeed() / 100_000 % (ulong)known.Length);
        bool isShort = Asked(SeedsVariable) is null && Minutes is null;
        SweepSummary summary = SweepSummary.Of(isShort ? [known[turn], known[(turn + 1) % known.Length]] : known, failuresMax: int.MaxValue);
        Assert.True(summary.Failures.Count == 0, summary.Report);
    }

    [Fact]
    public void New_seeds_keep_every_promise()
    {
        ulong first = FirstSeed();
        SweepSummary summary = SweepSummary.Of(NewSeeds(first), FailuresShown);
        Console.WriteLine($"first seed {first}: {summary}");
        Assert.True(summary.Failures.Count == 0, summary.Report);
        Assert.True(summary.Missing().Count == 0, $"nothing of {string.Join(", ", summary.Missing())} in {summary}");
    }

    private static double? Minutes => Asked(MinutesVariable) ?? (LongForm.IsOn && Asked(SeedsVariable) is null ? FullMinutes : null);

    private static double? Asked(string variable) => Environment.GetEnvironmentVariable(variable) is { } number
        ? double.Parse(number, CultureInfo.InvariantCulture)
        : null;

    /// <summary>From the clock where nobody says it: new ones each time. It is printed with each failure.</summary>
    private static ulong FirstSeed() => Environment.GetEnvironmentVariable(FirstVariable) is { } first
        ? ulong.Parse(first, CultureInfo.InvariantCulture)
        : (ulong)DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 100_000;

    /// <summary>As many as are asked for, or all that can be begun within the minutes; with both, whatever ends first.</summary>
    private static IEnumerable<ulong> NewSeeds(ulong first)
    {
        long started = Stopwatch.GetTimestamp();
        double count = Asked(SeedsVariable) ?? (Minutes is null ? ShortSeeds : double.PositiveInfinity);
        double minutes = Minutes ?? double.PositiveInfinity;
        for (ulong n = 0; n < count && Stopwatch.GetElapsedTime(started).TotalMinutes < minutes; n++)
        {
            yield return first + n;
        }
    }

    /// <summary>Each line of Seeds.txt: a seed, a space, the reason.</summary>
    private static IEnumerable<ulong> KnownSeeds() =>
        File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Seeds.txt"))
            .Where(line => line.Length > 0 && line[0] != '#')
            .Select(line => ulong.Parse(line.Split(' ')[0], CultureInfo.InvariantCulture));
}
