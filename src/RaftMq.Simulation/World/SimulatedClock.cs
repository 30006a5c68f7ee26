using RaftMq.Broker.Environment;

namespace RaftMq.Simulation.World;

/// <summary>
/// A node's clocks: both drift against virtual time, the wall clock also jumps. They belong to the machine, not to the process:
/// they go on while the node is down.
/// </summary>
internal sealed class SimulatedClock(SimulationWorld world, int driftPpm) : IClock
{
    /// <summary>2026-01-01 00:00 UTC; any fixed day would do.</summary>
    private const long StartUnixMs = 1_767_225_600_000;

    private readonly int _driftPpm = driftPpm;
    private long _jumpMs;

    public long MonotonicMs => LocalUs / 1000;

    public long UnixMs
    {
        get
        {
            long now = StartUnixMs + (LocalUs / 1000) + _jumpMs;
            LatestUnixMs = Math.Max(LatestUnixMs, now);
            world.LatestUnixMs = Math.Max(world.LatestUnixMs, now);
            return now;
        }
    }

    /// <summary>Of all that <see cref="UnixMs"/> has shown: whoever decided something by this clock was told no later one.</summary>
    public long LatestUnixMs { get; private set; }

    private long LocalUs => world.NowUs + (world.NowUs * _driftPpm / 1_000_000);

    public void Jump(long ms) => _jumpMs += ms;

    public void CorrectJumps() => _jumpMs = 0;
}
