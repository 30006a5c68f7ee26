using RaftMq.Broker;
using RaftMq.Raft;
using RaftMq.Simulation.World;

namespace RaftMq.Simulation.Network;

/// <summary>
/// The way between clients and nodes: delays, requests and answers that get lost (the client's own timeout tells it), and processes
/// that are not there (a refused connection tells it soon).
/// </summary>
internal sealed class ClientNetwork(SimulationWorld world, RandomSource random)
{
    /// <summary>One request in this many is lost, and one answer; 0: none.</summary>
    public int LossOneIn { get; set; }

    /// <summary>Hands a request to a node, in its process; <paramref name="refused"/> when there is no such process.</summary>
    public void Call(SimulatedNode node, Action<NodeLife, IBroker> request, Action refused)
    {
        long delayUs = random.Next(30, 1_500);
        if (LossOneIn > 0 && random.OneIn(LossOneIn))
        {
            return;
        }

        world.After(delayUs, () =>
        {
            NodeLife? life = node.Life;
            if (life is null || node.Host is not { } host)
            {
                world.After(random.Next(100, 20_000), refused);
                return;
            }

            if (life.IsPaused)
            {
                // The connection stands; the client's own timeout tells it.
                life.WhenRunning(() => request(life, host.Broker));
                return;
            }

            SimulationWorld.RunInside(life, () => request(life, host.Broker));
        });
    }

    /// <summary>Takes an answer that has left the node back to the client.</summary>
    public void Answer(Action answer)
    {
        long delayUs = random.Next(30, 1_500);
        if (LossOneIn > 0 && random.OneIn(LossOneIn))
        {
            world.Totals.AnswersLost++;
            return;
        }

        world.After(delayUs, answer);
    }
}
