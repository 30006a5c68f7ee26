namespace RaftMq.Broker.Partitions;

/// <summary>
/// Produces that wait for something other than their own entry, each until its deadline:
/// those not proposed yet, in order of arrival, for room or for a leader to be settled; and those that an ended leadership had proposed
/// while no other leader was known, whose fate the next leader decides.
/// </summary>
internal sealed class HeldProduces
{
    private readonly Queue<ProduceCommand> _unproposed = new();
    private readonly Queue<ProduceCommand> _orphaned = new();

    public int Count => _unproposed.Count + _orphaned.Count;

    public int UnproposedCount => _unproposed.Count;

    public void Add(ProduceCommand unproposed) => _unproposed.Enqueue(unproposed);

    public void AddOrphan(ProduceCommand proposed) => _orphaned.Enqueue(proposed);

    public bool TryPeek(out ProduceCommand unproposed) => _unproposed.TryPeek(out unproposed!);

    public void Dequeue() => _unproposed.Dequeue();

    public bool TryTakeUnproposed(out ProduceCommand unproposed) => _unproposed.TryDequeue(out unproposed!);

    public bool TryTakeOrphan(out ProduceCommand orphan) => _orphaned.TryDequeue(out orphan!);

    /// <summary>Takes those whose deadline is past; the others keep their order.</summary>
    public void TakeOverdue(long nowMs, List<ProduceCommand> unproposed, List<ProduceCommand> orphaned)
    {
        _unproposed.TakeOverdue(nowMs, static command => command.DeadlineMs, unproposed);
        _orphaned.TakeOverdue(nowMs, static command => command.DeadlineMs, orphaned);
    }
}
