using RaftMq.Raft.Tests.Support;

namespace RaftMq.Raft.Tests.Properties;

/// <summary>
/// A group on a bad network and bad luck, from one seed: loss, duplication, reordering, one-way cuts, crashes that lose what was not
/// persisted, slow disks, membership changes, transfers, cut logs; then all is healed and it must get on. Checks after every step what
/// Raft figure 3 promises, with knowledge no replica has.
/// </summary>
internal sealed class World
{
    private const int Replicas = 5;
    private const int StepsPerTick = 4;

    // A window of one entry, seven steps of delay and a hundred entries to catch up with take that long.
    private const int PatienceTicks = 1000;

    private readonly RandomSource _random;
    private readonly List<Host> _hosts = [];
    private readonly List<Packet> _packets = [];
    private readonly Dictionary<Term, (ReplicaId Leader, BootNumber Boot)> _leaders = [];
    // By index; InTerm is the term of the leader that counted it.
    private readonly List<(Term Term, string Text, Term InTerm)> _committed = [];
    private readonly Dictionary<long, LogIndex> _reads = [];
    private readonly List<string> _trace = [];
    private readonly bool[,] _cut = new bool[Replicas, Replicas];
    private readonly int[] _diskBusyUntil = new int[Replicas];
    private readonly int[] _downUntil = new int[Replicas];
    private readonly Calamity _calamity;
    private int _now;
    private int _proposals;
    private bool _healed;

    public World(ulong seed)
    {
        _random = new RandomSource(seed);
        _calamity = Calamity.Draw(_random);
        RaftConfig template = new()
        {
            Group = new GroupId(1),
            Self = default,
            Boot = default,
            HeartbeatTicks = 2,
            ElectionTicksMin = 6,
            QuietAfterTicks = 10,
            TransferTicksMax = 12,
            WindowEntries = 1 + _random.Next(12),
            WindowBytes = 20 + _random.Next(200),
            AppendBytesMax = 10 + _random.Next(80),
            ProbeBytesMax = _random.Next(40),
            UncommittedBytesMax = 100 + _random.Next(400),
            EagerCommit = _random.OneIn(2),
        };
        int voters = _calamity.DamageOneIn > 0 ? _random.Next(2, 6) : _random.OneIn(4) ? 5 : 3;
        Membership initial = Membership.Of(Enumerable.Range(1, voters).Select(Id));
        for (int n = 1; n <= Replicas; n++)
        {
            Host host = new(Id(n), n <= voters ? initial : Membership.None, template, _random)
            {
                OnSend = Send,
                OnReady = Check,
                OnApply = Apply,
                OnRead = ReadDone,
            };
            _hosts.Add(host);
            host.Start();
        }
    }

    public int Commits => _committed.Count;

    public int Elections => _leaders.Count;

    public int ReadsDone { get; private set; }

    public int Installs { get; private set; }

    public int Changes { get; private set; }

    public int Damages { get; private set; }

    public IReadOnlyList<string> Trace => _trace;

    public bool Tracing { get; set; }

    public void Run(int ticks)
    {
        for (int t = 0; t < ticks; t++)
        {
            Tick(faults: true);
        }

        Heal();
        AwaitProgress();
        CheckLogMatching();
    }

    private static ReplicaId Id(int n) => new(new NodeId(n), new StoreId((UInt128)(100 + n)));

    private Host HostOf(ReplicaId id) => _hosts[id.Node.Value - 1];

    private void Tick(bool faults)
    {
        foreach (Host host in _hosts)
        {
            // Clocks drift.
            if (host.IsUp && (_healed || !_random.OneIn(8)))
            {
                host.Do(static g => g.Tick());
            }
        }

        for (int i = 0; i < StepsPerTick; i++)
        {
            _now++;
            if (faults)
            {
                Misfortune();
                Workload();
            }

            Deliver();
            Disks();
        }

        if (_random.OneIn(10))
        {
            CheckLogMatching();
        }
    }

