using RaftMq.Raft;

namespace RaftMq.Simulation.Checkers;

/// <summary>
/// COUNTED, as far as there is something to count: each record that was accepted is visible, and has an offset of its own; and the counters are the same
/// on every replica when all is over.
/// </summary>
public sealed class CountedChecker : PromiseChecker
{
    private readonly Dictionary<GroupId, HistoryEvent.CountersAtEnd> _seen = [];

    public override string Promise => "COUNTED";

    public override string? Observe(HistoryEvent happened)
    {
        if (happened is not HistoryEvent.CountersAtEnd counters)
        {
            return null;
        }

        if (counters.Accepted != counters.Visible || counters.Accepted != counters.Offsets)
        {
            return $"group {counters.Group}: {counters.Node} counts {counters.Accepted} accepted, {counters.Visible} visible, and has {counters.Offsets} offsets";
        }

        return _seen.TryAdd(counters.Group, counters) || _seen[counters.Group] with { Node = counters.Node } == counters
            ? null
            : $"group {counters.Group}: {_seen[counters.Group].Node} counts {_seen[counters.Group].Accepted} accepted, {counters.Node} {counters.Accepted}";
    }
}
