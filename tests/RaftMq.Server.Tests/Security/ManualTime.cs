namespace RaftMq.Server.Tests.Security;

/// <summary>A clock that moves when it is told; with an odd frequency, so that nobody takes ticks for milliseconds.</summary>
internal sealed class ManualTime : TimeProvider
{
    private long _now = 1_000_003;

    public override long TimestampFrequency => 999_983;

    public override long GetTimestamp() => Interlocked.Read(ref _now);

    public void Advance(TimeSpan time) => Interlocked.Add(ref _now, (long)(time.TotalSeconds * TimestampFrequency) + 1);
}
