using RaftMq.Raft;

namespace RaftMq.Broker.Groups;

/// <summary>Which partition of the offsets topic looks after a group.</summary>
public static class CoordinatorPartition
{
    /// <summary>The same for ever for the same arguments, on every node and version: the stored offsets of a group lie there.</summary>
    public static int Of(ConsumerGroupId group, int partitionCount)
    {
        Invariant.Holds(partitionCount > 0);
        return (int)(StableHash.Compute(System.Text.Encoding.UTF8.GetBytes(group.Value)) % (ulong)partitionCount);
    }
}
