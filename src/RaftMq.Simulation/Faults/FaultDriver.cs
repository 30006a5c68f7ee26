using RaftMq.Raft;
using RaftMq.Simulation.Disk;
using RaftMq.Simulation.Network;
using RaftMq.Simulation.World;

namespace RaftMq.Simulation.Faults;

/// <summary>
/// Lets the drawn faults happen until it is told to stop, and brings crashed nodes back. No fault takes a disk away: what was synced
/// stays, so every acknowledged write is owed whatever happens here.
/// </summary>
internal sealed class FaultDriver
{
    private readonly SimulationWorld _world;
    private readonly SimulatedNetwork _network;
    private readonly IReadOnlyList<SimulatedNode> _nodes;
    private readonly FaultProfile _profile;
    private readonly RandomSource _random;
    private bool _isOver;

    public FaultDriver(
        SimulationWorld world, SimulatedNetwork network, IReadOnlyList<SimulatedNode> nodes, FaultProfile profile, RandomSource random)
    {
        _world = world;
        _network = network;
        _nodes = nodes;
        _profile = profile;
        _random = random;
        foreach (SimulatedNode node in nodes)
        {
            node.Ended = ComeBack;
        }
    }

    public void Start()
    {
        Repeat(_profile.ProcessCrashEveryUs, () => Crash(Draw(), CrashKind.Process));
        Repeat(_profile.PowerCutEveryUs, () => Crash(Draw(), CrashKind.Power));
        Repeat(_profile.PowerCutAllEveryUs, () => CrashAll(CrashKind.Power));
        Repeat(_profile.CrashInDiskEveryUs, CrashInDisk);
        Repeat(_profile.CutEveryUs, Cut);
        Repeat(_profile.OneWayCutEveryUs, CutOneWay);
        Repeat(_profile.ResetEveryUs, Reset);
        Repeat(_profile.SlowLinkEveryUs, SlowLink);
        Repeat(_profile.NastyLinkEveryUs, NastyLink);
        Repeat(_profile.SlowDiskEveryUs, SlowDisk);
        Repeat(_profile.DiskStallEveryUs, StallDisk);
        Repeat(_profile.DiskErrorEveryUs, FailDisk);
        Repeat(_profile.FullDiskEveryUs, FillDisk);
        Repeat(_profile.ClockJumpEveryUs, JumpClock);
    }

    /// <summary>All is well from here on; nodes that are down come back at once.</summary>
    public void Heal()
    {
        if (_profile.EndsWithPowerCut)
        {
            CrashAll(CrashKind.Power);
        }

        _isOver = true;
        Note("all faults are over");
        _network.Heal();
        foreach (SimulatedNode node in _nodes)
        {
            node.Pace.SlownessFactor = 1;
            node.Pace.StalledUntilUs = 0;
            node.Clock.CorrectJumps();
            node.Medium.CancelCrash();
            node.Medium.DisarmAll();
            node.Medium.CapacityBytesMax = long.MaxValue;
            if (node.Life is null)
            {
                node.Start();
            }
        }
    }

    private SimulatedNode Draw() => _nodes[_random.Next(_nodes.Count)];

    private void Note(string fault) => _world.Trace.Add(_world.NowUs, TraceKind.Fault, fault);

    private void Repeat(int everyUs, Action fault)
    {
        if (everyUs == 0)
        {
            return;
        }

        _world.After(_random.Next(1, 2 * everyUs), () =>
        {
            if (!_isOver)
            {
                fault();
                Repeat(everyUs, fault);
            }
        });
    }

    private void ComeBack(SimulatedNode node)
    {
        long delayUs = _random.OneIn(3) ? _random.Next(1_000, 200_000) : _random.Next(200_000, 6_000_000);
        _world.After(delayUs, () =>
        {
            if (node.Life is not null)
            {
                return;
            }

            if (!_isOver && _random.OneIn(_profile.CrashInRecoveryOneIn))
            {
                node.CrashInDisk(_random.Next(1, 60), DrawKind());
            }

            node.Start();
        });
    }

    private CrashKind DrawKind() => _random.OneIn(2) ? CrashKind.Process : CrashKind.Power;

    private void Crash(SimulatedNode node, CrashKind kind)
    {
        node.Crash(kind);

        // The next one soon after: two in a row are what breaks a majority's memory (D-02, D-03).
        if (_random.OneIn(3))
        {
            SimulatedNode second = Draw();
            _world.After(_random.Next(1, 300_000), () => second.Crash(DrawKind()));
        }
    }

    private void CrashAll(CrashKind kind)
    {
        Note($"{kind} of all");
        foreach (SimulatedNode node in _nodes)
        {
            node.Crash(kind);
        }
    }

    private void CrashInDisk()
    {
        SimulatedNode node = Draw();
        int operations = _random.Next(1, 40);
        CrashKind kind = DrawKind();
        if (node.IsUp)
        {
            Note($"{node.Id} will crash ({kind}) in {operations} disk operations");
            node.CrashInDisk(operations, kind);
        }
    }

