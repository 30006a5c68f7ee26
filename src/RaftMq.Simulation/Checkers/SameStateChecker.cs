using RaftMq.Raft;

namespace RaftMq.Simulation.Checkers;

/// <summary>
/// Replicas make the same of the same log (decision 0016). One whose memory was spoilt must be found by what the replicas say of their states, and be gone
/// in the end, if its group had enough to compare; any other difference is the product's own. Between two comparisons a spoilt leader is believed: who
/// may have taken its snapshot says nothing about the product any more. One that says that it made its state again where it is must have it right from then on.
/// </summary>
/// <param name="distance">States are compared after each entry whose index this divides.</param>
public sealed class SameStateChecker(int distance) : PromiseChecker
{
    /// <summary>Comparisons while all is well that must be enough: one may fall into a change of leaders.</summary>
    private const int ComparisonsOwed = 2;

    private readonly HashSet<(NodeId Node, GroupId Key)> _spoilt = [];
    private readonly Dictionary<(NodeId Node, string Name), GroupId> _spoiltNames = [];
    private readonly HashSet<(NodeId Node, GroupId Group)> _sources = [];
    private readonly Dictionary<GroupId, string> _topicOf = [];
    private readonly HashSet<GroupId> _spread = [];
    private readonly Dictionary<GroupId, LogIndex> _committed = [];
    private readonly SortedDictionary<GroupId, List<HistoryEvent.StateAtEnd>> _atEnd = [];
    private Dictionary<GroupId, LogIndex>? _calmFrom;
    private Dictionary<GroupId, LogIndex>? _calmTo;

    public override string Promise => "same state";

    public override string? Observe(HistoryEvent happened)
    {
        switch (happened)
        {
            case HistoryEvent.StateSpoilt spoilt:
                _spoilt.Add((spoilt.Node, spoilt.Key));
                _spoiltNames[(spoilt.Node, spoilt.Name)] = spoilt.Key;
                _sources.Add((spoilt.Node, spoilt.Group));
                _topicOf[spoilt.Group] = WithoutLife(spoilt.Name);
                return null;
            case HistoryEvent.SnapshotGiven given:
                if (_sources.Contains((given.Node, given.Group)))
                {
                    _spread.Add(given.Group);
                }

                return null;
            case HistoryEvent.EntryCommitted seen:
                _committed[seen.Group] = LogIndex.Max(_committed.GetValueOrDefault(seen.Group), seen.Index);
                return null;
            case HistoryEvent.CalmBegan:
                _calmFrom = new Dictionary<GroupId, LogIndex>(_committed);
                return null;
            case HistoryEvent.CalmEnded:
                _calmTo = new Dictionary<GroupId, LogIndex>(_committed);
                return null;
            case HistoryEvent.DivergenceTold told:
                return _spoiltNames.ContainsKey((told.Node, told.Name)) || MaySpread(told.Name)
                    ? null : $"{told.Node}: {told.Name} is told that its state diverged, though nothing spoilt it";
            case HistoryEvent.StateRebuiltTold told:
                if (_spoiltNames.Remove((told.Node, told.Name), out GroupId key))
                {
                    _spoilt.Remove((told.Node, key));
                }

                return null;
            case HistoryEvent.UndecidedTold told:
                return MaySpread(told.Name) ? null : $"{told.Node}: the states of {told.Name} differ, and no majority agrees";
            case HistoryEvent.StateAtEnd state:
                if (!_atEnd.TryGetValue(state.Group, out List<HistoryEvent.StateAtEnd>? others))
                {
                    _atEnd.Add(state.Group, others = []);
                }

                others.Add(state);
                return null;
            case HistoryEvent.Ended:
                return _atEnd.Where(group => !_spread.Contains(group.Key)).Select(group => Judge(group.Key, group.Value)).FirstOrDefault(static o => o is not null);
            default:
                return null;
        }
    }

    /// <summary>Only those that have applied the same: that all have is another checker's.</summary>
    private string? Judge(GroupId group, List<HistoryEvent.StateAtEnd> states)
    {
        LogIndex applied = states.Max(static state => state.Applied);
        HistoryEvent.StateAtEnd[] same = [.. states.Where(state => state.Applied == applied)];
        HistoryEvent.StateAtEnd[] sound = [.. same.Where(state => !_spoilt.Contains((state.Node, state.Key)))];
        if (sound.FirstOrDefault(state => state.Hash != sound[0].Hash) is { } odd)
        {
            return $"group {group}: after entry {applied} {sound[0].Node} has state {sound[0].Hash:x16}, {odd.Node} {odd.Hash:x16}";
        }

        return sound.Length > 0 && IsOwed(group) && same.FirstOrDefault(state => state.Hash != sound[0].Hash) is { } spoilt
            ? $"group {group}: {spoilt.Node} is not found out, or not made anew: after entry {applied} it has state {spoilt.Hash:x16}, "
                + $"the others {sound[0].Hash:x16}"
            : null;
    }

    private bool IsOwed(GroupId group) => _calmFrom is not null && _calmTo is not null
        && (_calmTo.GetValueOrDefault(group).Value / distance) - (_calmFrom.GetValueOrDefault(group).Value / distance) >= ComparisonsOwed;

    private bool MaySpread(string name) =>
        _spread.Any(group => _topicOf[group] == WithoutLife(name));

    private static string WithoutLife(string name) => name.Split('~')[0];
}
