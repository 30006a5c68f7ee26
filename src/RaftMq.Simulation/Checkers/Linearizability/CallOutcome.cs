namespace RaftMq.Simulation.Checkers;

/// <summary>What a call said of itself. A call may leave open which of several it will say.</summary>
[Flags]
public enum CallOutcome
{
    /// <summary>Nothing that tells whether it had an effect.</summary>
    None = 0,

    Done = 1,

    /// <summary>The object is not as the call needs it: a topic is there already, or has as many partitions.</summary>
    Refused = 2,

    /// <summary>There is no such object.</summary>
    Absent = 4,
}
