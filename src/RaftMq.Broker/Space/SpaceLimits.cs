namespace RaftMq.Broker.Space;

/// <summary>How much room a node keeps on its disk, and when it says so. Room is the data folder's disk's; 0 turns each off.</summary>
public sealed record SpaceLimits
{
    /// <summary>
    /// Below, the node takes no records and no new replicas, so that what frees room, and acknowledgements of consumers, can go on. Above what the node
    /// itself writes between two looks: <see cref="GrowthBytesMax"/> of entries twice, in journal and segments, and a journal file.
    /// </summary>
    public long FreeBytesMin { get; init; } = 256L << 20;

    /// <summary>Below, the operator is warned: a full journal, which is ahead of most nodes, fits above it.</summary>
    public long FreeBytesLow { get; init; } = 1L << 30;

    /// <summary>Held in a file while there is room, given back when there is none. None where nobody asks for one: the process does.</summary>
    public long ReserveBytes { get; init; }

    /// <summary>
    /// Entry bytes that may go to the journal between two looks at the disk; where there is much more room than the least, a quarter of what is above
    /// it.
    /// </summary>
    public long GrowthBytesMax { get; init; } = 64L << 20;

    /// <summary>As much of <see cref="GrowthBytesMax"/> as fits below the mark: what is written twice takes half of it at most.</summary>
    public long GrowthBytesKept => Math.Min(GrowthBytesMax, FreeBytesMin / 4);
}
