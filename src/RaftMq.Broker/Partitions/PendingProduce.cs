using RaftMq.Raft;

namespace RaftMq.Broker.Partitions;

/// <summary>A produce that is proposed and waits: for its entry to be applied, then for min.insync.replicas.</summary>
/// <param name="Index">The entry that holds the batch; for a duplicate, the original's (or the newest one when that is not known).</param>
internal readonly record struct PendingProduce(LogIndex Index, long BaseOffset, long LogAppendTimeMs, ProduceCommand Command);

/// <summary>
/// Produces on their way, in the order of their entries. Answers leave from the front, so a producer's answers come in its order.
/// Duplicates of batches in flight wait here too, behind the batch that they repeat.
/// </summary>
internal sealed class PendingProduces
{
    private readonly Queue<PendingProduce> _inOrder = new();

    /// <summary>Duplicates: rare, so a list that is looked through.</summary>
    private readonly List<PendingProduce> _duplicates = [];

    public int Count => _inOrder.Count + _duplicates.Count;

    public void Add(in PendingProduce pending)
    {
        _inOrder.Enqueue(pending);
    }

    public void AddDuplicate(in PendingProduce pending) => _duplicates.Add(pending);

    /// <summary>The base offset and time of the batch at an entry that is still on its way.</summary>
    public PendingProduce? Find(LogIndex index)
    {
        foreach (PendingProduce pending in _inOrder)
        {
            if (pending.Index == index)
            {
                return pending;
            }
        }

        return null;
    }

    /// <summary>Takes the first whose entry is at or below <paramref name="index"/>.</summary>
    public bool TryTake(LogIndex index, out PendingProduce taken)
    {
        if (_inOrder.TryPeek(out taken) && taken.Index <= index)
        {
            _inOrder.Dequeue();
            return true;
        }

        for (int i = 0; i < _duplicates.Count; i++)
        {
            if (_duplicates[i].Index <= index)
            {
                taken = _duplicates[i];
                _duplicates.RemoveAt(i);
                return true;
            }
        }

        taken = default;
        return false;
    }

    /// <summary>Takes one whose deadline is past. The order of entries is not the order of deadlines: all are looked at.</summary>
    public bool TryTakeOverdue(long nowMs, out PendingProduce taken)
    {
        for (int i = 0; i < _duplicates.Count; i++)
        {
            if (_duplicates[i].Command.DeadlineMs <= nowMs)
            {
                taken = _duplicates[i];
                _duplicates.RemoveAt(i);
                return true;
            }
        }

        foreach (PendingProduce pending in _inOrder)
        {
            if (pending.Command.DeadlineMs <= nowMs)
            {
                taken = pending;
                Remove(pending);
                return true;
            }
        }

        taken = default;
        return false;
    }

    public bool TryTakeAny(out PendingProduce taken) => TryTake(new LogIndex(long.MaxValue), out taken);

    private void Remove(in PendingProduce gone)
    {
        for (int count = _inOrder.Count; count > 0; count--)
        {
            PendingProduce pending = _inOrder.Dequeue();
            if (!ReferenceEquals(pending.Command, gone.Command))
            {
                _inOrder.Enqueue(pending);
            }
        }
    }
}
