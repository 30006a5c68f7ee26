using System.Collections.Immutable;
using RaftMq.Raft;

namespace RaftMq.Broker.Controller;

/// <summary>The next movement that takes replicas from nodes that are drained.</summary>
internal readonly record struct DrainStep(TopicInfo Topic, PartitionInfo Partition, ImmutableArray<ReplicaId> To);

/// <summary>
/// Where the replicas of drained nodes go: each to a serving node that is alive and has room, on a rack of its own if there is one, with as few
/// replicas as possible, in the place that the one had in the list. Pure: the controller's leader asks for one step after the other, and
/// every node can tell what stands in the way.
/// </summary>
internal static class DrainPlan
{
    /// <summary>Null while nothing is to do, nothing can be done, or as many movements as may be are under way.</summary>
    /// <param name="movesMax">Movements away from drained nodes at a time, in the whole cluster.</param>
    public static DrainStep? Next(IReadOnlyList<ReplicaPlace> nodes, IEnumerable<TopicInfo> topics, int movesMax)
    {
        HashSet<NodeId> drained = Drained(nodes);
        if (drained.Count == 0)
        {
            return null;
        }

        TopicInfo[] all = [.. topics];
        int underWay = all.Sum(t => t.Partitions.Count(p => p.IsMoving && p.Leaving.Any(r => drained.Contains(r.Node))));
        if (underWay >= movesMax)
        {
            return null;
        }

        SortedDictionary<NodeId, int> load = LoadOf(nodes, all);
        foreach (TopicInfo topic in all)
        {
            foreach (PartitionInfo partition in topic.Partitions)
            {
                ImmutableArray<ReplicaId> to = Without(drained, partition, nodes, load);
                if (!to.SequenceEqual(partition.Replicas))
                {
                    return new DrainStep(topic, partition, to);
                }
            }
        }

        return null;
    }

    /// <summary>For each partition that stays on a drained node: why, and what mends it.</summary>
    /// <param name="hasLeader">A group without one can't be moved.</param>
    public static IEnumerable<string> Obstacles(
        IReadOnlyList<ReplicaPlace> nodes, IEnumerable<TopicInfo> topics, Func<GroupId, bool> hasLeader)
    {
        HashSet<NodeId> drained = Drained(nodes);
        if (drained.Count == 0)
        {
            yield break;
        }

        foreach (TopicInfo topic in topics)
        {
            foreach (PartitionInfo partition in topic.Partitions)
            {
                NodeId[] on = [.. partition.Placed.Select(r => r.Node).Where(drained.Contains)];
                if (on.Length == 0)
                {
                    continue;
                }

                string what = $"{topic.Name}/{partition.Number} stays on node {string.Join(", ", on.Select(n => n.Value))}: ";
                ReplicaPlace[] others = [.. nodes.Where(n => n.Duty == NodeDuty.Serving && !partition.Replicas.Contains(n.Replica))];
                if (!hasLeader(partition.Group))
                {
                    yield return what + "it has no leader, so its replicas can't be moved. Start the nodes that hold a majority of them; if those are lost too, "
                        + "so is what was in it: delete the topic";
                }
                else if (partition.Replicas.Any(r => drained.Contains(r.Node)) && others.Length == 0)
                {
                    yield return what + $"no other node takes its {partition.Replicas.Length} replicas. Add a node (`raftmq node add`), or give the partition fewer replicas";
                }
                else if (partition.Replicas.Any(r => drained.Contains(r.Node)) && !others.Any(n => n.IsAlive))
                {
                    yield return what + $"nodes {string.Join(", ", others.Select(n => n.Replica.Node.Value))} could take it and are down. Start them";
                }
                else if (partition.Replicas.Any(r => drained.Contains(r.Node)) && !others.Any(n => n is { IsAlive: true, HasRoom: true }))
                {
                    yield return what + $"the disks of nodes {string.Join(", ", others.Where(n => !n.HasRoom).Select(n => n.Replica.Node.Value))} are full. Make room there";
                }
            }
        }
    }

    private static HashSet<NodeId> Drained(IReadOnlyList<ReplicaPlace> nodes) =>
        [.. nodes.Where(n => n.Duty != NodeDuty.Serving).Select(n => n.Replica.Node)];

    private static SortedDictionary<NodeId, int> LoadOf(IReadOnlyList<ReplicaPlace> nodes, TopicInfo[] topics)
    {
        var load = new SortedDictionary<NodeId, int>();
        foreach (ReplicaPlace node in nodes)
        {
            load[node.Replica.Node] = 0;
        }

        foreach (ReplicaId replica in topics.SelectMany(t => t.Partitions).SelectMany(p => p.Replicas))
        {
            if (load.TryGetValue(replica.Node, out int count))
            {
                load[replica.Node] = count + 1;
            }
        }

        return load;
    }

    /// <summary>The wanted set, with a substitute in each drained node's place as far as there is one.</summary>
    private static ImmutableArray<ReplicaId> Without(
        HashSet<NodeId> drained, PartitionInfo partition, IReadOnlyList<ReplicaPlace> nodes, SortedDictionary<NodeId, int> load)
    {
        ImmutableArray<ReplicaId> to = partition.Replicas;
        for (int i = 0; i < to.Length; i++)
        {
            if (drained.Contains(to[i].Node) && SubstituteFor(to, i, nodes, load) is { } substitute)
            {
                to = to.SetItem(i, substitute);
            }
        }

        return to;
    }

    private static ReplicaId? SubstituteFor(
        ImmutableArray<ReplicaId> replicas, int place, IReadOnlyList<ReplicaPlace> nodes, SortedDictionary<NodeId, int> load)
    {
        HashSet<string> racks = [.. nodes
            .Where(n => n.Rack is not null && n.Replica != replicas[place] && replicas.Contains(n.Replica)).Select(n => n.Rack!)];
        ReplicaPlace[] free = [.. nodes
            .Where(n => n.TakesReplicas && !replicas.Contains(n.Replica))
            .OrderBy(n => n.Rack is not null && racks.Contains(n.Rack))
            .ThenBy(n => load[n.Replica.Node])
            .ThenBy(n => n.Replica)];
        return free.Length == 0 ? null : free[0].Replica;
    }
}
