using RaftMq.Raft;

namespace RaftMq.Simulation.Checkers;

/// <summary>
/// DURABLE, twice. At the moment an acknowledgement leaves: would the disks of enough voters keep it if all power went now? And when
/// all is over: is it there, at its offset? The first says where a bug is, the second does not believe the first. What a log lets go at its front
/// must have been asked for, record by record or by settings (<see cref="RetentionModel"/>).
/// </summary>
public sealed class DurableChecker : PromiseChecker
{
    private readonly QuorumTally _tally = new();
    private readonly Dictionary<GroupId, List<(Mark Mark, long BaseOffset)>> _acked = [];
    private readonly RetentionModel _retention = new();
    private readonly HashSet<GroupId> _deleted = [];

    public override string Promise => "DURABLE";

    public override string? Observe(HistoryEvent happened)
    {
        _tally.Observe(happened);
        string? tooEarly = happened is HistoryEvent.LogStartSeen seen ? _retention.Unlawful(seen, AckedIn(seen.Group)) : null;
        _retention.Observe(happened);
        switch (happened)
        {
            case HistoryEvent.PartitionDeleted deleted:
                _deleted.Add(deleted.Group);
                return null;
            case HistoryEvent.LogStartSeen start:
                // A node that has not heard of it takes for this one what is meant for the next topic of that name.
                return _deleted.Contains(start.Group) ? null : tooEarly;
            case HistoryEvent.SendAcked acked:
                AckedIn(acked.Group).Add((acked.Mark, acked.BaseOffset));
                return Said("acknowledged send", _tally.ShortOfAck(acked.Group, acked.Mark, acked.BaseOffset));
            case HistoryEvent.CommitAcked commit:
                return Said($"acknowledged offset {commit.Offset} of '{commit.Consumers}'", _tally.ShortOfInternal(commit.Coordinator, commit.Mark));
            case HistoryEvent.ChangeAcked change:
                return Said($"acknowledged {change.What}", _tally.ShortOfAny(change.Believed, change.Mark));
            case HistoryEvent.LogRead log:
                return Missing(log);
            default:
                return null;
        }
    }

    private static string? Said(string what, string? shortOf) => shortOf is null ? null : $"{what}: {shortOf}";

    private string? Missing(HistoryEvent.LogRead log)
    {
        if (log.LogStart > _retention.GoneBefore(log.Group))
        {
            return $"group {log.Group}: the log starts at {log.LogStart}; nobody asked for more than {_retention.GoneBefore(log.Group)}";
        }

        HashSet<(Mark, long)> there = [.. log.Batches.Select(b => (b.Mark, b.BaseOffset))];
        foreach ((Mark mark, long baseOffset) in AckedIn(log.Group))
        {
            if (baseOffset >= log.LogStart && !there.Contains((mark, baseOffset)))
            {
                return $"group {log.Group}: {mark} was acknowledged at offset {baseOffset} and is not there "
                    + $"(the log goes from {log.LogStart} to {log.HighWatermark})";
            }
        }

        return null;
    }

    private List<(Mark Mark, long BaseOffset)> AckedIn(GroupId group)
    {
        if (!_acked.TryGetValue(group, out List<(Mark, long)>? acked))
        {
            _acked.Add(group, acked = []);
        }

        return acked;
    }
}
