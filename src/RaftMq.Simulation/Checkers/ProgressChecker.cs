using RaftMq.Raft;

namespace RaftMq.Simulation.Checkers;

/// <summary>
/// PROGRESS: what a consumer group committed is never lost, never goes back (O-12), and never runs ahead of the log (O-11). Each
/// (group, partition) has one committer here, whose offsets grow; a commit without an answer may or may not have happened.
/// </summary>
public sealed class ProgressChecker : PromiseChecker
{
    private readonly Dictionary<(string Consumers, GroupId Partition), Committed> _committed = [];

    public override string Promise => "PROGRESS";

    public override string? Observe(HistoryEvent happened)
    {
        switch (happened)
        {
            case HistoryEvent.CommitStarted started:
                Of(started.Consumers, started.Partition).Tried.Add(started.Offset);
                return null;
            case HistoryEvent.CommitAcked acked:
                Committed committed = Of(acked.Consumers, acked.Partition);
                committed.Acked = Math.Max(acked.Offset, committed.Acked);
                return null;
            case HistoryEvent.OffsetFetchStarted started:
                Committed asked = Of(started.Consumers, started.Partition);
                asked.AckedBefore[started.Request] = asked.Acked;
                return null;
            case HistoryEvent.OffsetFetched fetched:
                return Fetched(fetched);
            case HistoryEvent.LogRead log:
                return Ahead(log);
            default:
                return null;
        }
    }

    private string? Fetched(HistoryEvent.OffsetFetched fetched)
    {
        Committed committed = Of(fetched.Consumers, fetched.Partition);
        committed.LastFetched = fetched.Offset;
        if (!committed.AckedBefore.Remove(fetched.Request, out long owed) || fetched.Offset < owed)
        {
            return $"'{fetched.Consumers}' had {owed} acknowledged in group {fetched.Partition}, now it is at {fetched.Offset}";
        }

        if (fetched.Offset >= 0 && !committed.Tried.Contains(fetched.Offset))
        {
            return $"'{fetched.Consumers}' is at {fetched.Offset} in group {fetched.Partition}, which it never committed";
        }

        // What a reader was told stays true.
        committed.Acked = Math.Max(committed.Acked, fetched.Offset);
        return null;
    }

    private string? Ahead(HistoryEvent.LogRead log)
    {
        foreach (((string consumers, GroupId partition), Committed committed) in _committed)
        {
            if (partition == log.Group && committed.LastFetched > log.HighWatermark)
            {
                return $"'{consumers}' is at {committed.LastFetched} in group {partition}, whose log ends at {log.HighWatermark}";
            }
        }

        return null;
    }

    private Committed Of(string consumers, GroupId partition)
    {
        if (!_committed.TryGetValue((consumers, partition), out Committed? committed))
        {
            _committed.Add((consumers, partition), committed = new Committed());
        }

        return committed;
    }

    private sealed class Committed
    {
        public HashSet<long> Tried { get; } = [];

        /// <summary>What was acknowledged when a fetch was asked for: the least that it must find.</summary>
        public Dictionary<long, long> AckedBefore { get; } = [];

        public long Acked { get; set; } = -1;

        public long LastFetched { get; set; } = -1;
    }
}