    private void Send(Host from, Outgoing outgoing)
    {
        Note(() => $"{from.Id} -> {outgoing.To} {Render.Message(outgoing.Message)}");
        CheckAck(from, outgoing.Message);
        int copies = _healed ? 1 : _random.Next(1000) < _calamity.LossPerMille ? 0 : _random.Next(1000) < _calamity.RepeatPerMille ? 2 : 1;
        for (int i = 0; i < copies; i++)
        {
            int delay = _random.Next(1 + _calamity.DelaySteps);
            delay = !_healed && _random.OneIn(50) ? delay + _random.Next(200) : delay;
            _packets.Add(new Packet(_now + delay, from.Id, from.Boot, outgoing.To, outgoing.Message));
        }
    }

    private void Deliver()
    {
        List<Packet> due = _packets.FindAll(p => p.Due <= _now);
        _packets.RemoveAll(p => p.Due <= _now);
        while (due.Count > 0)
        {
            int at = _random.Next(due.Count);
            Packet packet = due[at];
            due[at] = due[^1];
            due.RemoveAt(due.Count - 1);
            Host to = HostOf(packet.To);
            if (to.IsUp && !_cut[packet.From.Node.Value - 1, packet.To.Node.Value - 1])
            {
                Note(() => $"{packet.To} <- {packet.From} {Render.Message(packet.Message)}");
                to.Do(g => g.Step(packet.From, packet.Boot, packet.Message));
            }
        }
    }

    private void Disks()
    {
        for (int i = 0; i < Replicas; i++)
        {
            Host host = _hosts[i];
            if (!host.IsUp && _now >= _downUntil[i])
            {
                host.Start();
                Note(() => $"{host.Id} starts as {host.Boot}");
            }

            if (!host.IsUp || _now < _diskBusyUntil[i])
            {
                continue;
            }

            if (host.WritesInFlight > 1 && _random.OneIn(3))
            {
                host.OvertakeWithHardStates();
            }

            while (host.WritesInFlight > 0 && _random.Next(4) > 0)
            {
                host.CompleteWrite();
                Note(() => $"{host.Id} persisted to {host.Group.DurableIndex}");
            }

            if (host.ReadsAsked.Count > 0 && _random.OneIn(2))
            {
                host.CompleteRead();
            }

            if (host.SnapshotsAsked.Count > 0 && _random.OneIn(2))
            {
                host.SendSnapshot();
            }

            if (host.ToInstall is not null && _random.OneIn(3))
            {
                bool succeeds = _healed || !_random.OneIn(4);
                Installs += succeeds ? 1 : 0;
                host.Install(succeeds);
                Note(() => $"{host.Id} installed: {succeeds}");
            }
        }
    }

    private void Workload()
    {
        Host host = _hosts[Victim()];
        if (!host.IsUp)
        {
            return;
        }

        for (int i = _random.OneIn(3) ? _random.Next(5) : 0; i > 0 && host.Group.Role == Role.Leader; i--)
        {
            host.Propose($"{host.Id}:{++_proposals}" + new string('.', _random.Next(20)));
        }

        if (_random.OneIn(host.Group.Role == Role.Leader ? 2 : 20))
        {
            long read = _reads.Count;
            _reads.Add(read, new LogIndex(_committed.Count));
            host.Do(g => g.Read(read));
        }

        if (_random.OneIn(20))
        {
            host.ForgetMemory();
        }

        if (_random.OneIn(_calamity.CutLogOneIn))
        {
            host.CutLogTo(host.Applied - _random.Next(6));
        }
    }

