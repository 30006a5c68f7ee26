namespace RaftMq.Broker.Balance;

/// <summary>The preferred leadership, which goes to another replica of the partition and copies nothing.</summary>
/// <param name="takers">Nodes that may be given something.</param>
internal sealed class LeaderLoad(ulong takers) : IBalancedLoad
{
    public ulong On(PlannedPartition partition) => partition.Nodes is [int leader, ..] ? 1UL << leader : 0;

    public ulong Targets(PlannedPartition partition, int from) => partition.Holders & takers & ~(1UL << from);

    /// <summary>The others keep their order, as when an operator names the leader.</summary>
    public int[] Shifted(PlannedPartition partition, int from, int to) => [to, .. partition.Nodes.Where(n => n != to)];

    public bool IsEasy(PlannedPartition partition, int from) => true;
}
