namespace RaftMq.Simulation.Checkers;

/// <param name="Promise">The promise's name in the design.</param>
/// <param name="AtUs">Virtual microseconds since the run began.</param>
public sealed record Violation(string Promise, string Text, long AtUs);
