using System.Runtime.InteropServices;

namespace RaftMq.Simulation.Coverage;

/// <summary>How often a run, or many, reached what.</summary>
public sealed class RunCoverage
{
    private readonly Dictionary<(CoverageKind Kind, string Name), Reach> _reached = [];

    /// <summary>Of one thing.</summary>
    /// <param name="Times">In all runs together.</param>
    /// <param name="Runs">In which it was reached at least once.</param>
    public readonly record struct Reach(long Times, long Runs);

    public int Runs { get; private set; } = 1;

    /// <summary>In order of kind and name.</summary>
    public IEnumerable<(CoverageKind Kind, string Name, Reach Reach)> All => _reached
        .Select(entry => (entry.Key.Kind, entry.Key.Name, entry.Value))
        .OrderBy(entry => entry.Kind)
        .ThenBy(entry => entry.Name, StringComparer.Ordinal);

    public Reach Of(CoverageKind kind, string name) => _reached.GetValueOrDefault((kind, name));

    /// <summary>Nothing was run yet: for sums.</summary>
    public static RunCoverage OfNoRun() => new() { Runs = 0 };

    public void Add(RunCoverage other)
    {
        Runs += other.Runs;
        foreach ((CoverageKind kind, string name, Reach reach) in other.All)
        {
            Reach before = Of(kind, name);
            _reached[(kind, name)] = new Reach(before.Times + reach.Times, before.Runs + reach.Runs);
        }
    }

    internal void Hit(CoverageKind kind, string name)
    {
        ref Reach reach = ref CollectionsMarshal.GetValueRefOrAddDefault(_reached, (kind, name), out _);
        reach = new Reach(reach.Times + 1, 1);
    }
}
