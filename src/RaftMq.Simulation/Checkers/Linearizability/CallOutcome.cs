namespace RaftMq.Simulation.Checkers;

/// <summary>What a call said of itself.</summary>
public enum CallOutcome
{
    /// <summary>Nothing that tells whether it had an effect.</summary>
    None,

    Done,

    /// <summary>The object is not as the call needs it: a topic is there already, or has as many partitions.</summary>
    Refused,

    /// <summary>There is no such object.</summary>
    Absent,
}
