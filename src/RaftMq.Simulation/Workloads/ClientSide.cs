using RaftMq.Broker.Controller;
using RaftMq.Raft;
using RaftMq.Simulation.Network;
using RaftMq.Simulation.World;

namespace RaftMq.Simulation.Workloads;

/// <summary>What all clients of a run share: the way to the nodes, and where they believe leaders to be.</summary>
internal sealed class ClientSide(SimulationWorld world, IReadOnlyList<SimulatedNode> nodes, ClientNetwork network)
{
    /// <summary>Far beyond what any request takes on a healthy cluster, short enough that clients try again during faults.</summary>
    public const int RequestTimeoutUs = 1_500_000;

    public SimulationWorld World => world;

    public ClientNetwork Network => network;

    public IReadOnlyList<SimulatedNode> Nodes => nodes;

    /// <summary>Null before the faults are over.</summary>
    public long? HealedAtUs { get; set; }

    /// <summary>Clients begin nothing new.</summary>
    public bool IsEnding { get; set; }

    public SimulatedNode AnyNode(RandomSource random) => nodes[random.Next(nodes.Count)];

    /// <summary>
    /// Asks a node for metadata and takes the leader it names; a node that is down, or does not know, makes the client guess. Clients
    /// so learn of a new leader as late as the node they happen to ask.
    /// </summary>
    public (SimulatedNode Node, int Epoch) LeaderOf(GroupId group, RandomSource random)
    {
        for (int tries = 0; tries < 3; tries++)
        {
            if (AnyNode(random).Host?.Broker.Cluster.LeaderOf(group) is { } leader
                && nodes.FirstOrDefault(n => n.Id == leader.Leader) is { } node)
            {
                return (node, leader.Epoch);
            }
        }

        return (AnyNode(random), -1);
    }

    public PartitionInfo? PartitionOf(string topic, int partition, RandomSource random) =>
        AnyNode(random).Host?.Broker.Cluster.Partition(topic, partition);
}
