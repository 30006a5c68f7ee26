using RaftMq.Broker.Controller;
using RaftMq.Raft;

namespace RaftMq.Kafka.Nodes;

/// <summary>The cluster as the clients of one listener see it: nodes that live and have an address for that listener.</summary>
internal readonly struct ClusterView(ClusterImage image, string listener)
{
    public ClusterImage Image => image;

    public List<(NodeId Node, ListenerAddress Address, string? Rack)> Nodes()
    {
        var nodes = new List<(NodeId, ListenerAddress, string?)>(image.Nodes.Count);
        foreach ((NodeId node, NodeInfo info) in image.Nodes)
        {
            if (info.Alive && Address(info) is { } address)
            {
                nodes.Add((node, address, info.Rack));
            }
        }

        return nodes;
    }

    /// <summary>Null when clients of this listener cannot reach the node.</summary>
    public ListenerAddress? AddressOf(NodeId node) =>
        image.Nodes.TryGetValue(node, out NodeInfo? info) && info.Alive ? Address(info) : null;

    public bool Lives(NodeId node) => image.Nodes.TryGetValue(node, out NodeInfo? info) && info.Alive;

    /// <summary>-1 while nobody leads the controller group, or nobody that these clients can reach.</summary>
    public int Controller =>
        image.ControllerLeader is { } leader && AddressOf(leader) is not null ? leader.Value : -1;

    private ListenerAddress? Address(NodeInfo info)
    {
        foreach (ListenerAddress address in info.Listeners)
        {
            if (string.Equals(address.Name, listener, StringComparison.Ordinal))
            {
                return address;
            }
        }

        return null;
    }
}
