using RaftMq.Raft;

namespace RaftMq.Simulation.Checkers;

/// <summary>
/// Who asks for a time is told the first batch of the log that has a record at least that young: none that is too old, none behind one that qualifies, and
/// not "none" when one was visible before the question. Who asks for the youngest is told one than which none was younger that was visible before the question.
/// What may be gone at the log's front may be passed over.
/// </summary>
public sealed class TimeChecker : PromiseChecker
{
    private readonly LogFronts _fronts = new();
    private readonly Dictionary<Mark, long> _timeOf = [];
    private readonly Dictionary<GroupId, SortedDictionary<long, Known>> _known = [];

    /// <summary>By request. Without a time: for the youngest.</summary>
    private readonly Dictionary<long, (long? TimestampMs, long Knowledge)> _asked = [];

    /// <summary>Counts what became known to be visible.</summary>
    private long _knowledge;

    public override string Promise => "time";

    public override string? Observe(HistoryEvent happened)
    {
        _fronts.Observe(happened);
        switch (happened)
        {
            case HistoryEvent.SendStarted sent:
                _timeOf[sent.Mark] = sent.TimestampMs;
                return null;
            case HistoryEvent.SendAcked acked:
                Learn(acked.Group, acked.Mark, acked.BaseOffset, acked.Count);
                return null;
            case HistoryEvent.BatchesRead read:
                foreach (SeenBatch batch in read.Batches)
                {
                    Learn(read.Group, batch.Mark, batch.BaseOffset, batch.Count);
                }

                return null;
            case HistoryEvent.TimeAsked asked:
                _asked[asked.Request] = (asked.TimestampMs, _knowledge);
                return null;
            case HistoryEvent.GreatestTimeAsked asked:
                _asked[asked.Request] = (null, _knowledge);
                return null;
            case HistoryEvent.TimeTold told:
                return _asked.Remove(told.Request, out (long? TimestampMs, long Knowledge) question)
                    ? question.TimestampMs is { } wantedMs ? Judge(told, wantedMs, question.Knowledge) : JudgeGreatest(told, question.Knowledge)
                    : $"group {told.Group}: an answer to a question that nobody asked";
            default:
                return null;
        }
    }

    private void Learn(GroupId group, Mark mark, long baseOffset, int count)
    {
        if (!_known.TryGetValue(group, out SortedDictionary<long, Known>? known))
        {
            _known.Add(group, known = []);
        }

        if (_timeOf.TryGetValue(mark, out long timestampMs))
        {
            known.TryAdd(baseOffset, new Known(baseOffset + count, timestampMs, ++_knowledge));
        }
    }

    private string? Judge(HistoryEvent.TimeTold told, long wantedMs, long knowledge)
    {
        string answer = $"group {told.Group}: asked for {wantedMs}, {told.By} says offset {told.Offset}, time {told.TimestampMs}";
        if (told.Offset >= 0 && told.TimestampMs < wantedMs)
        {
            return $"{answer}, which is too old";
        }

        long front = _fronts.GoneBefore(told.Group);
        foreach ((long baseOffset, Known batch) in _known.GetValueOrDefault(told.Group, []))
        {
            bool isIt = told.Offset >= baseOffset && told.Offset < batch.NextOffset;
            if (isIt)
            {
                return batch.TimestampMs != told.TimestampMs ? $"{answer}; the batch at {baseOffset} is of {batch.TimestampMs}"
                    : told.Offset != baseOffset && told.Offset > front ? $"{answer}, inside of the batch at {baseOffset}"
                    : null;
            }

            bool mayBePassedOver = baseOffset < front || batch.TimestampMs < wantedMs || batch.Knowledge > knowledge;
            if (!mayBePassedOver && (told.Offset < 0 || told.Offset >= batch.NextOffset))
            {
                return $"{answer}; the batch at {baseOffset} is of {batch.TimestampMs}, comes before and was visible when it was asked";
            }
        }

        return null;
    }

    private string? JudgeGreatest(HistoryEvent.TimeTold told, long knowledge)
    {
        string answer = $"group {told.Group}: asked for the youngest, {told.By} says offset {told.Offset}, time {told.TimestampMs}";
        long front = _fronts.GoneBefore(told.Group);
        foreach ((long baseOffset, Known batch) in _known.GetValueOrDefault(told.Group, []))
        {
            bool isIt = told.Offset >= baseOffset && told.Offset < batch.NextOffset;
            if (isIt && batch.TimestampMs != told.TimestampMs)
            {
                return $"{answer}; the batch at {baseOffset} is of {batch.TimestampMs}";
            }

            if (batch.TimestampMs > told.TimestampMs && baseOffset >= front && batch.Knowledge <= knowledge)
            {
                return $"{answer}; the batch at {baseOffset} is of {batch.TimestampMs} and was visible when it was asked";
            }
        }

        return null;
    }

    /// <param name="Knowledge">When it became known.</param>
    private readonly record struct Known(long NextOffset, long TimestampMs, long Knowledge);
}
