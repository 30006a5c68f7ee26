using RaftMq.Broker.Cluster;
using RaftMq.Raft;
using RaftMq.Simulation.Checkers;
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
    private readonly FaultScene _scene;
    private readonly NetworkFaults _onNetwork;
    private readonly DiskFaults _onDisks;
    private readonly MessageTrigger _messages;
    private readonly MediumFaults? _medium;
    private readonly JournalRot? _journal;
    private readonly LastingFault _lasting;

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
        _scene = new FaultScene(world, nodes, random);
        _onNetwork = new NetworkFaults(_scene, network);
        _onDisks = new DiskFaults(_scene);
        _messages = new MessageTrigger(network);
        _lasting = new LastingFault(_scene, network);
        if (profile.MediumEveryUs > 0)
        {
            SimulatedNode victim = world.DamagedNode!;
            _medium = new MediumFaults(nodes, victim, MediumFaults.IsMended, random.Split(), _scene.Note);
            _journal = new JournalRot(nodes, victim, profile.GroupsInAll, random.Split(), _scene.Note);
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
        Repeat(_profile.ProcessCrashEveryUs, () => Crash(_scene.Draw(), CrashKind.Process));
        Repeat(_profile.PowerCutEveryUs, () => Crash(_scene.Draw(), CrashKind.Power));
        Repeat(_profile.PowerCutAllEveryUs, () => CrashAll(CrashKind.Power));
        Repeat(_profile.CrashInDiskEveryUs, CrashInDisk);
        Repeat(_profile.CrashAtMessageEveryUs, CrashAtMessage);
        Repeat(_profile.CutEveryUs, _onNetwork.Cut);
        Repeat(_profile.OneWayCutEveryUs, _onNetwork.CutOneWay);
        Repeat(_profile.ResetEveryUs, _onNetwork.Reset);
        Repeat(_profile.SlowLinkEveryUs, _onNetwork.SlowLink);
        Repeat(_profile.SlowNetworkEveryUs, _onNetwork.SlowNetwork);
        Repeat(_profile.NastyLinkEveryUs, _onNetwork.NastyLink);
        Repeat(_profile.SlowDiskEveryUs, _onDisks.SlowDisk);
        Repeat(_profile.DiskStallEveryUs, _onDisks.StallDisk);
        Repeat(_profile.DiskErrorEveryUs, _onDisks.FailDisk);
        Repeat(_profile.FullDiskEveryUs, _onDisks.FillDisk);
        Repeat(_profile.SmallDiskEveryUs, _onDisks.ShrinkDisks);
        Repeat(_profile.ClockJumpEveryUs, JumpClock);
        Repeat(_profile.MediumEveryUs, StrikeMedium);
        Repeat(_profile.StateRotEveryUs, SpoilState);
        Repeat(_profile.PauseEveryUs, () => Pause(_scene.Draw()));
        Repeat(_profile.PauseAtMessageEveryUs, PauseAtMessage);
        Repeat(_profile.ResetAtMessageEveryUs, ResetAtMessage);
        Repeat(_profile.FarNodeEveryUs, _onNetwork.MoveAway);
        Repeat(_profile.CutFromControllerEveryUs, _onNetwork.CutFromController);
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
        _scene.Note("all faults are over");
    }

    private void BeWell()
    {
        _scene.IsOver = true;
        _messages.Disarm();
        _network.Heal();
        foreach (SimulatedNode node in _nodes)
        {
            Resume(node);
            node.Pace.Recover();
            node.Pace.EndStalls();
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

    /// <summary>Nobody installs an older one again: a cluster's level does not go down. Some begin with the nodes that vote in the controller's group.</summary>
    private void Upgrade()
    {
        SimulatedNode[] old = [.. _nodes.Where(n => n.IsWanted && n.FeatureMax < _world.NewestFeatureLevel)];
        IReadOnlyList<NodeId> voters = _profile.UpgradesVotersFirst ? _nodes.FirstOrDefault(static n => n.IsUp)?.Host!.Broker.Cluster.ControllerVoters ?? [] : [];
        SimulatedNode[] first = [.. old.Where(n => voters.Contains(n.Id))];
        SimulatedNode[] from = first.Length > 0 ? first : old;
        if (from.Length > 0)
        {
            SimulatedNode node = from[_random.Next(from.Length)];
            _scene.Note(FaultKind.Upgrade, $"{node.Id} gets the next version");
            node.FeatureMax = _world.NewestFeatureLevel;
            Crash(node, CrashKind.Process);
        }
    }

    private void Repeat(int everyUs, Action fault)
    {
        if (everyUs == 0)
        {
            return;
        }

        _world.After(_random.Next(1, 2 * everyUs), () =>
        {
            if (!_scene.IsOver)
            {
                fault();
                Repeat(everyUs, fault);
            }
        });
    }

    private void ComeBack(SimulatedNode node)
    {
        // Who supervises it is well when the faults are over; what is damaged by then may still end a node.
        long delayUs = (_startsAtOnce ? 0 : _random.Next(_scene.IsOver ? 3 : 8)) switch
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

            if (!_scene.IsOver && _profile.ForeignVolumeOneIn > 0 && _random.OneIn(_profile.ForeignVolumeOneIn))
            {
                MountForeign(node);
            }

            if (!_scene.IsOver && _random.OneIn(_profile.CrashInRecoveryOneIn))
            {
                _scene.Note(FaultKind.CrashInRecovery, $"{node.Id} will crash in its recovery");
                node.CrashInDisk(_random.Next(1, 60), DrawKind());
            }

            node.Start();
        });
    }

    private void MountForeign(SimulatedNode node)
    {
        SimulatedNode other = _scene.Draw();
        if (other != node && other.Medium.FileExists("identity"))
        {
            _scene.Note(FaultKind.ForeignVolume, $"{node.Id} is started on the volume of {other.Id}");
            node.StartOnVolumeOf(other);
        }
    }

    private CrashKind DrawKind() => _random.OneIn(2) ? CrashKind.Process : CrashKind.Power;

    private void Crash(SimulatedNode node, CrashKind kind)
    {
        _scene.Note(kind == CrashKind.Power ? FaultKind.PowerCut : FaultKind.ProcessCrash, $"{kind} of {node.Id}");
        node.Crash(kind);

        // The next one soon after: two in a row are what breaks a majority's memory (D-02, D-03).
        if (_random.OneIn(3))
        {
            SimulatedNode second = _scene.Draw();
            _scene.Note(FaultKind.SecondCrash, $"{second.Id} will crash too");
            _scene.WhileFaulty(_random.Next(1, 300_000), () => second.Crash(DrawKind()));
        }
    }

    /// <summary>A moment after it said something of a kind; or whoever it said it to, as likely.</summary>
    private void CrashAtMessage()
    {
        Type kind = MessageTrigger.Kinds[_random.Next(MessageTrigger.Kinds.Count)];
        int delayUs = _random.OneIn(2) ? 0 : _random.Next(1, 3_000);
        CrashKind crash = DrawKind();
        _scene.Note(FaultKind.CrashAtMessage, $"who says {kind.Name} next crashes {delayUs} us later");
        _messages.Arm(kind, (from, _) => _scene.WhileFaulty(delayUs, () =>
        {
            _startsAtOnce = _random.OneIn(2);
            _nodes[_scene.IndexOf(from)].Crash(crash);
            _startsAtOnce = false;
        }));
    }

    private void PauseAtMessage()
    {
        Type kind = MessageTrigger.Kinds[_random.Next(MessageTrigger.Kinds.Count)];
        int delayUs = _random.OneIn(2) ? 0 : _random.Next(1, 3_000);
        _scene.Note(FaultKind.PauseAtMessage, $"who says {kind.Name} next stands still {delayUs} us later");
        _messages.Arm(kind, (from, _) => _scene.WhileFaulty(delayUs, () => Pause(_nodes[_scene.IndexOf(from)])));
    }

    /// <summary>What it says is lost, and both live: a request without an answer, or an answer that nobody got.</summary>
    private void ResetAtMessage()
    {
        Type kind = MessageTrigger.Kinds[_random.Next(MessageTrigger.Kinds.Count)];
        _scene.Note(FaultKind.ResetAtMessage, $"the connection on which {kind.Name} is said next is reset");
        _messages.Arm(kind, (from, to) => _scene.WhileFaulty(0, () =>
        {
            _world.Totals.Resets++;
            _network.Reset(from, to);
        }));
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
        _scene.Note(isReset ? FaultKind.PauseWithResets : FaultKind.Pause, $"{node.Id} stands still for {lengthUs} us");
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

        _scene.WhileFaulty(lengthUs, () =>
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
            _scene.Note($"{node.Id} goes on");
            life.Resume();
        }
    }

    /// <summary>Whichever node does it first; rare kinds of work are as likely as frequent ones.</summary>
    private void CrashAtDiskWork()
    {
        string point = CrashPoint.All[_random.Next(CrashPoint.All.Count)];
        int later = _random.Next(0, 3);
        CrashKind kind = DrawKind();
        _scene.Note(FaultKind.CrashAtDiskWork, $"whose disk does a {point} next crashes ({kind}) {later} operations later");
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

    /// <summary>
    /// What is lost of the journal is met at a start; one comes soon, mostly, before it is released, or before a record behind it says the same. Now and then all
    /// start, and nobody leads who could tell the damaged one what it lost. A medium that begins to fail fails again: often before what it lost was made up for.
    /// </summary>
    private void StrikeMedium()
    {
        if (!_profile.JournalRots || _random.OneIn(3) || !_journal!.Strike())
        {
            _medium!.Strike();
        }
        else if (!_random.OneIn(4))
        {
            bool all = _random.OneIn(4);
            _scene.WhileFaulty(_random.OneIn(2) ? _random.Next(1, 20_000) : _random.Next(1, 1_000_000), () =>
            {
                if (all)
                {
                    CrashAll(CrashKind.Power);
                }
                else
                {
                    _startsAtOnce = _random.OneIn(2);
                    _world.DamagedNode!.Crash(DrawKind());
                    _startsAtOnce = false;
                }

                if (_random.OneIn(3))
                {
                    _scene.WhileFaulty(_random.Next(100_000, 1_500_000), StrikeMedium);
                }
            });
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
            _scene.Note(FaultKind.StateSpoilt, $"{node.Id}: the state of {name} in its memory is spoilt");
        }
    }

    private void CrashAll(CrashKind kind)
    {
        _scene.Note(FaultKind.PowerCutOfAll, $"{kind} of all");
        foreach (SimulatedNode node in _nodes)
        {
            node.Crash(kind);
        }
    }

    private void CrashInDisk()
    {
        SimulatedNode node = _scene.Draw();
        int operations = _random.Next(1, 40);
        CrashKind kind = DrawKind();
        if (node.IsUp)
        {
            _scene.Note(FaultKind.CrashInDisk, $"{node.Id} will crash ({kind}) in {operations} disk operations");
            node.CrashInDisk(operations, kind);
        }
    }

    private void JumpClock()
    {
        SimulatedNode node = _scene.Draw();
        long ms = _random.NextInt64(2 * 3_600_000) - 3_600_000;
        _scene.Note(FaultKind.ClockJump, $"{node.Id}'s clock jumps by {ms} ms");
        node.Clock.Jump(ms);
    }
}
