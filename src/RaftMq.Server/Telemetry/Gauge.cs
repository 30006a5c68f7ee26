namespace RaftMq.Server.Telemetry;

/// <summary>A number that goes up and down. May be moved from any thread.</summary>
internal sealed class Gauge
{
    private long _value;

    public long Value => Interlocked.Read(ref _value);

    public void Set(long value) => Interlocked.Exchange(ref _value, value);

    /// <summary>Returns the value after the change, so that a limit can be kept with one operation.</summary>
    public long Add(long amount) => Interlocked.Add(ref _value, amount);
}
