using RaftMq.Broker.Partitions;
using RaftMq.Raft;

namespace RaftMq.Simulation.Checkers;

/// <summary>
/// VISIBLE: a reader gets only what lies below the high watermark it is told, and is durable on a majority at that moment; and what one reader was given no later read denies: an offset below what was once visible is never "out of range" and
/// never an empty answer under a high watermark above it. And who asks for the end of the log is told of all that was visible before the
/// question (linearizable).
/// </summary>
public sealed class VisibleChecker : PromiseChecker
{
    private readonly QuorumTally _tally = new();
    private readonly Dictionary<GroupId, long> _visibleEnd = [];
    private readonly LogFronts _fronts = new();

    /// <summary>Questions for the end that are open, with what was visible when they were asked.</summary>
    private readonly Dictionary<long, long> _endOwed = [];

    public override string Promise => "VISIBLE";

    public override string? Observe(HistoryEvent happened)
    {
        _tally.Observe(happened);
        _fronts.Observe(happened);
        switch (happened)
        {
            case HistoryEvent.SendAcked acked:
                Raise(acked.Group, acked.BaseOffset + acked.Count);
                return null;
            case HistoryEvent.EndAsked asked:
                _endOwed[asked.Request] = _visibleEnd.GetValueOrDefault(asked.Group);
                return null;
            case HistoryEvent.EndTold told:
                return _endOwed.Remove(told.Request, out long owed) && told.Offset >= owed
                    ? null
                    : $"group {told.Group}: {told.By} says that the log ends at {told.Offset}; up to {owed} was visible before it was asked";
            case HistoryEvent.BatchesRead { Outcome: ReadOutcome.Ok } read:
                return Given(read.Group, read.HighWatermark, read.Batches, $"by {read.By}") ?? Empty(read);
            case HistoryEvent.BatchesRead { Outcome: ReadOutcome.OffsetOutOfRange } read:
                return Denied(read);
            case HistoryEvent.LogRead log:
                return Given(log.Group, log.HighWatermark, log.Batches, "at the end") ?? Shrunk(log);
            default:
                return null;
        }
    }

    private static string? Empty(HistoryEvent.BatchesRead read) =>
        read.Batches.Count == 0 && read.From < read.HighWatermark
            ? $"group {read.Group}: {read.By} gives nothing at {read.From} and says that its high watermark is {read.HighWatermark}"
            : null;

    private string? Denied(HistoryEvent.BatchesRead read)
    {
        bool wasVisible = read.From < _visibleEnd.GetValueOrDefault(read.Group);
        bool mayBeGone = read.From < _fronts.GoneBefore(read.Group);
        return wasVisible && !mayBeGone
            ? $"group {read.Group}: offset {read.From} was visible, now {read.By} says it is out of range "
                + $"({read.LogStart}..{read.HighWatermark})"
            : null;
    }

    private string? Shrunk(HistoryEvent.LogRead log) =>
        log.HighWatermark < _visibleEnd.GetValueOrDefault(log.Group)
            ? $"group {log.Group}: visible up to {_visibleEnd[log.Group]}, in the end only up to {log.HighWatermark}"
            : null;

    private string? Given(GroupId group, long highWatermark, IReadOnlyList<SeenBatch> batches, string by)
    {
        foreach (SeenBatch batch in batches)
        {
            if (batch.NextOffset > highWatermark)
            {
                return $"group {group}: read {by}: {batch.Mark} ends at {batch.NextOffset}, above the high watermark {highWatermark}";
            }

            if (_tally.ShortOfMajority(group, batch.Mark, batch.BaseOffset) is { } shortOf)
            {
                return $"group {group}: read {by} before it was committed: {shortOf}";
            }

            Raise(group, batch.NextOffset);
        }

        return null;
    }

    private void Raise(GroupId group, long end) => _visibleEnd[group] = Math.Max(end, _visibleEnd.GetValueOrDefault(group));
}
