using System.Numerics;
using RaftMq.Raft;

namespace RaftMq.Simulation.Checkers;

/// <summary>
/// Which disks hold what, counted from the disks alone. A batch counts per base offset: bytes that an earlier leader placed elsewhere,
/// and that were truncated since, are no copy of what is acknowledged now.
/// </summary>
internal sealed class QuorumTally
{
    private readonly Dictionary<(Mark Mark, long BaseOffset), ulong> _holders = [];
    private readonly Dictionary<GroupId, Voters> _voters = [];
    private int _nodes;

    public void Observe(HistoryEvent happened)
    {
        switch (happened)
        {
            case HistoryEvent.ClusterFormed formed:
                _nodes = formed.Nodes.Count;
                break;
            case HistoryEvent.PartitionCreated created:
                ulong voters = created.Voters.Aggregate(0UL, (mask, node) => mask | Bit(node));
                int majority = (created.Voters.Count / 2) + 1;
                _voters[created.Group] = new Voters(voters, majority, Math.Max(majority, created.MinInSync));
                break;
            case HistoryEvent.MarkDurable durable:
                _holders.TryGetValue((durable.Mark, durable.BaseOffset), out ulong holders);
                _holders[(durable.Mark, durable.BaseOffset)] = holders | Bit(durable.Node);
                break;
        }
    }

    /// <summary>Null when enough voters hold it to acknowledge it, else what is missing.</summary>
    public string? ShortOfAck(GroupId group, Mark mark, long baseOffset) =>
        ShortOf(group, mark, baseOffset, voters => voters.NeededForAck);

    /// <summary>Null when a majority of voters holds it, else what is missing.</summary>
    public string? ShortOfMajority(GroupId group, Mark mark, long baseOffset) =>
        ShortOf(group, mark, baseOffset, voters => voters.Majority);

    /// <summary>For what internal groups keep: on a majority of <paramref name="replicas"/> nodes, or of all there are.</summary>
    public string? ShortOfInternal(Mark mark, int replicas)
    {
        int needed = (Math.Min(replicas, _nodes) / 2) + 1;
        _holders.TryGetValue((mark, -1), out ulong holders);
        int count = BitOperations.PopCount(holders);
        return count >= needed ? null : $"{mark} is durable on {count} nodes, {needed} are needed";
    }

    private static ulong Bit(NodeId node) => 1UL << node.Value;

    private string? ShortOf(GroupId group, Mark mark, long baseOffset, Func<Voters, int> neededOf)
    {
        if (!_voters.TryGetValue(group, out Voters? voters))
        {
            return $"{mark} at {baseOffset} belongs to group {group}, which nobody created";
        }

        _holders.TryGetValue((mark, baseOffset), out ulong holders);
        int count = BitOperations.PopCount(holders & voters.Mask);
        int needed = neededOf(voters);
        return count >= needed
            ? null
            : $"{mark} at offset {baseOffset} is durable on {count} voters (nodes {Names(holders & voters.Mask)}), {needed} are needed";
    }

    private static string Names(ulong mask) => string.Join(',', Enumerable.Range(0, 64).Where(n => (mask >> n & 1) == 1));

    private sealed record Voters(ulong Mask, int Majority, int NeededForAck);
}
