namespace RaftMq.Simulation.Checkers;

/// <summary>
/// Nodes of several versions side by side: the cluster's feature level is one that all of its nodes know, and in the end the newest of those.
/// </summary>
public sealed class FeatureLevelChecker : PromiseChecker
{
    public override string Promise => "feature level";

    public override string? Observe(HistoryEvent happened) => happened switch
    {
        HistoryEvent.FeatureLevelKnown known when known.Level > known.Oldest =>
            $"{known.By} knows the cluster at feature level {known.Level}, and a node of it that knows no newer one than {known.Oldest}",
        HistoryEvent.FeatureLevelKnown known when known.Level > known.Own =>
            $"{known.By} knows the cluster at feature level {known.Level}, and its own program no newer one than {known.Own}",
        HistoryEvent.FeatureLevelKnown { IsAtEnd: true } known when known.Level < known.Oldest =>
            $"in the end {known.By} knows the cluster at feature level {known.Level}, and all of its nodes know {known.Oldest}",
        _ => null,
    };
}
