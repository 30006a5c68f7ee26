using System.Numerics;

namespace RaftMq.Broker.Balance;

/// <summary>A replica, which goes to a node that has none of the partition and leaves it no less spread over racks.</summary>
/// <param name="takers">Nodes that may be given something.</param>
/// <param name="rackOf">By node: all nodes of its rack.</param>
internal sealed class ReplicaLoad(ulong takers, ulong[] rackOf) : IBalancedLoad
{
    public ulong On(PlannedPartition partition) => partition.Holders;

    public ulong Targets(PlannedPartition partition, int from)
    {
        ulong holders = partition.Holders;
        int beside = CountOn(holders, from) - 1;
        ulong tooFull = 0;
        foreach (int node in partition.Nodes)
        {
            tooFull |= CountOn(holders, node) > beside ? rackOf[node] : 0;
        }

        // Its own rack is left with as many as before.
        return takers & ~holders & (~tooFull | rackOf[from]);
    }

    public int[] Shifted(PlannedPartition partition, int from, int to) => [.. partition.Nodes.Select(n => n == from ? to : n)];

    /// <summary>Who follows leaves without a change of leaders.</summary>
    public bool IsEasy(PlannedPartition partition, int from) => partition.Nodes[0] != from;

    /// <summary>
    /// The replica whose move to another rack spreads the partition most, and to where; null where no other rack has less of it. Of equal ones
    /// it goes from the node with most to the one with least, and rather from one that follows.
    /// </summary>
    /// <param name="loadOf">By node: what it has of the topic, and in all.</param>
    public (int From, int To)? Spread(PlannedPartition partition, Func<int, (int OfTopic, int InAll)> loadOf)
    {
        ulong holders = partition.Holders;
        (int Gain, int OfTopic, int InAll) best = default;
        (int From, int To)? found = null;
        foreach (int from in partition.Nodes.Reverse())
        {
            int beside = CountOn(holders, from) - 1;
            if (beside < 1)
            {
                continue;
            }

            for (ulong left = takers & ~holders; left != 0; left &= left - 1)
            {
                int to = BitOperations.TrailingZeroCount(left);
                int gain = (rackOf[to] & (1UL << from)) != 0 ? 0 : beside - CountOn(holders, to);
                (int ofTopic, int inAll) = (loadOf(from).OfTopic - loadOf(to).OfTopic, loadOf(from).InAll - loadOf(to).InAll);
                if (gain > 0 && (found is null || (gain, ofTopic, inAll).CompareTo(best) > 0))
                {
                    (best, found) = ((gain, ofTopic, inAll), (from, to));
                }
            }
        }

        return found;
    }

    private int CountOn(ulong holders, int node) => BitOperations.PopCount(holders & rackOf[node]);
}
