using RaftMq.Simulation.Checkers;
using RaftMq.Simulation.Coverage;
using RaftMq.Simulation.World;

namespace RaftMq.Simulation;

/// <param name="TraceHash">Equal for equal seeds at one commit.</param>
/// <param name="Violation">The first broken promise; null when all held.</param>
public sealed record SimulationResult(
    ulong Seed, string Commit, int Nodes, ulong TraceHash, Totals Totals, RunCoverage Coverage, Violation? Violation, TimeSpan RealDuration)
{
    /// <summary>The one line that replays the run.</summary>
    public string ReplayLine => $"replay: raftmq sim --seed {Seed}   (at commit {Commit})";

    public double VirtualSecondsPerRealSecond =>
        Totals.VirtualUs / 1e6 / Math.Max(RealDuration.TotalSeconds, 1e-6);

    public override string ToString() => Violation is null
        ? $"seed {Seed}: {Nodes} nodes, hash {TraceHash:x16}, {Totals}"
        : $"{ReplayLine}\n  {Violation.Promise} at {Violation.AtUs / 1e6:F6} s: {Violation.Text}";
}
