using RaftMq.Broker.Environment;
using RaftMq.Raft;
using RaftMq.Simulation.World;

namespace RaftMq.Simulation.Network;

/// <summary>All links between the nodes, and what the nodes are told when a peer's process goes.</summary>
internal sealed class SimulatedNetwork(SimulationWorld world, RandomSource random)
{
    private readonly SortedDictionary<(NodeId From, NodeId To), Link> _links = [];
    private readonly SortedDictionary<NodeId, NodeLife> _up = [];

    public FramePool Frames { get; } = new();

    /// <summary>In order of (from, to).</summary>
    public IReadOnlyCollection<Link> Links => _links.Values;

    /// <summary>Sees each frame as it leaves its sender, for the checkers.</summary>
    public Action<NodeLife, NodeId, PeerFrame>? Tap { get; set; }

    /// <summary>Sees each frame as it leaves its sender for another node, whatever becomes of it then.</summary>
    public Action<NodeId, NodeId, PeerFrame>? Leaving { get; set; }

    public void Connect(IReadOnlyList<NodeId> nodes)
    {
        foreach (NodeId from in nodes)
        {
            foreach (NodeId to in nodes.Where(n => n != from))
            {
                _links.Add((from, to), new Link(world, this, random.Split(), from, to));
            }
        }
    }

    public Link LinkBetween(NodeId from, NodeId to) => _links[(from, to)];

    public void Up(NodeLife life) => _up[life.Node.Id] = life;

    /// <param name="isSilent">The machine is gone with its process: nobody sends a reset.</param>
    public void Down(NodeLife life, bool isSilent)
    {
        NodeId gone = life.Node.Id;
        _up.Remove(gone);
        foreach (Link link in _links.Values.Where(l => l.From == gone || l.To == gone))
        {
            link.Break();
        }

        if (isSilent)
        {
            return;
        }

        foreach (NodeLife peer in _up.Values)
        {
            if (LinkBetween(gone, peer.Node.Id).Conditions.State == LinkState.Open
                && LinkBetween(peer.Node.Id, gone).Conditions.State == LinkState.Open)
            {
                TellReset(peer, gone, refused: true);
            }
        }
    }

    /// <summary>Both directions' connections break; both processes live.</summary>
    public void Reset(NodeId one, NodeId other)
    {
        LinkBetween(one, other).Break();
        LinkBetween(other, one).Break();
        foreach ((NodeId here, NodeId there) in new[] { (one, other), (other, one) })
        {
            if (_up.TryGetValue(here, out NodeLife? life))
            {
                TellReset(life, there, refused: false);
            }
        }
    }

    public void Heal()
    {
        foreach (Link link in _links.Values)
        {
            link.Conditions.Heal();
            link.Resume();
        }
    }

    public void Deliver(NodeId from, NodeId to, PeerFrame frame)
    {
        if (!_up.TryGetValue(to, out NodeLife? life) || life.Node.Host is not { } host)
        {
            Frames.Return(frame);
            return;
        }

        if (life.IsPaused)
        {
            // Received by the machine, and lost with the connection if that is reset before the process reads it.
            Link link = LinkBetween(from, to);
            long connection = link.Connection;
            life.WhenRunning(
                () =>
                {
                    if (link.Connection == connection)
                    {
                        Deliver(from, to, frame);
                    }
                    else
                    {
                        Frames.Return(frame);
                    }
                },
                dropped: () => Frames.Return(frame));
            return;
        }

        world.Trace.Add(world.NowUs, TraceKind.FrameArrived, (from.Value << 8) | to.Value, frame.Length);
        SimulationWorld.RunInside(life, () => host.ReceivePeerFrame(from, frame));
    }

    private void TellReset(NodeLife peer, NodeId gone, bool refused) =>
        world.After(random.Next(200, 20_000), peer, () => peer.Node.Host?.ConnectionReset(gone, refused));
}
