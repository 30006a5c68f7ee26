using RaftMq.Raft;

namespace RaftMq.Broker.Controller;

/// <summary>A node as a place for replicas.</summary>
internal readonly record struct ReplicaPlace(ReplicaId Replica, string? Rack, NodeDuty Duty, bool IsAlive, bool HasRoom = true)
{
    public bool TakesReplicas => this is { Duty: NodeDuty.Serving, IsAlive: true, HasRoom: true };

    /// <summary>All nodes of the cluster.</summary>
    public static ReplicaPlace[] Of(ClusterState state, Func<NodeId, bool> isAlive, Func<NodeId, bool> hasRoom) =>
    [
        .. state.Nodes.Values.Select(node => new ReplicaPlace(
            node.Replica, node.Rack, state.Roster.DutyOf(node.Replica.Node), isAlive(node.Replica.Node), hasRoom(node.Replica.Node))),
    ];
}
