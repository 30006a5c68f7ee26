using RaftMq.Raft;

namespace RaftMq.Simulation.Checkers;

/// <summary>
/// Log matching (Raft 5.3): two logs that have an entry of the same index and term are equal up to it. Which is: index and term name
/// one entry with one content, and one predecessor.
/// </summary>
public sealed class LogMatchingChecker : PromiseChecker
{
    private readonly Dictionary<(GroupId Group, LogIndex Index, Term Term), (Term Previous, uint Checksum)> _entries = [];

    public override string Promise => "log matching";

    public override string? Observe(HistoryEvent happened)
    {
        if (happened is not HistoryEvent.EntrySeen seen
            || _entries.TryAdd((seen.Group, seen.Index, seen.Term), (seen.Previous, seen.Checksum)))
        {
            return null;
        }

        (Term previous, uint checksum) = _entries[(seen.Group, seen.Index, seen.Term)];
        if (checksum != seen.Checksum)
        {
            return $"group {seen.Group}: the entry {seen.Index} of {seen.Term} has two contents";
        }

        return previous == seen.Previous
            ? null
            : $"group {seen.Group}: before the entry {seen.Index} of {seen.Term} stands one of {previous} and one of {seen.Previous}";
    }
}
