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

    /// <summary>Takes all whose deadline is past; the others keep their order.</summary>
    public void TakeOverdue(long nowMs, List<PendingProduce> overdue)
    {
        _inOrder.TakeOverdue(nowMs, static pending => pending.Command.DeadlineMs, overdue);
        int kept = 0;
        for (int i = 0; i < _duplicates.Count; i++)
        {
            PendingProduce pending = _duplicates[i];
            if (pending.Command.DeadlineMs <= nowMs)
            {
                overdue.Add(pending);
            }
            else
            {
                _duplicates[kept++] = pending;
            }
        }

        _duplicates.RemoveRange(kept, _duplicates.Count - kept);
    }

    public bool TryTakeAny(out PendingProduce taken) => TryTake(new LogIndex(long.MaxValue), out taken);
}
