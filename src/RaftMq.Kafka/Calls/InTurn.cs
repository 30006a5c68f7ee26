namespace RaftMq.Kafka.Calls;

/// <summary>Runs the parts of one request side by side, but only so many at a time, and keeps their order in the results.</summary>
internal static class InTurn
{
    public static async Task<TResult[]> RunAsync<TItem, TResult>(
        IReadOnlyList<TItem> items, int atOnceMax, Func<TItem, Task<TResult>> work)
    {
        var results = new TResult[items.Count];
        var running = new Task<TResult>[Math.Min(atOnceMax, items.Count)];
        for (int from = 0; from < items.Count; from += running.Length)
        {
            int count = Math.Min(running.Length, items.Count - from);
            for (int i = 0; i < count; i++)
            {
                running[i] = work(items[from + i]);
            }

            for (int i = 0; i < count; i++)
            {
                results[from + i] = await running[i];
            }
        }

        return results;
    }
}
