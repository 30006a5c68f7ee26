using RaftMq.Broker.Partitions;
using RaftMq.Raft;

namespace RaftMq.Simulation.Checkers;

/// <summary>
/// ORDERED: an offset names one record for ever, whoever says so: acknowledgements and reads must agree. Offsets are dense: what is read
/// goes on without a hole and begins with the batch that holds the offset asked for.
/// </summary>
public sealed class OrderedChecker : PromiseChecker
{
    private readonly Dictionary<GroupId, SortedList<long, SeenBatch>> _known = [];

    public override string Promise => "ORDERED";

    public override string? Observe(HistoryEvent happened)
    {
        switch (happened)
        {
            case HistoryEvent.SendAcked acked:
                return Learn(acked.Group, new SeenBatch(acked.Mark, acked.BaseOffset, acked.Count, IsIntact: true));
            case HistoryEvent.BatchesRead { Outcome: ReadOutcome.Ok } read:
                return Dense(read.Group, read.From, read.Batches) ?? LearnAll(read.Group, read.Batches);
            case HistoryEvent.LogRead log:
                return Dense(log.Group, log.LogStart, log.Batches) ?? LearnAll(log.Group, log.Batches) ?? Ends(log);
            default:
                return null;
        }
    }

    private static string? Dense(GroupId group, long from, IReadOnlyList<SeenBatch> batches)
    {
        for (int i = 0; i < batches.Count; i++)
        {
            SeenBatch batch = batches[i];
            if (i == 0 && (batch.BaseOffset > from || batch.NextOffset <= from))
            {
                return $"group {group}: a read at offset {from} begins with {Say(batch)}";
            }

            if (i > 0 && batch.BaseOffset != batches[i - 1].NextOffset)
            {
                return $"group {group}: {Say(batches[i - 1])} is followed by {Say(batch)}";
            }
        }

        return null;
    }

    private static string? Ends(HistoryEvent.LogRead log)
    {
        long end = log.Batches.Count > 0 ? log.Batches[^1].NextOffset : log.LogStart;
        return end == log.HighWatermark
            ? null
            : $"group {log.Group}: the log read from {log.LogStart} ends at {end}, its high watermark is {log.HighWatermark}";
    }

    private static string Say(in SeenBatch batch) => $"{batch.Mark} at {batch.BaseOffset}..{batch.NextOffset - 1}";

    private string? LearnAll(GroupId group, IReadOnlyList<SeenBatch> batches)
    {
        foreach (SeenBatch batch in batches)
        {
            if (Learn(group, batch) is { } contradiction)
            {
                return contradiction;
            }
        }

        return null;
    }

    private string? Learn(GroupId group, in SeenBatch batch)
    {
        if (!_known.TryGetValue(group, out SortedList<long, SeenBatch>? known))
        {
            _known.Add(group, known = []);
        }

        int at = FirstAtOrAfter(known, batch.BaseOffset);
        if (at < known.Count && known.GetKeyAtIndex(at) == batch.BaseOffset)
        {
            SeenBatch same = known.GetValueAtIndex(at);
            return same.Mark == batch.Mark && same.Count == batch.Count
                ? null
                : $"group {group}: {Say(same)} became {Say(batch)}";
        }

        if (at > 0 && known.GetValueAtIndex(at - 1) is { } before && before.NextOffset > batch.BaseOffset)
        {
            return $"group {group}: {Say(before)} overlaps {Say(batch)}";
        }

        if (at < known.Count && known.GetKeyAtIndex(at) < batch.NextOffset)
        {
            return $"group {group}: {Say(batch)} overlaps {Say(known.GetValueAtIndex(at))}";
        }

        known.Add(batch.BaseOffset, batch);
        return null;
    }

    private static int FirstAtOrAfter(SortedList<long, SeenBatch> known, long offset)
    {
        int low = 0;
        int high = known.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (known.GetKeyAtIndex(middle) < offset)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }
}
