using RaftMq.Broker.Environment;

namespace RaftMq.Kafka.Tests.Fakes;

/// <summary>One hand moves the broker's clock and the timers together. Its frequency is odd on purpose.</summary>
internal sealed class FakeClock : TimeProvider, IClock
{
    private readonly Lock gate = new();
    private readonly List<FakeTimer> timers = [];
    private long nowMs = 1_000_003;

    public long MonotonicMs => Volatile.Read(ref nowMs);

    public long UnixMs => 1_700_000_000_000 + MonotonicMs;

    public override long TimestampFrequency => 7_000;

    public int ActiveTimers
    {
        get
        {
            lock (gate)
            {
                return timers.Count;
            }
        }
    }

    public override long GetTimestamp() => MonotonicMs * 7;

    public void Advance(long ms)
    {
        long now = Interlocked.Add(ref nowMs, ms);
        List<FakeTimer> due;
        lock (gate)
        {
            due = timers.Where(timer => timer.DueMs <= now).ToList();
            timers.RemoveAll(due.Contains);
        }

        due.ForEach(timer => timer.Fire());
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new FakeTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private void Set(FakeTimer timer, TimeSpan dueTime)
    {
        lock (gate)
        {
            timers.Remove(timer);
            if (dueTime != Timeout.InfiniteTimeSpan)
            {
                timer.DueMs = MonotonicMs + (long)dueTime.TotalMilliseconds;
                timers.Add(timer);
            }
        }
    }

    private sealed class FakeTimer(FakeClock clock, TimerCallback callback, object? state) : ITimer
    {
        public long DueMs { get; set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            clock.Set(this, dueTime);
            return true;
        }

        public void Dispose() => clock.Set(this, Timeout.InfiniteTimeSpan);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
