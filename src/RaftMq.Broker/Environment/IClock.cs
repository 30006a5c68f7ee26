namespace RaftMq.Broker.Environment;

/// <summary>Time, from outside. In the product the system's clocks, in the simulator a virtual one per node, with jumps and drift.</summary>
public interface IClock
{
    /// <summary>Milliseconds since an arbitrary start; never goes back. For time-outs.</summary>
    long MonotonicMs { get; }

    /// <summary>Milliseconds since 1970-01-01 UTC; may jump. For record timestamps, retention, and how long a node is expected.</summary>
    long UnixMs { get; }
}
