namespace RaftMq.Kafka.Wire;

/// <summary>What the start of received bytes is.</summary>
public enum FrameVerdict
{
    /// <summary>More must be received.</summary>
    Incomplete,

    /// <summary>A whole frame is there.</summary>
    Complete,

    /// <summary>Over the limit: close the connection, nothing behind it can be found.</summary>
    TooLarge,

    /// <summary>A negative length: this is not a client of ours.</summary>
    NotAFrame,
}
