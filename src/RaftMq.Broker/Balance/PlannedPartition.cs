using RaftMq.Broker.Controller;

namespace RaftMq.Broker.Balance;

/// <summary>A partition in a plan: where it is once all that was begun, and all that is planned so far, is done.</summary>
/// <param name="nodes">Indexes of nodes in the order of the wanted set, the first to lead.</param>
/// <param name="isFree">False: the plan counts it and does not touch it.</param>
internal sealed class PlannedPartition(TopicInfo topic, int topicIndex, PartitionInfo partition, int[] nodes, bool isFree)
{
    public TopicInfo Topic => topic;

    public int TopicIndex => topicIndex;

    public PartitionInfo Partition => partition;

    public bool IsFree => isFree;

    public int[] Nodes { get; set; } = nodes;

    /// <summary>One bit for each of <see cref="Nodes"/>.</summary>
    public ulong Holders
    {
        get
        {
            ulong set = 0;
            foreach (int node in Nodes)
            {
                set |= 1UL << node;
            }

            return set;
        }
    }
}
