using RaftMq.Raft;

namespace RaftMq.Simulation.Checkers;

/// <summary>
/// L-01: once all faults are over every partition is writable within 10 s and every consumer moves within 30 s, and the same for those that can do
/// without one node while only that one stays unwell; when all is over the replicas of a partition are equal, and where the cluster wants them, and
/// nowhere else.
/// </summary>
public sealed class LivenessChecker : PromiseChecker
{
    public const long WritableWithinUs = 10_000_000;

    /// <summary>What could not do without the one that stayed unwell waits until its replica has made up for that time, whose disk may be slow.</summary>
    public const long WritableWithTheUnwellWithinUs = 20_000_000;
    public const long ConsumerMovesWithinUs = 30_000_000;

    private readonly SortedDictionary<GroupId, (string Name, long CreatedAtUs)> _partitions = [];
    private readonly SortedDictionary<string, GroupId> _consumers = new(StringComparer.Ordinal);
    private readonly Dictionary<GroupId, long> _writtenAtUs = [];
    private readonly Dictionary<string, long> _movedAtUs = [];
    private readonly Dictionary<GroupId, HistoryEvent.ReplicaAtEnd> _ends = [];
    private readonly SortedDictionary<GroupId, HistoryEvent.PlacedAtEnd> _placed = [];
    private readonly Dictionary<GroupId, List<NodeId>> _replicas = [];
    private long _healedAtUs = -1;

    /// <summary>What could do without the one that stayed unwell; null where nobody did.</summary>
    private IReadOnlyCollection<GroupId>? _owedWithoutOne;

    public override string Promise => "liveness";

    public override string? Observe(HistoryEvent happened)
    {
        switch (happened)
        {
            case HistoryEvent.PartitionCreated created:
                _partitions[created.Group] = (created.Name, created.AtUs);
                return null;
            case HistoryEvent.PartitionDeleted deleted:
                _partitions.Remove(deleted.Group);
                return null;
            case HistoryEvent.ConsumerExpected expected:
                _consumers[expected.Consumer] = expected.Group;
                return null;
            case HistoryEvent.HealedButForOne healed:
                _healedAtUs = healed.AtUs;
                return null;
            case HistoryEvent.UnwellNoMore wellAgain:
                _owedWithoutOne = wellAgain.Owed;
                return NotWritable(wellAgain.Owed.Contains) ?? NotMoving(wellAgain.Owed.Contains);
            case HistoryEvent.Healed healed:
                _healedAtUs = healed.AtUs;
                _writtenAtUs.Clear();
                _movedAtUs.Clear();
                return null;
            case HistoryEvent.WrittenAfterHeal written:
                _writtenAtUs.TryAdd(written.Group, written.AtUs);
                return null;
            case HistoryEvent.ConsumerMoved moved when _healedAtUs >= 0:
                _movedAtUs.TryAdd(moved.Consumer, moved.AtUs);
                return null;
            case HistoryEvent.ReplicaAtEnd end:
                return Differs(end);
            case HistoryEvent.PlacedAtEnd placed:
                return Placed(placed);
            case HistoryEvent.Ended when _healedAtUs >= 0:
                return NotWritable(static _ => true) ?? NotMoving(static _ => true) ?? NotPlaced();
            default:
                return null;
        }
    }

    private string? NotWritable(Func<GroupId, bool> isOwed)
    {
        foreach ((GroupId group, (string name, long createdAtUs)) in _partitions)
        {
            // Who makes a topic may wait long for an answer that was lost among the last faults.
            long fromUs = Math.Max(_healedAtUs, createdAtUs);
            long withinUs = _owedWithoutOne?.Contains(group) == false ? WritableWithTheUnwellWithinUs : WritableWithinUs;
            if (isOwed(group) && (!_writtenAtUs.TryGetValue(group, out long atUs) || atUs - fromUs > withinUs))
            {
                return $"partition {name} ({group}) was not writable within {withinUs / 1_000_000} s after the faults were over and it was there "
                    + (atUs > 0 ? $"(after {(atUs - fromUs) / 1e6:F1} s)" : "(never)");
            }
        }

        return null;
    }

    private string? NotMoving(Func<GroupId, bool> isOwed)
    {
        foreach ((string consumer, GroupId group) in _consumers)
        {
            if (_partitions.ContainsKey(group) && isOwed(group)
                && (!_movedAtUs.TryGetValue(consumer, out long atUs) || atUs - _healedAtUs > ConsumerMovesWithinUs))
            {
                return $"consumer {consumer} did not move within {ConsumerMovesWithinUs / 1_000_000} s after the faults were over";
            }
        }

        return null;
    }

    private string? Placed(HistoryEvent.PlacedAtEnd placed)
    {
        if (placed.IsMoving)
        {
            return $"group {placed.Group}: in the end {placed.By} still believes that it moves to {string.Join(',', placed.Nodes)}";
        }

        return !_placed.TryAdd(placed.Group, placed) && _placed[placed.Group].Epoch != placed.Epoch
            ? $"group {placed.Group}: in the end {placed.By} and {_placed[placed.Group].By} believe it to be elsewhere"
            : null;
    }

    /// <summary>The replicas that there are must be those that the cluster wants, no fewer and no more.</summary>
    private string? NotPlaced()
    {
        foreach ((GroupId group, HistoryEvent.PlacedAtEnd placed) in _placed)
        {
            List<NodeId> there = _replicas.GetValueOrDefault(group, []);
            if (!placed.Nodes.Order().SequenceEqual(there.Order()))
            {
                return $"group {group}: in the end it should be on {string.Join(',', placed.Nodes)} and is on {string.Join(',', there)}";
            }
        }

        return null;
    }

    private string? Differs(HistoryEvent.ReplicaAtEnd end)
    {
        if (!_replicas.TryGetValue(end.Group, out List<NodeId>? there))
        {
            _replicas.Add(end.Group, there = []);
        }

        there.Add(end.Node);
        if (_ends.TryAdd(end.Group, end))
        {
            return null;
        }

        HistoryEvent.ReplicaAtEnd other = _ends[end.Group];
        return other.Commit == end.Commit && other.NextOffset == end.NextOffset
            ? null
            : $"group {end.Group}: in the end {other.Node} is at index {other.Commit}, offset {other.NextOffset}, "
                + $"and {end.Node} at index {end.Commit}, offset {end.NextOffset}";
    }
}
