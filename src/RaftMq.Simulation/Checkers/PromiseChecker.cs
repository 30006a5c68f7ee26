namespace RaftMq.Simulation.Checkers;

/// <summary>One promise of the design, checked against what is observed. Simulation and chaos use the same ones.</summary>
public abstract class PromiseChecker
{
    /// <summary>The promise's name in the design.</summary>
    public abstract string Promise { get; }

    /// <summary>Null, or what breaks the promise, for people. After the first objection the checker is of no further use.</summary>
    public abstract string? Observe(HistoryEvent happened);
}
