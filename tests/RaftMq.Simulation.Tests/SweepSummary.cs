using System.Diagnostics;
using System.Text;
using RaftMq.Simulation.Coverage;
using RaftMq.Simulation.World;
using RaftMq.Testing.Seeds;

namespace RaftMq.Simulation.Tests;

/// <summary>What many runs did together. Runs in which nothing happened prove nothing, so that too is a failure.</summary>
internal sealed class SweepSummary
{
    private readonly List<SimulationResult> _failures = [];
    private readonly StringBuilder _failed = new();

    public int Runs { get; private set; }

    public Totals Totals { get; } = new();

    public RunCoverage Coverage { get; } = RunCoverage.OfNoRun();

    public TimeSpan RealDuration { get; private set; }

    /// <summary>Runs that broke a promise, and runs without one ack.</summary>
    public IReadOnlyList<SimulationResult> Failures => _failures;

    /// <summary>The failures in full, each with its replay line first; then what all runs did.</summary>
    public string Report => _failed.ToString() + this;

    /// <summary>Runs the seeds, one per core at a time; after <paramref name="failuresMax"/> failures begins no more.</summary>
    public static SweepSummary Of(IEnumerable<ulong> seeds, int failuresMax)
    {
        long started = Stopwatch.GetTimestamp();
        SweepSummary summary = new();
        SeedSweep.Run(seeds, seed => Simulator.Run(new SimulationOptions { Seed = seed }), result =>
        {
            summary.Add(result);
            return summary.Failures.Count < failuresMax;
        });
        summary.RealDuration = Stopwatch.GetElapsedTime(started);
        return summary;
    }

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
        Need(Totals.Pauses, "pauses");
        Need(Totals.LeaderChanges, "leader changes");
        Need(Totals.RetriedDuplicates, "retried duplicates");
        return missing;
    }

    public override string ToString() =>
        $"{Runs} seeds, {Failures.Count} failed, {Totals.VirtualUs / 1e6:F0} virtual seconds in {RealDuration.TotalSeconds:F1} s "
        + $"({Totals.VirtualUs / 1e6 / Math.Max(RealDuration.TotalSeconds, 1e-6):F0} per second): {Totals}";

    private void Add(SimulationResult result)
    {
        Runs++;
        Totals.Add(result.Totals);
        Coverage.Add(result.Coverage);
        if (result.Violation is not null || result.Totals.Acks == 0)
        {
            _failures.Add(result);
            _failed.AppendLine(result.Violation is null ? $"{result.ReplayLine}\n  not one ack" : result.ToString());
        }
    }
}
