namespace RaftMq.Simulation.Checkers;

/// <summary>
/// PROGRESS, of consumer groups with members: a generation is one set of assignments for ever, made by one leader; each partition belongs to one of
/// its members; nobody hears of an older generation than was told before; who has been fenced commits nothing. Once the faults are over each
/// group commits again within 20 s.
/// </summary>
public sealed class GroupChecker : PromiseChecker
{
    public const long MovesWithinUs = 20_000_000;

    private readonly SortedDictionary<string, Group> _groups = new(StringComparer.Ordinal);

    /// <summary>Open requests, with the newest generation that was told when they began.</summary>
    private readonly Dictionary<long, (string Group, int Told)> _asked = [];
    private long _healedAtUs = -1;

    public override string Promise => "PROGRESS";

    public override string? Observe(HistoryEvent happened)
    {
        switch (happened)
        {
            case HistoryEvent.GroupExpected expected:
                Of(expected.Group);
                return null;
            case HistoryEvent.MemberAsked asked:
                _asked[asked.Request] = (asked.Group, Of(asked.Group).Told);
                return null;
            case HistoryEvent.MemberJoined joined:
                return Joined(joined);
            case HistoryEvent.AssignmentMade made:
                return Made(made);
            case HistoryEvent.MemberAssigned assigned:
                return Assigned(assigned);
            case HistoryEvent.MemberCommitted committed:
                return Committed(committed);
            case HistoryEvent.Healed healed:
                _healedAtUs = healed.AtUs;
                return null;
            case HistoryEvent.Ended when _healedAtUs >= 0:
                return _groups.Where(g => !IsInTime(g.Value)).Select(g =>
                    $"'{g.Key}' committed nothing within {MovesWithinUs / 1_000_000} s after the faults were over").FirstOrDefault();
            default:
                return null;
        }
    }

    private bool IsInTime(Group group) => group.MovedAtUs >= 0 && group.MovedAtUs - _healedAtUs <= MovesWithinUs;

    private string? Joined(HistoryEvent.MemberJoined joined)
    {
        Group group = Of(joined.Group);
        if (!_asked.Remove(joined.Request, out (string Group, int Told) asked) || joined.Generation < asked.Told)
        {
            return $"'{joined.Group}': {joined.Member} joins generation {joined.Generation}; {asked.Told} was told before it asked";
        }

        group.Told = Math.Max(group.Told, joined.Generation);
        return group.Leaders.TryAdd(joined.Generation, joined.Leader) || group.Leaders[joined.Generation] == joined.Leader
            ? null
            : $"'{joined.Group}': generation {joined.Generation} is led by {group.Leaders[joined.Generation]} and by {joined.Leader}";
    }

    private string? Made(HistoryEvent.AssignmentMade made)
    {
        Group group = Of(made.Group);
        if (!group.Made.TryGetValue(made.Generation, out List<IReadOnlyDictionary<string, IReadOnlyList<int>>>? all))
        {
            group.Made.Add(made.Generation, all = []);
        }

        all.Add(made.Partitions);
        return null;
    }

    private string? Assigned(HistoryEvent.MemberAssigned assigned)
    {
        Group group = Of(assigned.Group);
        string what = $"'{assigned.Group}': {assigned.Member} has partitions {string.Join(',', assigned.Partitions)} in generation {assigned.Generation}";
        foreach (int partition in assigned.Partitions)
        {
            if (!group.Owners.TryAdd((assigned.Generation, partition), assigned.Member)
                && group.Owners[(assigned.Generation, partition)] is var owner && owner != assigned.Member)
            {
                return $"{what}; {partition} belongs to {owner}";
            }
        }

        bool isMade = group.Made.GetValueOrDefault(assigned.Generation, [])
            .Exists(made => made.GetValueOrDefault(assigned.Member, []).SequenceEqual(assigned.Partitions));
        return isMade ? null : $"{what}, which its leader did not say";
    }

    private string? Committed(HistoryEvent.MemberCommitted committed)
    {
        Group group = Of(committed.Group);
        if (!_asked.Remove(committed.Request, out (string Group, int Told) asked) || committed.Generation < asked.Told)
        {
            return $"'{committed.Group}': {committed.Member} of generation {committed.Generation} commits, though {asked.Told} was told before it asked";
        }

        if (!group.Owners.TryGetValue((committed.Generation, committed.Partition), out string? owner) || owner != committed.Member)
        {
            return $"'{committed.Group}': {committed.Member} commits for partition {committed.Partition} in generation {committed.Generation}, which belongs to {owner ?? "nobody"}";
        }

        if (_healedAtUs >= 0 && group.MovedAtUs < 0)
        {
            group.MovedAtUs = committed.AtUs;
        }

        return null;
    }

    private Group Of(string name)
    {
        if (!_groups.TryGetValue(name, out Group? group))
        {
            _groups.Add(name, group = new Group());
        }

        return group;
    }

    private sealed class Group
    {
        /// <summary>The newest generation that anybody was told of.</summary>
        public int Told { get; set; }

        public Dictionary<int, string> Leaders { get; } = [];

        /// <summary>What the leader of a generation said, once or again and again.</summary>
        public Dictionary<int, List<IReadOnlyDictionary<string, IReadOnlyList<int>>>> Made { get; } = [];

        public Dictionary<(int Generation, int Partition), string> Owners { get; } = [];

        /// <summary>The first commit behind the healing; -1 before it.</summary>
        public long MovedAtUs { get; set; } = -1;
    }
}
