namespace RaftMq.Broker.Partitions;

/// <summary>Readers that wait for records above an offset. Nearly all wait at the end of the log, so they lie in one list.</summary>
internal sealed class ReadWaiters
{
    private List<(long Offset, IReadWaiter Waiter)> _waiters = [];

    /// <summary>The list being walked is swapped out, because a woken reader may wait again at once.</summary>
    private List<(long Offset, IReadWaiter Waiter)> _spare = [];

    public int Count => _waiters.Count;

    public void Add(long offset, IReadWaiter waiter) => _waiters.Add((offset, waiter));

    public void Remove(IReadWaiter waiter)
    {
        for (int i = _waiters.Count - 1; i >= 0; i--)
        {
            if (ReferenceEquals(_waiters[i].Waiter, waiter))
            {
                _waiters.RemoveAt(i);
            }
        }
    }

    public void WakeAll() => WakeBelow(long.MaxValue);

    /// <summary>Wakes those that wait for a record at an offset below the high watermark.</summary>
    public void WakeBelow(long highWatermark)
    {
        if (_waiters.Count == 0)
        {
            return;
        }

        List<(long Offset, IReadWaiter Waiter)> walked = _waiters;
        (_waiters, _spare) = (_spare, walked);
        foreach ((long offset, IReadWaiter waiter) in walked)
        {
            if (offset < highWatermark)
            {
                waiter.Wake();
            }
            else
            {
                _waiters.Add((offset, waiter));
            }
        }

        walked.Clear();
    }
}
