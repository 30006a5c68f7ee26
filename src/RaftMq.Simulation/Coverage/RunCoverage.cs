namespace RaftMq.Simulation.Coverage;

/// <summary>How often a run, or many, reached what.</summary>
public sealed class RunCoverage
{
    private readonly SortedDictionary<(CoverageKind Kind, string Name), Reach> _reached = new(Comparer<(CoverageKind Kind, string Name)>.Create(
        static (a, b) => a.Kind != b.Kind ? a.Kind.CompareTo(b.Kind) : string.CompareOrdinal(a.Name, b.Name)));

    /// <summary>Of one thing.</summary>
    /// <param name="Times">In all runs together.</param>
    /// <param name="Runs">In which it was reached at least once.</param>
    public readonly record struct Reach(long Times, long Runs);

    public int Runs { get; private set; } = 1;

    /// <summary>In order of kind and name.</summary>
    public IEnumerable<(CoverageKind Kind, string Name, Reach Reach)> All => _reached.Select(entry => (entry.Key.Kind, entry.Key.Name, entry.Value));

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

    internal void Hit(CoverageKind kind, string name) =>
        _reached[(kind, name)] = new Reach(Of(kind, name).Times + 1, 1);
}
