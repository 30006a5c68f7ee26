namespace RaftMq.Simulation.Workloads;

/// <summary>How many partitions the members of the consumer group share out: more where topics grow.</summary>
internal sealed class SharedPartitions
{
    /// <summary>Of more than one member each.</summary>
    private const int AtFirst = 6;

    /// <summary>There are so many, as far as somebody found out.</summary>
    public int Count { get; private set; } = AtFirst;

    /// <summary>In the newest generation that was shared out.</summary>
    public int SharedOut { get; private set; }

    private int _generation;

    public void Grow() => Count++;

    public void Made(int generation, int count)
    {
        if (generation >= _generation)
        {
            _generation = generation;
            SharedOut = count;
        }
    }
}