    /// <summary>Both ways between two sides, complete or with one node that both sides see (R-05).</summary>
    private void Cut()
    {
        bool[] side = new bool[_nodes.Count];
        int bridge = _random.OneIn(3) ? _random.Next(_nodes.Count) : -1;
        int alone = _random.OneIn(2) ? _random.Next(_nodes.Count) : -1;
        for (int i = 0; i < side.Length; i++)
        {
            side[i] = alone >= 0 ? i == alone : _random.OneIn(2);
        }

        List<Link> cut = [];
        foreach (Link link in _network.Links)
        {
            int from = IndexOf(link.From);
            int to = IndexOf(link.To);
            if (side[from] != side[to] && from != bridge && to != bridge)
            {
                cut.Add(link);
            }
        }

        CutLinks(cut);
    }

    private void CutOneWay()
    {
        SimulatedNode from = Draw();
        CutLinks([.. _network.Links.Where(l => l.From == from.Id && _random.OneIn(2))]);
    }

    private void CutLinks(List<Link> links)
    {
        if (links.Count == 0)
        {
            return;
        }

        _world.Totals.NetworkCuts++;
        LinkState state = _random.OneIn(2) ? LinkState.Stalled : LinkState.Dropped;
        long lengthUs = _random.OneIn(2) ? _random.Next(10_000, 800_000) : _random.Next(800_000, 9_000_000);
        Note($"{state} for {lengthUs} us: {string.Join(' ', links.Select(l => $"{l.From}>{l.To}"))}");
        foreach (Link link in links)
        {
            link.Conditions.State = state;
        }

        _world.After(lengthUs, () =>
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

    private void Reset()
    {
        SimulatedNode one = Draw();
        SimulatedNode other = Draw();
        if (one != other)
        {
            _world.Totals.Resets++;
            Note($"connections between {one.Id} and {other.Id} are reset");
            _network.Reset(one.Id, other.Id);
        }
    }

    private void SlowLink()
    {
        Link link = DrawLink();
        Note($"{link.From}>{link.To} is slow");
        link.Conditions.LatencyUs = _random.Next(1_000, 200_000);
        link.Conditions.JitterUs = _random.Next(1_000, 100_000);
        link.Conditions.BytesPerUs = _random.Next(1, 20);
        _world.After(_random.Next(500_000, 6_000_000), () =>
        {
            link.Conditions.LatencyUs = 100;
            link.Conditions.JitterUs = 100;
            link.Conditions.BytesPerUs = 125;
        });
    }

    private void NastyLink()
    {
        Link link = DrawLink();
        Note($"{link.From}>{link.To} loses, repeats and reorders");
        link.Conditions.NastyOneIn = _random.Next(3, 40);
        _world.After(_random.Next(500_000, 6_000_000), () => link.Conditions.NastyOneIn = 0);
    }

    private void SlowDisk()
    {
        SimulatedNode node = Draw();
        Note($"{node.Id}'s disk is slow");
        node.Pace.SlownessFactor = _random.Next(5, 120);
        _world.After(_random.Next(500_000, 8_000_000), () => node.Pace.SlownessFactor = 1);
    }

    private void StallDisk()
    {
        SimulatedNode node = Draw();
        Note($"{node.Id}'s disk hangs");
        node.Pace.StalledUntilUs = _world.NowUs + _random.Next(100_000, 8_000_000);
    }

    private void FailDisk()
    {
        SimulatedNode node = Draw();
        if (node.IsUp)
        {
            SimulatedDiskFault fault = _random.OneIn(2) ? SimulatedDiskFault.SyncFails : SimulatedDiskFault.WriteFails;
            Note($"{node.Id}: {fault}");
            node.MayStop = true;
            node.Medium.Arm(fault);
        }
    }

    /// <summary>Somebody else's files fill it: nothing is left, or so little that small writes go on.</summary>
    private void FillDisk()
    {
        SimulatedNode node = Draw();
        _world.Totals.FullDisks++;
        long leftBytes = _random.OneIn(3) ? 0 : _random.NextInt64(1L << _random.Next(10, 21));
        Note($"{node.Id}'s disk is full but for {leftBytes} bytes");
        node.Medium.CapacityBytesMax = node.Medium.UsedBytes + leftBytes;
        _world.After(_random.Next(300_000, 10_000_000), () => node.Medium.CapacityBytesMax = long.MaxValue);
    }

    private void JumpClock()
    {
        SimulatedNode node = Draw();
        long ms = _random.NextInt64(2 * 3_600_000) - 3_600_000;
        Note($"{node.Id}'s clock jumps by {ms} ms");
        node.Clock.Jump(ms);
    }

    private Link DrawLink()
    {
        int number = _random.Next(_network.Links.Count);
        return _network.Links.ElementAt(number);
    }

    private int IndexOf(NodeId id)
    {
        for (int i = 0; i < _nodes.Count; i++)
        {
            if (_nodes[i].Id == id)
            {
                return i;
            }
        }

        return -1;
    }
}
