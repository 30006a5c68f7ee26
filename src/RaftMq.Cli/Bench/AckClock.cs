using System.Diagnostics;

namespace RaftMq.Cli.Bench;

/// <summary>The longest time without an acknowledgement, over all producers, while it is watched.</summary>
internal sealed class AckClock
{
    private readonly Lock gate = new();
    private long lastTicks;
    private long longestTicks;

    public TimeSpan Longest
    {
        get
        {
            lock (gate)
            {
                return Stopwatch.GetElapsedTime(0, longestTicks);
            }
        }
    }

    /// <summary>Begins to count from here.</summary>
    public void Start(long nowTicks)
    {
        lock (gate)
        {
            lastTicks = nowTicks;
            longestTicks = 0;
        }
    }

    public void Acked(long nowTicks)
    {
        lock (gate)
        {
            longestTicks = Math.Max(longestTicks, nowTicks - lastTicks);
            lastTicks = Math.Max(lastTicks, nowTicks);
        }
    }
}
