using System.Collections.Immutable;
using RaftMq.Broker.Controller;
using RaftMq.Raft;

namespace RaftMq.Broker.Balance;

/// <summary>Where a partition's replicas are to be, the first to lead.</summary>
internal readonly record struct BalanceMove(TopicInfo Topic, PartitionInfo Partition, ImmutableArray<ReplicaId> To)
{
    /// <summary>New replicas, each of which gets the whole log.</summary>
    public int Copies
    {
        get
        {
            PartitionInfo partition = Partition;
            return To.Count(r => !partition.Replicas.Contains(r));
        }
    }
}

/// <summary>
/// What makes placement even over nodes and racks (<see cref="BalanceLayout"/> says what that is). Pure: the controller's leader asks for one step
/// after the other, from what the cluster's state is then, so it does not matter who leads it or what else happened between; and every node can tell what is left.
/// </summary>
internal static class BalancePlan
{
    /// <summary>The moves of the next step, which belong together; none when all is as even as it can be.</summary>
    /// <param name="isFree">Partitions that may be moved now.</param>
    public static ImmutableArray<BalanceMove> Next(
        IReadOnlyList<ReplicaPlace> places, IEnumerable<TopicInfo> topics, Func<PartitionInfo, bool> isFree)
    {
        var layout = new BalanceLayout(places, topics, isFree);
        return [.. layout.Step().Select(layout.MoveOf)];
    }

    /// <summary>All that is left to do, once for each partition, in the order in which they are first moved.</summary>
    public static ImmutableArray<BalanceMove> All(IReadOnlyList<ReplicaPlace> places, IEnumerable<TopicInfo> topics)
    {
        var layout = new BalanceLayout(places, topics, static _ => true);
        List<PlannedPartition> moved = [];
        HashSet<PlannedPartition> known = [];
        for (PlannedPartition[] step = layout.Step(); step.Length > 0; step = layout.Step())
        {
            moved.AddRange(step.Where(known.Add));
        }

        return [.. moved.Select(layout.MoveOf).Where(m => !m.To.SequenceEqual(m.Partition.Replicas))];
    }

    /// <summary>What a balance waits for, and is not begun before: sentences without their full stop.</summary>
    /// <param name="hasLeader">A group without one can't be moved.</param>
    public static IEnumerable<string> Obstacles(
        IReadOnlyList<ReplicaPlace> places, IReadOnlyCollection<TopicInfo> topics, Func<GroupId, bool> hasLeader)
    {
        foreach (ReplicaPlace place in places)
        {
            NodeId node = place.Replica.Node;
            if (place.Duty == NodeDuty.Serving)
            {
                if (!place.IsAlive)
                {
                    yield return $"node {node.Value} is down: start it, or remove it if it never comes back";
                }
            }
            else if (topics.Any(t => t.Partitions.Any(p => p.IsPlacedOn(node))))
            {
                yield return $"node {node.Value} is being drained: `raftmq node list` shows what is left";
            }
        }

        foreach (TopicInfo topic in topics)
        {
            foreach (PartitionInfo partition in topic.Partitions)
            {
                if (!hasLeader(partition.Group))
                {
                    yield return $"{topic.Name}/{partition.Number} has no leader";
                }
            }
        }
    }
}
