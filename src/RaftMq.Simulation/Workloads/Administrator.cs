using RaftMq.Broker;
using RaftMq.Broker.Controller;
using RaftMq.Raft;
using RaftMq.Simulation.World;

namespace RaftMq.Simulation.Workloads;

/// <summary>Sends administrative requests to any node.</summary>
internal sealed class Administrator(ClientSide clients, RandomSource random)
{
    /// <summary>So long a node has for a request.</summary>
    public const int TimeoutUs = 4_000_000;

    /// <param name="observed">As the answer leaves the node.</param>
    /// <param name="answered">At the client; null when nothing came.</param>
    /// <param name="taken">As the request arrives at the node.</param>
    public void Ask(AdminCommand command, Action<AdminResult>? observed, Action<AdminResult?> answered, Action<IBroker>? taken = null) =>
        Ask(clients.AnyNode(random), command, observed, answered, taken);

    /// <summary>As the other, of a certain node: what a partition's leader alone can do.</summary>
    public void Ask(
        SimulatedNode node, AdminCommand command, Action<AdminResult>? observed, Action<AdminResult?> answered, Action<IBroker>? taken = null)
    {
        bool isOver = false;
        void Once(AdminResult? result)
        {
            if (!isOver)
            {
                isOver = true;
                answered(result);
            }
        }

        clients.Network.Call(
            node,
            (life, broker) =>
            {
                taken?.Invoke(broker);
                broker.Administer(command, life.Clock.MonotonicMs + (TimeoutUs / 1000), new Completion(clients, observed, Once));
            },
            () => Once(null));
        clients.World.After(TimeoutUs + random.Next(500_000), () => Once(null));
    }

    private sealed class Completion(ClientSide clients, Action<AdminResult>? observed, Action<AdminResult?> answered) : IAdminCompletion
    {
        public void Completed(AdminResult result)
        {
            clients.World.Trace.Add(clients.World.NowUs, TraceKind.Answer, (long)result.Outcome, result.Number);
            observed?.Invoke(result);
            clients.Network.Answer(() => answered(result));
        }
    }
}
