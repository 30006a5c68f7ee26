using RaftMq.Broker.Partitions;
using RaftMq.Raft;

namespace RaftMq.Simulation.Checkers;

/// <summary>
/// VISIBLE: a reader gets only what somebody sent, unchanged, below the high watermark it is told, and durable on a majority at that
/// moment; and what one reader was given no later read denies: an offset below what was once visible is never "out of range" and
/// never an empty answer under a high watermark above it.
/// </summary>
public sealed class VisibleChecker : PromiseChecker
{
    private readonly QuorumTally _tally = new();
    private readonly Dictionary<Mark, (GroupId Group, int Count)> _sent = [];
    private readonly Dictionary<GroupId, long> _visibleEnd = [];
    private readonly Dictionary<GroupId, long> _deletedBefore = [];

    public override string Promise => "VISIBLE";

    public override string? Observe(HistoryEvent happened)
    {
        _tally.Observe(happened);
        switch (happened)
        {
            case HistoryEvent.SendStarted sent:
                _sent[sent.Mark] = (sent.Group, sent.Count);
                return null;
            case HistoryEvent.SendAcked acked:
                Raise(acked.Group, acked.BaseOffset + acked.Count);
                return null;
            case HistoryEvent.DeleteRecordsStarted deleted:
                _deletedBefore[deleted.Group] = Math.Max(deleted.Before, _deletedBefore.GetValueOrDefault(deleted.Group));
                return null;
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
        bool mayBeGone = read.From < _deletedBefore.GetValueOrDefault(read.Group);
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
            if (!_sent.TryGetValue(batch.Mark, out (GroupId Group, int Count) sent))
            {
                return $"group {group}: read {by} at {batch.BaseOffset}: nobody ever sent {batch.Mark}";
            }

            if (sent.Group != group || sent.Count != batch.Count || !batch.IsIntact)
            {
                return $"group {group}: read {by} at {batch.BaseOffset}: {batch.Mark} is not what was sent "
                    + $"(group {sent.Group}, {sent.Count} records; read {batch.Count}, intact: {batch.IsIntact})";
            }

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
