using System.Collections.Immutable;
using RaftMq.Raft;

namespace RaftMq.Broker.Controller;

/// <summary>
/// Chooses nodes for new partitions: replicas of a partition on different racks as long as there are racks left, every node about
/// equally many replicas and equally many preferred leaders. A node whose disk is full is taken only where there are no others. Decided by the controller's leader, written into the entry.
/// </summary>
internal static class Placement
{
    public static ImmutableArray<ImmutableArray<ReplicaId>> Choose(
        IReadOnlyCollection<NodeRecord> nodes, IEnumerable<TopicInfo> topics, int partitions, int replicationFactor,
        Func<NodeId, bool> hasRoom)
    {
        Invariant.Holds(replicationFactor >= 1);
        Invariant.Holds(replicationFactor <= nodes.Count);
        var load = new SortedDictionary<NodeId, (int Leaders, int Replicas)>();
        foreach (NodeRecord node in nodes)
        {
            load[node.Replica.Node] = (0, 0);
        }

        foreach (PartitionInfo partition in topics.SelectMany(t => t.Partitions))
        {
            Count(load, partition.Replicas);
        }

        ImmutableArray<ImmutableArray<ReplicaId>>.Builder chosen =
            ImmutableArray.CreateBuilder<ImmutableArray<ReplicaId>>(partitions);
        for (int p = 0; p < partitions; p++)
        {
            ImmutableArray<ReplicaId> replicas = ChooseOne(nodes, load, replicationFactor, hasRoom);
            Count(load, replicas);
            chosen.Add(replicas);
        }

        return chosen.ToImmutable();
    }

    private static ImmutableArray<ReplicaId> ChooseOne(
        IReadOnlyCollection<NodeRecord> nodes, SortedDictionary<NodeId, (int Leaders, int Replicas)> load, int replicationFactor,
        Func<NodeId, bool> hasRoom)
    {
        var left = nodes.ToList();
        var racks = new HashSet<string>(StringComparer.Ordinal);
        ImmutableArray<ReplicaId>.Builder replicas = ImmutableArray.CreateBuilder<ReplicaId>(replicationFactor);
        while (replicas.Count < replicationFactor)
        {
            bool first = replicas.Count == 0;
            NodeRecord next = left
                .OrderBy(n => !hasRoom(n.Replica.Node))
                .ThenBy(n => n.Rack is not null && racks.Contains(n.Rack))
                .ThenBy(n => first ? load[n.Replica.Node].Leaders : load[n.Replica.Node].Replicas)
                .ThenBy(n => load[n.Replica.Node].Replicas)
                .ThenBy(n => n.Replica.Node)
                .First();
            left.Remove(next);
            replicas.Add(next.Replica);
            if (next.Rack is not null)
            {
                racks.Add(next.Rack);
            }
        }

        return replicas.ToImmutable();
    }

    private static void Count(SortedDictionary<NodeId, (int Leaders, int Replicas)> load, ImmutableArray<ReplicaId> replicas)
    {
        for (int i = 0; i < replicas.Length; i++)
        {
            if (load.TryGetValue(replicas[i].Node, out (int Leaders, int Replicas) counts))
            {
                load[replicas[i].Node] = (counts.Leaders + (i == 0 ? 1 : 0), counts.Replicas + 1);
            }
        }
    }
}