    private void Misfortune()
    {
        if (_random.Next(1000) < _calamity.CrashPerMille)
        {
            int at = Victim();
            if (_hosts[at].IsUp)
            {
                Note(() => $"{_hosts[at].Id} crashes");
                _hosts[at].Crash(_random.Next(_hosts[at].WritesInFlight + 1));
                MayDamage(_hosts[at]);
                _downUntil[at] = _now + _random.Next(1 + (_random.OneIn(3) ? 200 : 20));
            }
        }

        if (_random.Next(1000) < _calamity.SlowDiskPerMille)
        {
            _diskBusyUntil[Victim()] = _now + _random.Next(60);
        }

        if (_random.Next(1000) < _calamity.CutPerMille)
        {
            bool cut = _random.OneIn(2);
            for (int i = _random.Next(1, 6); i > 0; i--)
            {
                int victim = Victim();
                int other = _random.Next(Replicas);
                _cut[victim, other] = cut;
                _cut[other, victim] = _random.OneIn(3) ? _cut[other, victim] : cut;
            }
        }

        if (_random.OneIn(60))
        {
            Array.Clear(_cut);
        }

        Host host = _hosts[Victim()];
        if (host.IsUp && _random.Next(1000) < _calamity.MeddlePerMille)
        {
            Meddle(host);
        }
    }

    // Fewer than a majority at a time: more is more than can be promised. Memberships do not change then, or a small one could be all damaged.
    private void MayDamage(Host host)
    {
        int voters = _hosts.Max(h => h.Disk.BaseMembership.Voters.Count);
        int damaged = _hosts.Count(h => h.Disk.Damage is not null);
        bool votes = host.Id.Node.Value <= voters;
        if (!votes || host.Disk.Damage is not null || 2 * (damaged + 1) > voters || _calamity.DamageOneIn == 0 || !_random.OneIn(_calamity.DamageOneIn))
        {
            return;
        }

        LogIndex behind = host.Disk.BaseIndex + _random.Next((int)(host.Disk.LastIndex - host.Disk.BaseIndex) + 1);
        bool hardStateToo = _random.OneIn(3);
        bool heldIsKnown = _random.OneIn(2);
        Damages++;
        host.Disk.Lose(behind, heldIsKnown, hardStateToo);
        Note(() => $"{host.Id} loses what is behind {behind}: {host.Disk.Damage}");
    }

    // Leaders make the more interesting victims.
    private int Victim()
    {
        int leader = _hosts.FindIndex(h => h.IsUp && h.Group.Role == Role.Leader);
        return leader >= 0 && _random.OneIn(2) ? leader : _random.Next(Replicas);
    }

    private void Meddle(Host host)
    {
        switch (_random.Next(_calamity.DamageOneIn > 0 ? 4 : 6))
        {
            case 0:
                host.Do(g => g.TransferLeadership(new NodeId(1 + _random.Next(Replicas))));
                break;
            case 1:
                host.Do(g => g.StepAside());
                break;
            case 2:
                host.Do(g => g.LeaderLost());
                break;
            case 3:
                host.Do(g => g.WakeUp());
                break;
            default:
                List<ReplicaId> voters = [];
                List<ReplicaId> learners = [];
                for (int n = 1; n <= Replicas; n++)
                {
                    int draw = _random.Next(4);
                    (draw < 2 ? voters : draw == 2 ? learners : []).Add(Id(n));
                }

                ChangeResult result = host.Group.ProposeMembership(voters, learners);
                Note(() => $"{host.Id} change to ({string.Join(' ', voters)}) ({string.Join(' ', learners)}): {result}");
                Changes += result is ChangeResult.Started ? 1 : 0;
                host.Pump();
                break;
        }
    }

    private void Heal()
    {
        Note(() => "healed");
        _healed = true;
        Array.Clear(_cut);
        Array.Clear(_diskBusyUntil);
        Array.Clear(_downUntil);
    }

