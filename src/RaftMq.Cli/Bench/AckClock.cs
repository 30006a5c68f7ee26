using System.Diagnostics;

namespace RaftMq.Cli.Bench;

/// <summary>The longest time without an acknowledgement, over all producers, that began while it was watched.</summary>
internal sealed class AckClock
{
    private readonly Lock gate = new();
    private long lastTicks;
    private long longestTicks;
    private bool isEnding;
    private bool hasEnded;

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

    /// <summary>The measured time is over. A gap that is open now is still counted, until the next acknowledgement closes it.</summary>
    public void End()
    {
        lock (gate)
        {
            isEnding = true;
        }
    }

    public void Acked(long nowTicks)
    {
        lock (gate)
        {
            if (hasEnded)
            {
                return;
            }

            hasEnded = isEnding;
            longestTicks = Math.Max(longestTicks, nowTicks - lastTicks);
            lastTicks = Math.Max(lastTicks, nowTicks);
        }
    }
}
