using RaftMq.Raft;

namespace RaftMq.Broker.Shards;

/// <summary>
/// Shares out what this node reads from its disk to fill returning and moving replicas, so that producers and consumers keep their share of
/// disk and network (design 8, P-21). A bucket of credit that fills with time: a transfer begins while there is credit left, and is charged
/// when it begins with the most it can take, set right when it ends. So no more than the credit plus one transfer is ever on its way. What
/// has to wait begins in the order of asking, one waiting transfer per follower, group and kind. Entries that are still in memory are not
/// paced: they cost no disk here, and windows bound them.
/// </summary>
internal sealed class RecoveryPace(long bytesPerSecond, long nowMs)
{
    /// <summary>Credit does not grow beyond what this time brings: a longer pause is no reason for a longer burst.</summary>
    private const int BurstMs = 100;

    private readonly long _creditMax = Math.Max(1, bytesPerSecond * BurstMs / 1000);
    private readonly Queue<Transfer> _order = new();
    private readonly Dictionary<Transfer, (long Bytes, Action Begin)> _waiting = [];
    private long _credit = Math.Max(1, bytesPerSecond * BurstMs / 1000);
    private long _atMs = nowMs;

    /// <summary>At most one of each waits.</summary>
    public readonly record struct Transfer(GroupId Group, NodeId To, TransferKind Kind);

    public int WaitingCount => _order.Count;

    /// <summary>Bytes that were charged in all, less what was given back.</summary>
    public long ChargedBytes { get; private set; }

    /// <summary>
    /// Begins a transfer, now or later. One that waits already for the same is replaced and keeps its place.
    /// </summary>
    /// <param name="bytes">The most it can take; <see cref="GiveBack"/> what it did not.</param>
    public void Begin(in Transfer transfer, long bytes, long nowMs, Action begin)
    {
        Refill(nowMs);
        if (_order.Count == 0 && _credit > 0)
        {
            Charge(bytes);
            begin();
            return;
        }

        if (!_waiting.ContainsKey(transfer))
        {
            _order.Enqueue(transfer);
        }

        _waiting[transfer] = (bytes, begin);
    }

    /// <summary>A transfer took less than it was charged for.</summary>
    public void GiveBack(long bytes)
    {
        Invariant.Holds(bytes >= 0);
        ChargedBytes -= bytes;
        _credit = Math.Min(_creditMax, _credit + bytes);
    }

    public void Tick(long nowMs)
    {
        Refill(nowMs);
        while (_credit > 0 && _order.TryDequeue(out Transfer next))
        {
            _waiting.Remove(next, out (long Bytes, Action Begin) waiting);
            Charge(waiting.Bytes);
            waiting.Begin();
        }
    }

    private void Charge(long bytes)
    {
        ChargedBytes += bytes;
        _credit -= bytes;
    }

    private void Refill(long nowMs)
    {
        long passedMs = Math.Min(nowMs - _atMs, 10_000);
        if (passedMs > 0)
        {
            _atMs = nowMs;
            _credit = Math.Min(_creditMax, _credit + (bytesPerSecond * passedMs / 1000));
        }
    }
}

internal enum TransferKind
{
    Entries,
    Snapshot,

    /// <summary>For a replica with damaged files.</summary>
    Repair,
}
