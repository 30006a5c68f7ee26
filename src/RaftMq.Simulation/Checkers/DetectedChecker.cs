using RaftMq.Broker.Partitions;
using RaftMq.Raft;

namespace RaftMq.Simulation.Checkers;

/// <summary>
/// DETECTED: no read ever returns bytes that were not written there. What is given is a batch that somebody sent to that partition, every byte of it,
/// at an offset at which some disk once held it whole. Whatever the media forget, damaged bytes are not served.
/// </summary>
public sealed class DetectedChecker : PromiseChecker
{
    private readonly Dictionary<Mark, (GroupId Group, int Count)> _sent = [];
    private readonly HashSet<(Mark Mark, long BaseOffset)> _written = [];

    public override string Promise => "DETECTED";

    public override string? Observe(HistoryEvent happened)
    {
        switch (happened)
        {
            case HistoryEvent.SendStarted sent:
                _sent[sent.Mark] = (sent.Group, sent.Count);
                return null;
            case HistoryEvent.MarkDurable durable:
                _written.Add((durable.Mark, durable.BaseOffset));
                return null;
            case HistoryEvent.BatchesRead { Outcome: ReadOutcome.Ok } read:
                return Foreign(read.Group, read.Batches, $"by {read.By}");
            case HistoryEvent.LogRead log:
                return Foreign(log.Group, log.Batches, "at the end");
            default:
                return null;
        }
    }

    private string? Foreign(GroupId group, IReadOnlyList<SeenBatch> batches, string by)
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

            if (!_written.Contains((batch.Mark, batch.BaseOffset)))
            {
                return $"group {group}: read {by} at {batch.BaseOffset}: no disk ever held {batch.Mark} there";
            }
        }

        return null;
    }
}
