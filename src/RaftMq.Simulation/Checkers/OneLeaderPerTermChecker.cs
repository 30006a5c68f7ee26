using RaftMq.Raft;

namespace RaftMq.Simulation.Checkers;

/// <summary>Election safety (Raft 5.2): no two nodes act as leader of one term.</summary>
public sealed class OneLeaderPerTermChecker : PromiseChecker
{
    private readonly Dictionary<(GroupId Group, Term Term), NodeId> _leaders = [];
    private readonly HashSet<GroupId> _groups = [];

    public override string Promise => "one leader per term";

    /// <summary>Elections won, beyond the first of each group.</summary>
    public long LeaderChanges => _leaders.Count - _groups.Count;

    public override string? Observe(HistoryEvent happened)
    {
        if (happened is not HistoryEvent.LeaderSeen seen)
        {
            return null;
        }

        _groups.Add(seen.Group);
        if (_leaders.TryAdd((seen.Group, seen.Term), seen.Node))
        {
            return null;
        }

        NodeId first = _leaders[(seen.Group, seen.Term)];
        return first == seen.Node ? null : $"group {seen.Group}: both {first} and {seen.Node} lead term {seen.Term}";
    }
}
