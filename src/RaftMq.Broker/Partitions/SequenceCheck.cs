using RaftMq.Raft;

namespace RaftMq.Broker.Partitions;

/// <summary>What the leader may do with a batch of an idempotent producer.</summary>
internal enum SequenceVerdict
{
    /// <summary>It follows the last one: propose it.</summary>
    Next,

    /// <summary>It was committed before: answer with the offset it has.</summary>
    Stored,

    /// <summary>It is proposed and not applied yet: wait for that proposal.</summary>
    InFlight,
    OutOfOrder,
    TooOld,
    FencedEpoch,
    UnknownProducer,
}

/// <summary>
/// Checks batches of idempotent producers against the applied state plus an overlay of the leader's own un-applied proposals (design
/// section 5, "Proposals"): checking applied state only would store a quick retry twice. The overlay is dropped when leadership ends.
/// </summary>
internal sealed class SequenceCheck(ProducerTable applied)
{
    private readonly Dictionary<long, Queue<Proposed>> _overlay = [];

    private readonly record struct Proposed(ProducerStamp Stamp, LogIndex Index);

    /// <param name="stored">The batch as stored, when the verdict is <see cref="SequenceVerdict.Stored"/>.</param>
    /// <param name="inFlight">Its entry, when the verdict is <see cref="SequenceVerdict.InFlight"/>.</param>
    public SequenceVerdict Check(in ProducerStamp stamp, out ProducedBatch stored, out LogIndex inFlight)
    {
        stored = default;
        inFlight = default;
        bool known = applied.TryGet(stamp.ProducerId, out ProducerTable.Producer producer);
        short epoch = known ? producer.Epoch : (short)-1;
        int? last = known ? producer.LastSequence : null;
        if (known && stamp.Epoch == epoch && producer.TryFind(stamp, out stored))
        {
            return SequenceVerdict.Stored;
        }

        if (_overlay.TryGetValue(stamp.ProducerId, out Queue<Proposed>? proposed))
        {
            foreach (Proposed earlier in proposed)
            {
                if (earlier.Stamp == stamp && !PlantedBug.OverlayIgnored)
                {
                    inFlight = earlier.Index;
                    return SequenceVerdict.InFlight;
                }

                (epoch, last) = (earlier.Stamp.Epoch, earlier.Stamp.LastSequence);
            }
        }

        // Nothing known of the producer: most likely its first batch is still on its way, so the client must send again in order. To call
        // the producer unknown would make clients start over with a new epoch and send what is under way a second time.
        return last is { } lastSequence
            ? CheckAfter(stamp, epoch, lastSequence)
            : stamp.BaseSequence == 0 ? SequenceVerdict.Next : SequenceVerdict.OutOfOrder;
    }

    public void Propose(in ProducerStamp stamp, LogIndex index)
    {
        if (!_overlay.TryGetValue(stamp.ProducerId, out Queue<Proposed>? proposed))
        {
            _overlay.Add(stamp.ProducerId, proposed = new Queue<Proposed>(ProducerTable.BatchesRemembered));
        }

        proposed.Enqueue(new Proposed(stamp, index));
    }

    /// <summary>The entry is applied now; the table knows it.</summary>
    public void Applied(in ProducerStamp stamp, LogIndex index)
    {
        if (_overlay.TryGetValue(stamp.ProducerId, out Queue<Proposed>? proposed)
            && proposed.TryPeek(out Proposed first) && first.Index <= index)
        {
            proposed.Dequeue();
            if (proposed.Count == 0)
            {
                _overlay.Remove(stamp.ProducerId);
            }
        }
    }

    public void Clear() => _overlay.Clear();

    private static SequenceVerdict CheckAfter(in ProducerStamp stamp, short epoch, int lastSequence)
    {
        if (stamp.Epoch < epoch)
        {
            return SequenceVerdict.FencedEpoch;
        }

        if (stamp.Epoch > epoch)
        {
            return stamp.BaseSequence == 0 ? SequenceVerdict.Next : SequenceVerdict.OutOfOrder;
        }

        if (PlantedBug.OverlayIgnored || stamp.BaseSequence == ProducerStamp.After(lastSequence))
        {
            return SequenceVerdict.Next;
        }

        // Serial-number distance, because sequences wrap: behind the last one means stored once and no longer remembered.
        int distance = (lastSequence - stamp.LastSequence) & int.MaxValue;
        return distance < int.MaxValue / 2 ? SequenceVerdict.TooOld : SequenceVerdict.OutOfOrder;
    }
}
