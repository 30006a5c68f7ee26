using System.Collections.Immutable;
using RaftMq.Broker.Controller;
using RaftMq.Raft;

namespace RaftMq.Broker.Balance;

/// <summary>
/// The cluster as a plan goes on. Each step makes the first of these better that can be, and none before it worse: 1. replicas of a partition on
/// different racks; 2. replicas of each topic even over the nodes; 3. replicas in all; 4. leaderships of each topic; 5. leaderships in all. So there is a last step.
/// </summary>
internal sealed class BalanceLayout
{
    /// <summary>Sets of nodes are bits of a word; a cluster has at most half as many.</summary>
    private const int NodesMax = 64;

    private readonly ReplicaId[] _nodes;
    private readonly PlannedPartition[][] _topics;
    private readonly ReplicaLoad _replicas;
    private readonly LoadTable _replicaTable;
    private readonly LoadTable _leaderTable;

    public BalanceLayout(IReadOnlyList<ReplicaPlace> places, IEnumerable<TopicInfo> topics, Func<PartitionInfo, bool> isFree)
    {
        ReplicaPlace[] serving = [.. places.Where(p => p.Duty == NodeDuty.Serving)];
        Invariant.Holds(serving.Length <= NodesMax);
        _nodes = [.. serving.Select(p => p.Replica)];
        ulong takers = SetOf(serving, static p => p.TakesReplicas);
        ulong[] rackOf = [.. serving.Select((p, i) => p.Rack is null ? 1UL << i : SetOf(serving, other => other.Rack == p.Rack))];
        _topics = [.. topics.Select((topic, index) => topic.Partitions.Select(p => Planned(topic, index, p, isFree)).ToArray())];
        _replicas = new ReplicaLoad(takers, rackOf);
        _replicaTable = new LoadTable(_replicas, _topics, _nodes.Length, takers);
        _leaderTable = new LoadTable(new LeaderLoad(takers), _topics, _nodes.Length, takers);
    }

    /// <summary>Plans one step more; the partitions that are elsewhere then, none when there is nothing to better.</summary>
    public PlannedPartition[] Step()
    {
        _replicaTable.Count();
        _leaderTable.Count();
        if (SpreadOne() is { } spread)
        {
            return [spread];
        }

        foreach (Shift[] shifts in _replicaTable.WithinTopics().Concat(_replicaTable.OverTopics()))
        {
            if (TryDo(_replicas, shifts) is { } done)
            {
                return done;
            }
        }

        // Where replicas are still to go, who leads would be settled twice.
        IEnumerable<Shift[]> ofLeaders = _topics.All(t => t.All(p => p.IsFree)) ? _leaderTable.WithinTopics().Concat(_leaderTable.OverTopics()) : [];
        foreach (Shift[] shifts in ofLeaders)
        {
            if (TryDo(_leaderTable.Load, shifts) is { } done)
            {
                return done;
            }
        }

        return [];
    }

    public BalanceMove MoveOf(PlannedPartition partition) =>
        new(partition.Topic, partition.Partition, [.. partition.Nodes.Select(n => _nodes[n])]);

    /// <summary>A partition with a replica on a node that does not serve is the drain's; one of which a replica is made anew has it again soon.</summary>
    private PlannedPartition Planned(TopicInfo topic, int index, PartitionInfo partition, Func<PartitionInfo, bool> isFree)
    {
        ImmutableArray<ReplicaId> wanted = partition.Returning.IsEmpty ? partition.Replicas : partition.Returning;
        int[] nodes = [.. wanted.Select(r => Array.IndexOf(_nodes, r)).Where(static n => n >= 0)];
        return new PlannedPartition(
            topic, index, partition, nodes, partition.Returning.IsEmpty && nodes.Length == wanted.Length && isFree(partition));
    }

    private PlannedPartition? SpreadOne()
    {
        for (int t = 0; t < _topics.Length; t++)
        {
            int topic = t;
            foreach (PlannedPartition partition in _topics[t])
            {
                if (partition.IsFree && _replicas.Spread(partition, node => _replicaTable[topic, node]) is (int from, int to))
                {
                    Place(partition, _replicas.Shifted(partition, from, to));
                    return partition;
                }
            }
        }

        return null;
    }

    /// <summary>Null when a shift of a chain made a later one impossible; then nothing is done.</summary>
    private PlannedPartition[]? TryDo(IBalancedLoad load, Shift[] shifts)
    {
        List<(PlannedPartition Partition, int[] Before)> done = [];
        foreach (Shift shift in shifts)
        {
            if (GiverOf(load, shift) is not { } partition)
            {
                done.Reverse();
                done.ForEach(d => Place(d.Partition, d.Before));
                return null;
            }

            done.Add((partition, partition.Nodes));
            Place(partition, load.Shifted(partition, shift.From, shift.To));
        }

        return [.. done.Select(d => d.Partition).Distinct()];
    }

    private PlannedPartition? GiverOf(IBalancedLoad load, Shift shift)
    {
        PlannedPartition? giver = null;
        foreach (PlannedPartition partition in _topics[shift.Topic])
        {
            if (partition.IsFree && (load.On(partition) & (1UL << shift.From)) != 0
                && (load.Targets(partition, shift.From) & (1UL << shift.To)) != 0)
            {
                if (load.IsEasy(partition, shift.From))
                {
                    return partition;
                }

                giver ??= partition;
            }
        }

        return giver;
    }

    private void Place(PlannedPartition partition, int[] nodes)
    {
        partition.Nodes = nodes;
        _replicaTable.Changed(partition.TopicIndex);
        _leaderTable.Changed(partition.TopicIndex);
    }

    private static ulong SetOf(ReplicaPlace[] places, Func<ReplicaPlace, bool> isIn)
    {
        ulong set = 0;
        for (int i = 0; i < places.Length; i++)
        {
            set |= isIn(places[i]) ? 1UL << i : 0;
        }

        return set;
    }
}
