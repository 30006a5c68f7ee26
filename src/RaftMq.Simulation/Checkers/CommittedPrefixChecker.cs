using RaftMq.Raft;

namespace RaftMq.Simulation.Checkers;

/// <summary>State machine safety (Raft 5.4.3): what any replica committed at an index, all commit there.</summary>
public sealed class CommittedPrefixChecker : PromiseChecker
{
    private readonly Dictionary<(GroupId Group, LogIndex Index), (Term Term, NodeId Node)> _committed = [];

    public override string Promise => "committed prefix";

    public override string? Observe(HistoryEvent happened)
    {
        if (happened is not HistoryEvent.EntryCommitted seen
            || _committed.TryAdd((seen.Group, seen.Index), (seen.Term, seen.Node)))
        {
            return null;
        }

        (Term term, NodeId node) = _committed[(seen.Group, seen.Index)];
        return term == seen.Term
            ? null
            : $"group {seen.Group}: at {seen.Index} {node} committed an entry of {term} and {seen.Node} one of {seen.Term}";
    }
}
