using System.Globalization;
using RaftMq.Raft;
using RaftMq.Simulation.World;

namespace RaftMq.Simulation.Workloads;

/// <summary>
/// Which partitions owe their service while all nodes but one are well. Those that can do without it, from the first moment to the last: a movement that was
/// under way may bring a partition enough replicas later, but when is not owed. Nobody begins to move replicas meanwhile.
/// </summary>
internal sealed class OwedWithoutOne
{
    private readonly SimulatedNode _unwell;
    private readonly IReadOnlyList<SimulatedNode> _nodes;
    private readonly IReadOnlyList<WorkPartition> _partitions;
    private readonly List<WorkPartition> _lackedReplicas;

    /// <param name="partitions">All there are, and those that come yet.</param>
    public OwedWithoutOne(SimulatedNode unwell, IReadOnlyList<SimulatedNode> nodes, IReadOnlyList<WorkPartition> partitions)
    {
        (_unwell, _nodes, _partitions) = (unwell, nodes, partitions);
        _lackedReplicas = [.. partitions.Where(p => !p.IsDeleted && !CanDoWithout(p))];
    }

    /// <summary>As of now, when the end of it is near.</summary>
    public IEnumerable<WorkPartition> Partitions() => _partitions.Where(p => !p.IsDeleted && !_lackedReplicas.Contains(p) && CanDoWithout(p));

    /// <summary>
    /// A majority of its replicas, and as many as its topic asks for; and a majority of the controller's, without which no node that starts is taken in: a
    /// volume may have been lost beside it.
    /// </summary>
    private bool CanDoWithout(WorkPartition partition)
    {
        SimulatedNode[] well = [.. _nodes.Where(node => node != _unwell && node.IsUp)];
        string? asked = well.FirstOrDefault()?.Host!.Broker.Cluster.Topics.GetValueOrDefault(partition.Topic)?.Configs.GetValueOrDefault(SettingsChanger.MinInSync);
        return HasMajority(well, well.Select(static node => node.Host!.ControllerGroup).FirstOrDefault(static group => group is not null), atLeast: 1)
            && HasMajority(well, partition.Group, atLeast: asked is null ? 1 : int.Parse(asked, CultureInfo.InvariantCulture));
    }

    private static bool HasMajority(SimulatedNode[] well, GroupId? group, int atLeast)
    {
        if (group is not { } asked || well.Select(node => node.Host!.MembershipOf(asked)).MaxBy(static m => m?.At) is not ({ IsJoint: false } members, _))
        {
            return false;
        }

        int count = members.Voters.Count(voter => well.Any(node => node.Host!.Self == voter));
        return count > members.Voters.Count / 2 && count >= atLeast;
    }
}
