namespace RaftMq.Broker.Partitions;

/// <summary>Queues of requests that each have a deadline of their own.</summary>
internal static class Deadlines
{
    /// <summary>
    /// Takes all whose deadline is past, in one pass: the order of the queue is not the order of deadlines, and many may be overdue at once.
    /// The others keep their order.
    /// </summary>
    public static void TakeOverdue<TItem>(this Queue<TItem> queue, long nowMs, Func<TItem, long> deadlineMs, List<TItem> overdue)
    {
        for (int count = queue.Count; count > 0; count--)
        {
            TItem item = queue.Dequeue();
            if (deadlineMs(item) <= nowMs)
            {
                overdue.Add(item);
            }
            else
            {
                queue.Enqueue(item);
            }
        }
    }
}