    // L-01, on this scale: everything comes back, a leader is elected, writes are committed and reach all members, then it is quiet.
    private void AwaitProgress()
    {
        Await(PatienceTicks, "a committed write", () =>
        {
            Host? leader = _hosts.Find(h => h.IsUp && h.Group.Role == Role.Leader && h.Group.TermStartIndex <= h.Group.CommitIndex);
            leader?.Propose("healed");
            return _committed.Count > 0 && _committed.FindLastIndex(c => c.Text == "healed") >= 0;
        });
        Await(PatienceTicks, "all members quiet and equal", () =>
        {
            Host? leader = _hosts.Find(h => h.Group.Role == Role.Leader && h.Group.IsQuiet);
            return leader is not null && !leader.Group.Membership.IsJoint && _hosts.TrueForAll(h =>
                !leader.Group.Membership.IsMember(h.Id)
                || (h.Group.CommitIndex == leader.Group.LastIndex && h.Group.IsQuiet && h.Applied == leader.Applied));
        });
    }

    private void Await(int ticksMax, string what, Func<bool> condition)
    {
        for (int t = 0; t < ticksMax; t++)
        {
            Tick(faults: false);
            if (_hosts.TrueForAll(h => h.IsUp) && condition())
            {
                return;
            }
        }

        Assert.Fail($"no progress after heal: {what}. " + string.Join("; ", _hosts.Select(h =>
            $"{h.Id} {h.Group.Role} {h.Group.Term} leader {h.Group.Leader} {(h.Group.IsQuiet ? "quiet " : "")}"
            + $"last {h.Group.LastIndex} commit {h.Group.CommitIndex} {h.Group.Membership}")));
    }

    private void Check(Host host, Ready ready)
    {
        if (ready.LeadershipChanged && host.Group.Role == Role.Leader)
        {
            Note(() => $"{host.Id} leads {host.Group.Term}");

            // Election safety (Raft 5.2).
            (ReplicaId, BootNumber) self = (host.Id, host.Boot);
            Assert.True(_leaders.TryAdd(host.Group.Term, self) || _leaders[host.Group.Term] == self, "two leaders in one term");
            for (int i = 0; i < _committed.Count; i++)
            {
                CheckLeaderHolds(host, new LogIndex(i + 1));
            }
        }

        if (ready.CommitAdvanced)
        {
            NoteCommit(host, ready.Committed);
        }
    }

    // The first to know of a commit is the leader that counted it: whatever it counted must be there now.
    private void NoteCommit(Host host, LogIndex committed)
    {
        for (LogIndex i = new(_committed.Count + 1); i <= committed; i = i.Next)
        {
            Term term = host.Group.TermAt(i)!.Value;
            string text = MemoryTail.Text(host.Tail.At(i));
            _committed.Add((term, text, host.Group.Term));
            foreach (Host other in _hosts.Where(h => h.IsUp && h.Group.Role == Role.Leader))
            {
                CheckLeaderHolds(other, i);
            }
        }

        if (host.Group.Role == Role.Leader)
        {
            // Leaving a joint membership needs it committed by both halves; what was committed so far was counted in the one in force.
            Term last = host.Group.TermAt(committed)!.Value;
            Membership membership = MembershipCommitting(host, committed);
            CheckMajorityHolds(membership.Voters, committed, last);
            CheckMajorityHolds(membership.OutgoingVoters, committed, last);
            Assert.Equal(host.Group.Term, last);
        }
    }

    // The automatic leave is appended by the very commit; before it, the joint membership was in force.
    private static Membership MembershipCommitting(Host host, LogIndex committed)
    {
        LogIndex last = host.Group.LastIndex;
        return last > committed && host.Tail.FirstInMemory <= last && host.Tail.At(last).Membership is { IsJoint: false }
            && host.Tail.FirstInMemory <= committed
            ? host.Group.Membership with { OutgoingVoters = [] }
            : host.Group.Membership;
    }

    private void CheckMajorityHolds(IReadOnlyList<ReplicaId> voters, LogIndex index, Term term)
    {
        int holding = voters.Count(v => HostOf(v).Disk.Holds(index, term));
        Assert.True(voters.Count == 0 || 2 * holding > voters.Count, $"{index} committed with {holding} of {voters.Count} disks");
    }

