using RaftMq.Simulation.World;

namespace RaftMq.Simulation;

/// <summary>What many runs did together. Runs in which nothing happened prove nothing, so that too is a failure.</summary>
public sealed class SweepSummary
{
    private readonly List<SimulationResult> _failures = [];

    public int Runs { get; private set; }

    public Totals Totals { get; } = new();

    public TimeSpan RealDuration { get; internal set; }

    /// <summary>Runs that broke a promise, and runs without one ack.</summary>
    public IReadOnlyList<SimulationResult> Failures => _failures;

    /// <summary>What should have happened somewhere in these runs and did not; empty when all is there.</summary>
    public IReadOnlyList<string> Missing()
    {
        List<string> missing = [];
        void Need(long count, string what)
        {
            if (count == 0)
            {
                missing.Add(what);
            }
        }

        Need(Totals.Acks, "acks");
        Need(Totals.Crashes, "crashes");
        Need(Totals.PowerCuts, "power cuts");
        Need(Totals.NetworkCuts, "network cuts");
        Need(Totals.LeaderChanges, "leader changes");
        Need(Totals.RetriedDuplicates, "retried duplicates");
        return missing;
    }

    public override string ToString() =>
        $"{Runs} seeds, {Failures.Count} failed, {Totals.VirtualUs / 1e6:F0} virtual seconds in {RealDuration.TotalSeconds:F1} s "
        + $"({Totals.VirtualUs / 1e6 / Math.Max(RealDuration.TotalSeconds, 1e-6):F0} per second): {Totals}";

    internal void Add(SimulationResult result)
    {
        Runs++;
        Totals.Add(result.Totals);
        if (result.Violation is not null || result.Totals.Acks == 0)
        {
            _failures.Add(result);
        }
    }
}
