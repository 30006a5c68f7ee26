using RaftMq.Raft;

namespace RaftMq.Simulation.Checkers;

/// <summary>Below which offset each log may begin: all that somebody asked to delete, and what leaders were seen to let go.</summary>
internal sealed class LogFronts
{
    private readonly Dictionary<GroupId, long> _goneBefore = [];

    public void Observe(HistoryEvent happened)
    {
        switch (happened)
        {
            case HistoryEvent.DeleteRecordsStarted deleted:
                Raise(deleted.Group, deleted.Before);
                break;
            case HistoryEvent.LogStartSeen seen:
                Raise(seen.Group, seen.Offset);
                break;
        }
    }

    public long GoneBefore(GroupId group) => _goneBefore.GetValueOrDefault(group);

    private void Raise(GroupId group, long offset) => _goneBefore[group] = Math.Max(offset, GoneBefore(group));
}
