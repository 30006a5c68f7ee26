using RaftMq.Broker.Cluster;
using RaftMq.Raft;
using RaftMq.Simulation.Checkers;
using RaftMq.Simulation.Coverage;
using RaftMq.Simulation.Disk;
using RaftMq.Simulation.Network;
using RaftMq.Simulation.World;
using RaftMq.Storage.Files;

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
    private readonly MessageTrigger _messages;
    private readonly MediumFaults? _medium;
    private readonly JournalRot? _journal;
    private readonly LastingFault _lasting;
    private bool _isOver;

    /// <summary>Of the node that crashes now: its supervisor starts it again at once.</summary>
    private bool _startsAtOnce;

    public FaultDriver(
        SimulationWorld world, SimulatedNetwork network, IReadOnlyList<SimulatedNode> nodes, FaultProfile profile, RandomSource random)
    {
        _world = world;
        _network = network;
        _nodes = nodes;
        _profile = profile;
        _random = random;
        _messages = new MessageTrigger(network);
        _lasting = new LastingFault(world, network, nodes, random.Split(), Note);
        if (profile.MediumEveryUs > 0)
        {
            SimulatedNode victim = world.DamagedNode!;
            _medium = new MediumFaults(nodes, victim, MediumFaults.IsMended, random.Split(), Note);
            _journal = new JournalRot(nodes, victim, profile.GroupsInAll, random.Split(), Note);
        }

        if (profile.UpgradeEveryUs > 0)
        {
            world.NewestFeatureLevel = FeatureLevels.Max + 1;
        }

        foreach (SimulatedNode node in nodes)
        {
            node.Ended = ComeBack;
            node.FeatureMax = node.IsWanted ? FeatureLevels.Max : world.NewestFeatureLevel;
        }
    }

    public void Start()
    {
        Repeat(_profile.ProcessCrashEveryUs, () => Crash(Draw(), CrashKind.Process));
        Repeat(_profile.PowerCutEveryUs, () => Crash(Draw(), CrashKind.Power));
        Repeat(_profile.PowerCutAllEveryUs, () => CrashAll(CrashKind.Power));
        Repeat(_profile.CrashInDiskEveryUs, CrashInDisk);
        Repeat(_profile.CrashAtMessageEveryUs, CrashAtMessage);
        Repeat(_profile.CutEveryUs, Cut);
        Repeat(_profile.OneWayCutEveryUs, CutOneWay);
        Repeat(_profile.ResetEveryUs, Reset);
        Repeat(_profile.SlowLinkEveryUs, SlowLink);
        Repeat(_profile.SlowNetworkEveryUs, SlowNetwork);
        Repeat(_profile.NastyLinkEveryUs, NastyLink);
        Repeat(_profile.SlowDiskEveryUs, SlowDisk);
        Repeat(_profile.DiskStallEveryUs, StallDisk);
        Repeat(_profile.DiskErrorEveryUs, FailDisk);
        Repeat(_profile.FullDiskEveryUs, FillDisk);
        Repeat(_profile.SmallDiskEveryUs, ShrinkDisks);
        Repeat(_profile.ClockJumpEveryUs, JumpClock);
        Repeat(_profile.MediumEveryUs, StrikeMedium);
        Repeat(_profile.StateRotEveryUs, SpoilState);
        Repeat(_profile.PauseEveryUs, () => Pause(Draw()));
        Repeat(_profile.PauseAtMessageEveryUs, PauseAtMessage);
        Repeat(_profile.CrashAtDiskWorkEveryUs, CrashAtDiskWork);
        Repeat(_profile.UpgradeEveryUs, Upgrade);
    }

    /// <summary>All is well from here on but for one node.</summary>
    /// <returns>Null: nobody could be struck, and all is well.</returns>
    public SimulatedNode? HealAllButOne()
    {
        BeWell();
        _lasting.Begin();
        return _lasting.Victim;
    }

    /// <summary>All is well from here on; nodes that are down come back at once.</summary>
    public void Heal()
    {
        if (_profile.EndsWithPowerCut)
        {
            CrashAll(CrashKind.Power);
        }

        _lasting.End();
        BeWell();
        Note("all faults are over");
    }

    private void BeWell()
    {
        _isOver = true;
        _messages.Disarm();
        _network.Heal();
        foreach (SimulatedNode node in _nodes)
        {
            Resume(node);
            node.Pace.Recover();
            node.Pace.StalledUntilUs = 0;
            node.Clock.CorrectJumps();
            node.Medium.CancelCrash();
            node.Medium.DisarmAll();
            node.Medium.CapacityBytesMax = long.MaxValue;
            if (node.Life is null && node.IsWanted)
            {
                node.Start();
            }
        }
    }

    /// <summary>Nobody installs an older one again: a cluster's level does not go down.</summary>
    private void Upgrade()
    {
        SimulatedNode node = Draw();
        if (node.IsWanted && node.FeatureMax < _world.NewestFeatureLevel)
        {
            Note(FaultKind.Upgrade, $"{node.Id} gets the next version");
            node.FeatureMax = _world.NewestFeatureLevel;
            Crash(node, CrashKind.Process);
        }
    }

    private SimulatedNode Draw() => _nodes[_random.Next(_nodes.Count)];

    private void Note(string fault) => _world.Trace.Add(_world.NowUs, TraceKind.Fault, fault);

    private void Note(FaultKind kind, string fault)
    {
        _world.Coverage.Hit(CoverageKind.Fault, kind.ToString());
        Note(fault);
    }

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

    /// <summary>What is set off before the faults are over must not strike after: a node that goes down then would be missed for long.</summary>
    private void WhileFaulty(int delayUs, Action fault) => _world.After(delayUs, () =>
    {
        if (!_isOver)
        {
            fault();
        }
    });

    private void ComeBack(SimulatedNode node)
    {
        // Who supervises it is well when the faults are over; what is damaged by then may still end a node.
        long delayUs = (_startsAtOnce ? 0 : _random.Next(_isOver ? 3 : 8)) switch
        {
            0 => _random.Next(100, 10_000),
            1 or 2 => _random.Next(1_000, 200_000),
            3 => _random.Next(6_000_000, 15_000_000),
            _ => _random.Next(200_000, 6_000_000),
        };
        _world.After(delayUs, () =>
        {
            if (node.Life is not null || !node.IsWanted)
            {
                return;
            }

            if (!_isOver && _random.OneIn(_profile.CrashInRecoveryOneIn))
            {
                Note(FaultKind.CrashInRecovery, $"{node.Id} will crash in its recovery");
                node.CrashInDisk(_random.Next(1, 60), DrawKind());
            }

            node.Start();
        });
    }

    private CrashKind DrawKind() => _random.OneIn(2) ? CrashKind.Process : CrashKind.Power;

    private void Crash(SimulatedNode node, CrashKind kind)
    {
        Note(kind == CrashKind.Power ? FaultKind.PowerCut : FaultKind.ProcessCrash, $"{kind} of {node.Id}");
        node.Crash(kind);

        // The next one soon after: two in a row are what breaks a majority's memory (D-02, D-03).
        if (_random.OneIn(3))
        {
            SimulatedNode second = Draw();
            Note(FaultKind.SecondCrash, $"{second.Id} will crash too");
            WhileFaulty(_random.Next(1, 300_000), () => second.Crash(DrawKind()));
        }
    }

    /// <summary>A moment after it said something of a kind; or whoever it said it to, as likely.</summary>
    private void CrashAtMessage()
    {
        Type kind = MessageTrigger.Kinds[_random.Next(MessageTrigger.Kinds.Count)];
        int delayUs = _random.OneIn(2) ? 0 : _random.Next(1, 3_000);
        CrashKind crash = DrawKind();
        Note(FaultKind.CrashAtMessage, $"who says {kind.Name} next crashes {delayUs} us later");
        _messages.Arm(kind, from => WhileFaulty(delayUs, () =>
        {
            _startsAtOnce = _random.OneIn(2);
            _nodes[IndexOf(from)].Crash(crash);
            _startsAtOnce = false;
        }));
    }

    private void PauseAtMessage()
    {
        Type kind = MessageTrigger.Kinds[_random.Next(MessageTrigger.Kinds.Count)];
        int delayUs = _random.OneIn(2) ? 0 : _random.Next(1, 3_000);
        Note(FaultKind.PauseAtMessage, $"who says {kind.Name} next stands still {delayUs} us later");
        _messages.Arm(kind, from => WhileFaulty(delayUs, () => Pause(_nodes[IndexOf(from)])));
    }

    /// <summary>From shorter than an election to far longer than anybody waits.</summary>
    private void Pause(SimulatedNode node)
    {
        if (node.Life is not { IsPaused: false } || !node.IsUp)
        {
            return;
        }

        int lengthUs = _random.OneIn(4) ? _random.Next(3_000_000, 20_000_000) : _random.Next(300_000, 3_000_000);
        bool isReset = _random.OneIn(3);
        Note(isReset ? FaultKind.PauseWithResets : FaultKind.Pause, $"{node.Id} stands still for {lengthUs} us");
        _world.Totals.Pauses++;
        NodeLife life = node.Life;
        life.Pause();
        if (isReset)
        {
            _world.After(_random.Next(lengthUs), () =>
            {
                foreach (SimulatedNode other in _nodes.Where(n => n != node && _random.OneIn(2)))
                {
                    _network.Reset(node.Id, other.Id);
                }
            });
        }

        _world.After(lengthUs, () =>
        {
            if (node.Life == life)
            {
                Resume(node);
            }
        });
    }

    private void Resume(SimulatedNode node)
    {
        if (node.Life is { IsPaused: true } life)
        {
            Note($"{node.Id} goes on");
            life.Resume();
        }
    }

    /// <summary>Whichever node does it first; rare kinds of work are as likely as frequent ones.</summary>
    private void CrashAtDiskWork()
    {
        string point = CrashPoint.All[_random.Next(CrashPoint.All.Count)];
        int later = _random.Next(0, 3);
        CrashKind kind = DrawKind();
        Note(FaultKind.CrashAtDiskWork, $"whose disk does a {point} next crashes ({kind}) {later} operations later");
        SimulatedNode[] armed = [.. _nodes.Where(n => n.IsUp)];
        foreach (SimulatedNode node in armed)
        {
            node.CrashAtDiskWork(point, later, kind, struck: () =>
            {
                foreach (SimulatedNode other in armed.Where(n => n != node))
                {
                    other.Medium.CrashAtPoint(null, later);
                }
            });
        }
    }

    /// <summary>What is lost of the journal is met at a start; one comes soon, half of the time, before it is released.</summary>
    private void StrikeMedium()
    {
        if (!_profile.JournalRots || !_random.OneIn(2) || !_journal!.Strike())
        {
            _medium!.Strike();
        }
        else if (_random.OneIn(2))
        {
            WhileFaulty(_random.Next(1, 1_000_000), () => _world.DamagedNode!.Crash(DrawKind()));
        }
    }

    /// <summary>On one node in a run, so that it is a minority of each group.</summary>
    private void SpoilState()
    {
        SimulatedNode node = _world.SpoiltNode!;
        if (node is { Host: { } host, Life: not null } && host.SpoilState(_random) is var (group, key, name))
        {
            _world.SpoiltGroups.Add(group);
            _world.History.Add(new HistoryEvent.StateSpoilt(node.Id, group, key, name));
            Note(FaultKind.StateSpoilt, $"{node.Id}: the state of {name} in its memory is spoilt");
        }
    }

    private void CrashAll(CrashKind kind)
    {
        Note(FaultKind.PowerCutOfAll, $"{kind} of all");
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
            Note(FaultKind.CrashInDisk, $"{node.Id} will crash ({kind}) in {operations} disk operations");
            node.CrashInDisk(operations, kind);
        }
    }

    private void Cut()
    {
        if (_random.OneIn(5))
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
        int[] ring = [.. Enumerable.Range(0, _nodes.Count)];
        for (int i = ring.Length - 1; i > 0; i--)
        {
            int other = _random.Next(i + 1);
            (ring[i], ring[other]) = (ring[other], ring[i]);
        }

        CutLinks(FaultKind.CutToRing, [.. _network.Links.Where(link => !AreNeighbours(ring, IndexOf(link.From), IndexOf(link.To)))]);
    }

    private static bool AreNeighbours(int[] ring, int one, int other)
    {
        int apart = Math.Abs(Array.IndexOf(ring, one) - Array.IndexOf(ring, other));
        return apart == 1 || apart == ring.Length - 1;
    }

    /// <summary>Both ways between two sides, complete or with one node that both sides see (R-05).</summary>
    private void CutInTwo()
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

        CutLinks(bridge >= 0 ? FaultKind.CutWithBridge : FaultKind.Cut, cut);
    }

    private void CutOneWay()
    {
        SimulatedNode from = Draw();
        CutLinks(FaultKind.OneWayCut, [.. _network.Links.Where(l => l.From == from.Id && _random.OneIn(2))]);
    }

    private void CutLinks(FaultKind kind, List<Link> links)
    {
        if (links.Count == 0)
        {
            return;
        }

        _world.Totals.NetworkCuts++;
        LinkState state = _random.OneIn(2) ? LinkState.Stalled : LinkState.Dropped;
        long lengthUs = _random.OneIn(2) ? _random.Next(10_000, 800_000) : _random.Next(800_000, 9_000_000);
        Note(kind, $"{state} for {lengthUs} us: {string.Join(' ', links.Select(l => $"{l.From}>{l.To}"))}");
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
            Note(FaultKind.Reset, $"connections between {one.Id} and {other.Id} are reset");
            _network.Reset(one.Id, other.Id);
        }
    }

    private void SlowLink()
    {
        Link link = DrawLink();
        Note(FaultKind.SlowLink, $"{link.From}>{link.To} is slow");
        link.Conditions.LatencyUs = _random.Next(1_000, 200_000);
        link.Conditions.JitterUs = _random.Next(1_000, 100_000);
        link.Conditions.BytesPerUs = _random.Next(1, 20);
        _world.After(_random.Next(500_000, 6_000_000), link.Conditions.BeFast);
    }

    /// <summary>All of it, and unevenly: candidates do not hear of each other in time, and what was said long ago still comes.</summary>
    private void SlowNetwork()
    {
        int latencyUs = _random.Next(5_000, 600_000);
        Note(FaultKind.SlowNetwork, $"the network takes {latencyUs} us and as much again");
        foreach (Link link in _network.Links)
        {
            link.Conditions.LatencyUs = _random.Next(100, latencyUs);
            link.Conditions.JitterUs = _random.Next(100, latencyUs);
        }

        _world.After(_random.Next(1_000_000, 6_000_000), () =>
        {
            foreach (Link link in _network.Links)
            {
                link.Conditions.BeFast();
            }
        });
    }

    private void NastyLink()
    {
        Link link = DrawLink();
        Note(FaultKind.NastyLink, $"{link.From}>{link.To} loses, repeats and reorders");
        link.Conditions.NastyOneIn = _random.Next(3, 40);
        _world.After(_random.Next(500_000, 6_000_000), () => link.Conditions.NastyOneIn = 0);
    }

    private void SlowDisk()
    {
        SimulatedNode node = Draw();
        int factor = _random.Next(5, 120);
        int only = _random.Next(4);
        foreach (DiskLane lane in Enum.GetValues<DiskLane>().Where(lane => only == 3 || (int)lane == only))
        {
            Note(only == 3 ? FaultKind.SlowDisk : FaultKind.SlowLane, $"{node.Id}'s disk is slow: {lane} {factor} times");
            node.Pace.SlowDown(lane, factor);
        }

        _world.After(_random.Next(500_000, 8_000_000), node.Pace.Recover);
    }

    private void StallDisk()
    {
        SimulatedNode node = Draw();
        Note(FaultKind.DiskStall, $"{node.Id}'s disk hangs");
        node.Pace.StalledUntilUs = _world.NowUs + _random.Next(100_000, 8_000_000);
    }

    private void FailDisk()
    {
        SimulatedNode node = Draw();
        if (node.IsUp)
        {
            SimulatedDiskFault fault = _random.OneIn(2) ? SimulatedDiskFault.SyncFails : SimulatedDiskFault.WriteFails;
            Note(fault == SimulatedDiskFault.SyncFails ? FaultKind.SyncFails : FaultKind.WriteFails, $"{node.Id}: {fault}");
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
        Note(FaultKind.FullDisk, $"{node.Id}'s disk is full but for {leftBytes} bytes");
        node.Medium.CapacityBytesMax = node.Medium.UsedBytes + leftBytes;
        _world.After(_random.Next(300_000, 10_000_000), () => node.Medium.CapacityBytesMax = long.MaxValue);
    }

    /// <summary>What is left fills up by the node's own data, for longer; on all nodes at once where they share a disk.</summary>
    private void ShrinkDisks()
    {
        long leftBytes = _random.NextInt64(4 * Math.Max(_world.Space.FreeBytesMin, 64 << 10));
        SimulatedNode[] small = _random.OneIn(3) ? [.. _nodes] : [Draw()];
        Note(FaultKind.SmallDisk, $"{string.Join(',', small.Select(node => node.Id))} have {leftBytes} bytes left");
        _world.Totals.FullDisks += small.Length;
        foreach (SimulatedNode node in small)
        {
            node.Medium.CapacityBytesMax = node.Medium.UsedBytes + leftBytes;
        }

        _world.After(_random.Next(3_000_000, 15_000_000), () =>
        {
            foreach (SimulatedNode node in small)
            {
                node.Medium.CapacityBytesMax = long.MaxValue;
            }
        });
    }

    private void JumpClock()
    {
        SimulatedNode node = Draw();
        long ms = _random.NextInt64(2 * 3_600_000) - 3_600_000;
        Note(FaultKind.ClockJump, $"{node.Id}'s clock jumps by {ms} ms");
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
