using System.Diagnostics;
using RaftMq.Broker.Environment;

namespace RaftMq.Server.Hosting;

/// <summary>The machine's clocks.</summary>
internal sealed class SystemClock : IClock
{
    public long MonotonicMs => Stopwatch.GetTimestamp() / (Stopwatch.Frequency / 1000);

    public long UnixMs => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
}
