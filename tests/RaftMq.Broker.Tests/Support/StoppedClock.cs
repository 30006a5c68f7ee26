using RaftMq.Broker.Environment;

namespace RaftMq.Broker.Tests.Support;

/// <summary>Time passes when it is told to.</summary>
internal sealed class StoppedClock : IClock
{
    public long MonotonicMs { get; set; }

    public long UnixMs { get; set; } = 1_000_000;
}
