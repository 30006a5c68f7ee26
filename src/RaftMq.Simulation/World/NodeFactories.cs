using RaftMq.Broker.Environment;
using RaftMq.Raft;

namespace RaftMq.Simulation.World;

/// <summary>What kind of broker a run is made of.</summary>
/// <param name="Broker">Makes the brokers of a cluster of these nodes.</param>
/// <param name="Tap">Sees each frame that leaves a node, and whom it is for; null when there is nothing to see.</param>
internal sealed record NodeFactories(
    Func<SimulationWorld, IReadOnlyList<NodeId>, BrokerFactory> Broker,
    Func<SimulationWorld, Action<NodeLife, NodeId, PeerFrame>?> Tap);
