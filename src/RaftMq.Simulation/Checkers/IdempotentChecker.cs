using RaftMq.Broker.Partitions;

namespace RaftMq.Simulation.Checkers;

/// <summary>
/// IDEMPOTENT: a batch is stored once, however often it was sent, and each acknowledgement of it names the same offset. The batches of
/// one producer lie in the log in the order of their sequences, without a gap. A batch of a plain producer is sent once by these
/// clients, so it too is stored at most once. A producer id is given to one producer only.
/// </summary>
public sealed class IdempotentChecker : PromiseChecker
{
    private readonly HashSet<long> _producers = [];
    private readonly Dictionary<Mark, long> _offsets = [];
    private readonly Dictionary<Mark, (long Producer, int BaseSequence)> _sent = [];

    public override string Promise => "IDEMPOTENT";

    public override string? Observe(HistoryEvent happened)
    {
        switch (happened)
        {
            case HistoryEvent.SendStarted { Producer: >= 0 } sent:
                _sent[sent.Mark] = (sent.Producer, sent.BaseSequence);
                return null;
            case HistoryEvent.ProducerIdsGiven given:
                return Fresh(given);
            case HistoryEvent.SendAcked acked:
                return Once(acked.Mark, acked.BaseOffset);
            case HistoryEvent.BatchesRead { Outcome: ReadOutcome.Ok } read:
                return read.Batches.Select(b => Once(b.Mark, b.BaseOffset)).FirstOrDefault(o => o is not null);
            case HistoryEvent.LogRead log:
                return log.Batches.Select(b => Once(b.Mark, b.BaseOffset)).FirstOrDefault(o => o is not null) ?? InSequence(log);
            default:
                return null;
        }
    }

    private string? Fresh(HistoryEvent.ProducerIdsGiven given)
    {
        for (long id = given.First; id < given.First + given.Count; id++)
        {
            if (!_producers.Add(id))
            {
                return $"producer id {id} was given out twice";
            }
        }

        return null;
    }

    private string? Once(Mark mark, long baseOffset)
    {
        if (_offsets.TryAdd(mark, baseOffset) || _offsets[mark] == baseOffset)
        {
            return null;
        }

        return $"{mark} is at offset {_offsets[mark]} and at {baseOffset}";
    }

    private string? InSequence(HistoryEvent.LogRead log)
    {
        Dictionary<long, int> nextSequence = [];
        foreach (SeenBatch batch in log.Batches)
        {
            if (!_sent.TryGetValue(batch.Mark, out (long Producer, int BaseSequence) sent))
            {
                continue;
            }

            if (nextSequence.TryGetValue(sent.Producer, out int expected) && sent.BaseSequence != expected)
            {
                return $"group {log.Group}: producer {sent.Producer} has sequence {sent.BaseSequence} at offset {batch.BaseOffset}, "
                    + $"after what it has before that should be {expected}";
            }

            nextSequence[sent.Producer] = sent.BaseSequence + batch.Count;
        }

        return null;
    }
}