    // Leader completeness (Raft 5.4): what was committed in an earlier term is in the log of every later leader. An entry of an earlier
    // term may be committed in a later one than that of a leader which was cut off and lacks it.
    private void CheckLeaderHolds(Host leader, LogIndex index)
    {
        (Term term, string text, Term inTerm) = _committed[(int)index.Value - 1];
        if (inTerm < leader.Group.Term && index > leader.Group.BaseIndex)
        {
            Assert.True(leader.Group.TermAt(index) == term, $"leader {leader.Id} of {leader.Group.Term} lacks {index} ({term} {text})");
        }
    }

    // State machine safety (Raft 5.4.3): one entry per index, for ever, on all replicas.
    private void Apply(Host host, Entry entry)
    {
        Assert.True(entry.Index.Value <= _committed.Count);
        (Term term, string text, _) = _committed[(int)entry.Index.Value - 1];
        Assert.True(
            term == entry.Term && text == MemoryTail.Text(entry),
            $"{host.Id} applies {entry.Index} as {entry.Term} {MemoryTail.Text(entry)}, not {term} {text}");
    }

    private void ReadDone(Host host, ReadConfirmed read)
    {
        ReadsDone++;
        Assert.True(read.Index >= _reads[read.ReadId], $"{host.Id} confirms a stale read");
    }

    private static void CheckAck(Host from, RaftMessage message)
    {
        LogIndex acknowledged = message switch
        {
            AppendAccepted m => m.DurableIndex,
            HeartbeatReply m => m.DurableIndex,
            _ => LogIndex.Zero,
        };

        // A held-back answer may name what a later term has truncated since; its term tells, and it counts in that one only.
        Assert.True(
            acknowledged <= from.Disk.LastIndex || message.Term < from.Group.Term,
            $"{from.Id} acknowledges {acknowledged} with {from.Disk.LastIndex} on its disk");
    }

    // Log matching (Raft 5.3): where two logs have the same term at an index, they are the same up to it.
    private void CheckLogMatching()
    {
        List<Host> up = _hosts.FindAll(h => h.IsUp);
        foreach (Host a in up)
        {
            foreach (Host b in up.Where(b => b.Id.CompareTo(a.Id) > 0))
            {
                LogIndex first = LogIndex.Max(a.Tail.FirstInMemory, b.Tail.FirstInMemory);
                bool same = false;
                for (LogIndex i = LogIndex.Min(a.Tail.LastIndex, b.Tail.LastIndex); i >= first; i = i.Previous)
                {
                    same |= a.Tail.At(i).Term == b.Tail.At(i).Term;
                    Assert.True(
                        !same || (a.Tail.At(i).Term == b.Tail.At(i).Term
                            && MemoryTail.Text(a.Tail.At(i)) == MemoryTail.Text(b.Tail.At(i))),
                        $"logs of {a.Id} and {b.Id} differ at {i} and agree behind it: {Render.Entries([a.Tail.At(i), b.Tail.At(i)])}");
                }
            }
        }
    }

    private void Note(Func<string> line)
    {
        if (Tracing)
        {
            _trace.Add($"{_now,5} {line()}");
        }
    }

    private sealed record Packet(int Due, ReplicaId From, BootNumber Boot, ReplicaId To, RaftMessage Message);

    /// <summary>How bad things are in one run; drawn, so that calm runs with long logs and wild ones both occur.</summary>
    private sealed record Calamity(
        int LossPerMille, int RepeatPerMille, int DelaySteps, int CrashPerMille, int SlowDiskPerMille, int CutPerMille,
        int MeddlePerMille, int CutLogOneIn, int DamageOneIn)
    {
        public static Calamity Draw(RandomSource random) => new(
            random.OneIn(3) ? 0 : random.Next(200),
            random.Next(100),
            random.Next(1, 8),
            random.OneIn(4) ? 0 : random.Next(25),
            random.Next(60),
            random.OneIn(4) ? 0 : random.Next(120),
            random.OneIn(4) ? 0 : random.Next(60),
            10 + random.Next(200),
            random.OneIn(3) ? 1 + random.Next(4) : 0);
    }
}
