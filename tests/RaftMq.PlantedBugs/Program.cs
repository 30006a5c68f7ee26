using System.Diagnostics;
using System.Globalization;
using System.Text;
using RaftMq.Simulation.Coverage;

namespace RaftMq.PlantedBugs;

/// <summary>
/// Tests the simulator: each planted bug must be found by it, in every set of seeds. Built with <c>-c Planted</c>.
/// Ends with 0 when all were found, 1 when one was not, 2 when it was called wrongly.
/// </summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        HuntOptions options;
        try
        {
            options = HuntOptions.Parse(arguments);
        }
        catch (FormatException exception)
        {
            Console.Error.WriteLine(exception.Message);
            return 2;
        }

        var switches = new BugSwitches();
        if (switches.Names.Count == 0)
        {
            Console.Error.WriteLine("Nothing is planted in this build: build with -c Planted.");
            return 2;
        }

        if (options.Bugs.FirstOrDefault(bug => !switches.Names.Contains(bug)) is { } unknown)
        {
            Console.Error.WriteLine($"There is no planted bug {unknown}. There are: {string.Join(", ", switches.Names)}.");
            return 2;
        }

        List<HuntResult> results = [];
        long started = Stopwatch.GetTimestamp();
        IEnumerable<string> bugs = options.Daily is not null ? DailyChoice.Of(DateTimeOffset.UtcNow) : options.Bugs.Count > 0 ? options.Bugs : switches.Names;
        foreach (string bug in bugs)
        {
            if (options.Daily is { } limit && Stopwatch.GetElapsedTime(started) > limit)
            {
                break;
            }

            switches.TurnOn(bug);
            HuntResult result = Hunt.For(bug, options);
            results.Add(result);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{bug}: found in {result.Found} of {options.Sets} sets by {result.Checkers}; seeds: median {result.Median}, worst {result.Worst}; {result.Duration.TotalSeconds:F1} s"));
            if (options.Bugs.Count > 0)
            {
                foreach (SetResult set in result.Sets)
                {
                    Console.WriteLine($"  from seed {set.FirstSeed}, {set.Seeds} seeds: {set.Found?.Promise} {set.Found?.Text}");
                }
            }
        }

        switches.TurnOn(null);
        bool controlHeld = !options.WithControl || Control(options, results.Max(static result => result.Worst));
        if (options.Table is { } path)
        {
            File.WriteAllText(path, Table(results));
        }

        return controlHeld && results.TrueForAll(result => result.Found == options.Sets) ? 0 : 1;
    }

    private static bool Control(HuntOptions options, int seeds)
    {
        HuntResult control = Hunt.For("none", options with { SeedsMax = seeds });
        Console.WriteLine($"no bug: {control.Found} of {options.Sets} sets of {seeds} seeds found something; {control.Duration.TotalSeconds:F1} s");
        Console.WriteLine(CoverageTable.Markdown(control.Coverage));
        return control.Found == 0;
    }

    private static string Table(List<HuntResult> results)
    {
        var table = new StringBuilder("| bug | found by | found of sets | median seeds | worst |\n|---|---|---|---|---|\n");
        foreach (HuntResult result in results)
        {
            table.Append(CultureInfo.InvariantCulture, $"| {result.Bug} | {result.Checkers} | {result.Found} of {result.Sets.Count} | {result.Median} | {result.Worst} |\n");
        }

        return table.ToString();
    }
}
