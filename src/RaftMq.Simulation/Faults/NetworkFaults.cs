using RaftMq.Raft;
using RaftMq.Simulation.Network;
using RaftMq.Simulation.World;

namespace RaftMq.Simulation.Faults;

/// <summary>What goes wrong between nodes, each for some time.</summary>
internal sealed class NetworkFaults(FaultScene scene, SimulatedNetwork network)
{
    public void Cut()
    {
        if (scene.Random.OneIn(5))
        {
            CutToRing();
        }
        else
        {
            CutInTwo();
        }
    }

    /// <summary>Each node reaches its two neighbours only: every leader lacks somebody, and nobody lacks all.</summary>
    private void CutToRing()
    {
        int[] ring = [.. Enumerable.Range(0, scene.Nodes.Count)];
        for (int i = ring.Length - 1; i > 0; i--)
        {
            int other = scene.Random.Next(i + 1);
            (ring[i], ring[other]) = (ring[other], ring[i]);
        }

        CutLinks(FaultKind.CutToRing, [.. network.Links.Where(link => !AreNeighbours(ring, scene.IndexOf(link.From), scene.IndexOf(link.To)))]);
    }

    private static bool AreNeighbours(int[] ring, int one, int other)
    {
        int apart = Math.Abs(Array.IndexOf(ring, one) - Array.IndexOf(ring, other));
        return apart == 1 || apart == ring.Length - 1;
    }

    /// <summary>Both ways between two sides, complete or with one node that both sides see (R-05).</summary>
    private void CutInTwo()
    {
        bool[] side = new bool[scene.Nodes.Count];
        int bridge = scene.Random.OneIn(3) ? scene.Random.Next(scene.Nodes.Count) : -1;
        int alone = scene.Random.OneIn(2) ? scene.Random.Next(scene.Nodes.Count) : -1;
        for (int i = 0; i < side.Length; i++)
        {
            side[i] = alone >= 0 ? i == alone : scene.Random.OneIn(2);
        }

        List<Link> cut = [];
        foreach (Link link in network.Links)
        {
            int from = scene.IndexOf(link.From);
            int to = scene.IndexOf(link.To);
            if (side[from] != side[to] && from != bridge && to != bridge)
            {
                cut.Add(link);
            }
        }

        CutLinks(bridge >= 0 ? FaultKind.CutWithBridge : FaultKind.Cut, cut);
    }

    public void CutOneWay()
    {
        SimulatedNode from = scene.Draw();
        CutLinks(FaultKind.OneWayCut, [.. network.Links.Where(l => l.From == from.Id && scene.Random.OneIn(2))]);
    }

    private void CutLinks(FaultKind kind, List<Link> links)
    {
        if (links.Count == 0)
        {
            return;
        }

        scene.World.Totals.NetworkCuts++;
        LinkState state = scene.Random.OneIn(2) ? LinkState.Stalled : LinkState.Dropped;
        long lengthUs = scene.Random.OneIn(2) ? scene.Random.Next(10_000, 800_000) : scene.Random.Next(800_000, 9_000_000);
        scene.Note(kind, $"{state} for {lengthUs} us: {string.Join(' ', links.Select(l => $"{l.From}>{l.To}"))}");
        foreach (Link link in links)
        {
            link.Conditions.State = state;
        }

        scene.WhileFaulty(lengthUs, () =>
        {
            foreach (Link link in links.Where(l => l.Conditions.State == state))
            {
                link.Conditions.State = LinkState.Open;
                if (state == LinkState.Dropped)
                {
                    link.Break();
                }

                link.Resume();
            }
        });
    }

    /// <summary>
    /// One node and the controller's leader do not hear each other, and nothing else is wrong: what the cluster decides it hears late, and what its groups decide
    /// it hears at once.
    /// </summary>
    public void CutFromController()
    {
        SimulatedNode node = scene.Draw();
        NodeId? leader = scene.Nodes.FirstOrDefault(other => other.Host?.ControllerGroup is { } group && other.Host.LeaderOf(group) is not null)?.Id;
        CutLinks(
            FaultKind.CutFromController,
            [.. network.Links.Where(link => leader != node.Id && ((link.From == leader && link.To == node.Id) || (link.From == node.Id && link.To == leader)))]);
    }

    public void Reset()
    {
        SimulatedNode one = scene.Draw();
        SimulatedNode other = scene.Draw();
        if (one != other)
        {
            scene.World.Totals.Resets++;
            scene.Note(FaultKind.Reset, $"connections between {one.Id} and {other.Id} are reset");
            network.Reset(one.Id, other.Id);
        }
    }

    public void SlowLink()
    {
        Link link = DrawLink();
        scene.Note(FaultKind.SlowLink, $"{link.From}>{link.To} is slow");
        link.Conditions.LatencyUs = scene.Random.Next(1_000, 200_000);
        link.Conditions.JitterUs = scene.Random.Next(1_000, 100_000);
        link.Conditions.BytesPerUs = scene.Random.Next(1, 20);
        scene.WhileFaulty(scene.Random.Next(500_000, 6_000_000), link.Conditions.BeFast);
    }

    /// <summary>All of it, and unevenly: candidates do not hear of each other in time, and what was said long ago still comes.</summary>
    public void SlowNetwork()
    {
        int latencyUs = scene.Random.Next(5_000, 600_000);
        scene.Note(FaultKind.SlowNetwork, $"the network takes {latencyUs} us and as much again");
        foreach (Link link in network.Links)
        {
            link.Conditions.LatencyUs = scene.Random.Next(100, latencyUs);
            link.Conditions.JitterUs = scene.Random.Next(100, latencyUs);
        }

        scene.WhileFaulty(scene.Random.Next(1_000_000, 6_000_000), () =>
        {
            foreach (Link link in network.Links)
            {
                link.Conditions.BeFast();
            }
        });
    }

    /// <summary>
    /// One node behind a long or congested way, to some longer than to others: it hears of one group later than of another, and what it asks is asked again
    /// before the answer comes.
    /// </summary>
    public void MoveAway()
    {
        SimulatedNode node = scene.Draw();
        Link[] links = [.. network.Links.Where(l => l.From == node.Id || l.To == node.Id)];
        scene.Note(FaultKind.FarNode, $"{node.Id} is far from all");
        foreach (Link link in links)
        {
            link.Conditions.LatencyUs = scene.Random.OneIn(2) ? scene.Random.Next(1_000, 100_000) : scene.Random.Next(100_000, 1_800_000);
            link.Conditions.JitterUs = scene.Random.Next(1_000, 50_000);
        }

        scene.WhileFaulty(scene.Random.Next(2_000_000, 9_000_000), () =>
        {
            foreach (Link link in links)
            {
                link.Conditions.BeFast();
            }
        });
    }

    public void NastyLink()
    {
        Link link = DrawLink();
        scene.Note(FaultKind.NastyLink, $"{link.From}>{link.To} loses, repeats and reorders");
        link.Conditions.NastyOneIn = scene.Random.Next(3, 40);
        scene.WhileFaulty(scene.Random.Next(500_000, 6_000_000), () => link.Conditions.NastyOneIn = 0);
    }

    private Link DrawLink()
    {
        int number = scene.Random.Next(network.Links.Count);
        return network.Links.ElementAt(number);
    }
}
