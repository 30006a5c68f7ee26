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

    private const int DrawsMax = 16;

    /// <summary>Whom the last request to any node was sent to, when it had no answer that says anything.</summary>
    private SimulatedNode? _silent;

    /// <param name="observed">As the answer leaves the node.</param>
    /// <param name="answered">At the client; null when nothing came.</param>
    /// <param name="taken">As the request arrives at the node.</param>
    public void Ask(AdminCommand command, Action<AdminResult>? observed, Action<AdminResult?> answered, Action<IBroker>? taken = null) =>
        Ask(Drawn(), command, observed, answered, taken);

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
                _silent = result is null or { Outcome: AdminOutcome.TimedOut } ? node : null;
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

    /// <summary>While one node stays unwell nobody asks it twice in a row: a real client asks another one.</summary>
    private SimulatedNode Drawn()
    {
        SimulatedNode node = clients.AnyNode(random);
        for (int tries = 0; clients.Unwell is not null && node == _silent && tries < DrawsMax; tries++)
        {
            node = clients.AnyNode(random);
        }

        return node;
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
