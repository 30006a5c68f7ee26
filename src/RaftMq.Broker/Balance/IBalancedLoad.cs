namespace RaftMq.Broker.Balance;

/// <summary>Something of partitions that nodes carry and that may go from one node to another. Sets of nodes are bits by the node's index.</summary>
internal interface IBalancedLoad
{
    /// <summary>The nodes that carry it.</summary>
    ulong On(PlannedPartition partition);

    /// <summary>Where it may go from that node, which carries it.</summary>
    ulong Targets(PlannedPartition partition, int from);

    /// <summary>The partition's nodes once it has gone from the one to the other.</summary>
    int[] Shifted(PlannedPartition partition, int from, int to);

    /// <summary>Of several partitions that could give it, one of these does.</summary>
    bool IsEasy(PlannedPartition partition, int from);
}
