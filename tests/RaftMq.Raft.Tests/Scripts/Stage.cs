using System.Globalization;
using System.Text;
using RaftMq.Raft.Tests.Support;

namespace RaftMq.Raft.Tests.Scripts;

/// <summary>
/// Plays a script: nothing happens but what a line says. Messages wait in a queue per direction until delivered, writes until
/// persisted. The commands are listed in <see cref="Play"/>.
/// </summary>
internal sealed class Stage
{
    private readonly StringBuilder _out = new();
    private readonly SortedDictionary<int, Host> _hosts = [];
    private readonly SortedDictionary<(int From, int To), Queue<(BootNumber Boot, RaftMessage Message)>> _wire = [];
    private readonly Dictionary<(int From, int To), List<(BootNumber Boot, RaftMessage Message)>> _kept = [];
    private readonly HashSet<(int From, int To)> _cut = [];
    private readonly RandomSource _random = new(7);
    private RaftConfig _config = new() { Group = new GroupId(1), Self = default, Boot = default };
    private bool _silent;

    public static string Run(IEnumerable<string> commands)
    {
        Stage stage = new();
        foreach (string line in commands)
        {
            stage._out.Append(line).Append('\n');
            if (line.StartsWith("> ", StringComparison.Ordinal))
            {
                stage.Play(line[2..].Split(' ', StringSplitOptions.RemoveEmptyEntries));
            }
        }

        return stage._out.ToString();
    }

    private void Play(string[] words)
    {
        string command = words[0];
        string[] rest = words[1..];
        switch (command)
        {
            case "set": // set eager | lease
                _config = rest[0] == "lease" ? _config with { LeaseReads = true } : _config with { EagerCommit = true };
                break;
            case "group": // group n1 n2 n3 with n4 : replicas that are members, and such that wait outside
                Found(rest);
                break;
            case "tick": // tick n1 5 | tick all 5
                Tick(rest);
                break;
            case "campaign":
                On(rest[0]).Do(g => g.Campaign());
                break;
            case "propose": // propose n1 a b c
                rest[1..].ToList().ForEach(text => Say(On(rest[0]).Propose(text) ? null : $"{rest[0]} refuses {text}: {On(rest[0]).Group.Admit(1)}"));
                break;
            case "persist": // persist n1 [count]
                for (int i = Count(rest, 1); i > 0; i--)
                {
                    Persist(On(rest[0]));
                }

                break;
            case "deliver": // deliver n1 n2 [count] : the oldest messages from n1 to n2, else all
                Deliver(Number(rest[0]), Number(rest[1]), rest.Length > 2 ? Count(rest, 2) : int.MaxValue);
                break;
            case "drop": // drop n1 n2
                Line(Number(rest[0]), Number(rest[1])).Clear();
                break;
            case "keep": // keep n1 n2 : remembers copies of what is under way
                _kept[(Number(rest[0]), Number(rest[1]))] = [.. Line(Number(rest[0]), Number(rest[1]))];
                break;
            case "repeat": // repeat n1 n2 : what was kept arrives (once more)
                _kept[(Number(rest[0]), Number(rest[1]))].ForEach(m => Arrive(Number(rest[0]), Number(rest[1]), m.Boot, m.Message));
                break;
            case "cut": // cut n1 n2 : both ways
                _cut.Add((Number(rest[0]), Number(rest[1])));
                _cut.Add((Number(rest[1]), Number(rest[0])));
                break;
            case "heal":
                _cut.Clear();
                break;
            case "settle": // settle [silently] : everything is persisted and delivered until nothing moves
                Settle(silently: rest.Length > 0);
                break;
            case "crash": // crash n1 [written]
                On(rest[0]).Crash(rest.Length > 1 ? Count(rest, 1) : 0);
                break;
            case "restart":
                On(rest[0]).Start();
                break;
            case "transfer": // transfer n1 n2 : from, to
                On(rest[0]).Do(g => Say($"{g.TransferLeadership(new NodeId(Number(rest[1])))}"));
                break;
            case "change": // change n1 voters n1 n2 learners n3
                Change(rest);
                break;
            case "read": // read n1 42
                On(rest[0]).Do(g => g.Read(Count(rest, 1)));
                break;
            case "cut-log": // cut-log n1 5
                On(rest[0]).CutLogTo(new LogIndex(Count(rest, 1)));
                break;
            case "forget-memory":
                On(rest[0]).ForgetMemory();
                break;
            case "read-log":
                On(rest[0]).CompleteRead();
                break;
            case "send-snapshot":
                On(rest[0]).SendSnapshot();
                break;
            case "install": // install n2 [fails]
                On(rest[0]).Install(rest.Length == 1);
                break;
            case "leader-lost":
                On(rest[0]).Do(g => g.LeaderLost());
                break;
            case "step-aside":
                On(rest[0]).Do(g => g.StepAside());
                break;
            case "wake":
                On(rest[0]).Do(g => g.WakeUp());
                break;
            case "status":
                Status();
                break;
            default:
                throw new InvalidOperationException($"unknown command {command}");
        }
    }

    private static int Number(string name) => int.Parse(name[1..], CultureInfo.InvariantCulture);

    private static int Count(string[] words, int at) => words.Length > at ? int.Parse(words[at], CultureInfo.InvariantCulture) : 1;

    private static ReplicaId Id(string name) => new(new NodeId(Number(name)), new StoreId((UInt128)Number(name)));

    private Host On(string name) => _hosts[Number(name)];

    private void Say(string? line)
    {
        if (line is not null && !_silent)
        {
            _out.Append("  ").Append(line).Append('\n');
        }
    }

    private void Found(string[] names)
    {
        int outsiders = Array.IndexOf(names, "with");
        Membership initial = Membership.Of((outsiders < 0 ? names : names[..outsiders]).Select(Id));
        foreach (string name in names.Where(n => n != "with"))
        {
            bool isMember = outsiders < 0 || Array.IndexOf(names, name) < outsiders;
            Host host = new(Id(name), isMember ? initial : Membership.None, _config, _random)
            {
                OnSend = (from, m) => Sent(from, m),
                OnReady = Tell,
                OnRead = (at, read) => Say($"{at.Id} confirms read {read.ReadId} at {read.Index}"),
            };
            _hosts.Add(Number(name), host);
            host.Start();
        }
    }

    private void Tick(string[] rest)
    {
        for (int i = Count(rest, 1); i > 0; i--)
        {
            foreach (Host host in _hosts.Values.Where(h => h.IsUp && (rest[0] == "all" || rest[0] == h.Id.ToString())))
            {
                host.Do(static g => g.Tick());
            }

            if (rest.Length > 2)
            {
                Settle(silently: true);
            }
        }
    }

    private void Change(string[] rest)
    {
        int learners = Array.IndexOf(rest, "learners");
        learners = learners < 0 ? rest.Length : learners;
        On(rest[0]).Do(g => Say(g.ProposeMembership(
            [.. rest[2..learners].Select(Id)], [.. rest[Math.Min(learners + 1, rest.Length)..].Select(Id)]).ToString()));
    }

    private Queue<(BootNumber Boot, RaftMessage Message)> Line(int from, int to)
    {
        if (!_wire.TryGetValue((from, to), out Queue<(BootNumber, RaftMessage)>? line))
        {
            _wire.Add((from, to), line = new());
        }

        return line;
    }

    private void Sent(Host from, Outgoing outgoing)
    {
        (int From, int To) way = (from.Id.Node.Value, outgoing.To.Node.Value);
        if (!_cut.Contains(way) && _hosts.ContainsKey(way.To))
        {
            Line(way.From, way.To).Enqueue((from.Boot, outgoing.Message));
        }
    }

    private void Deliver(int from, int to, int count)
    {
        Queue<(BootNumber Boot, RaftMessage Message)> line = Line(from, to);
        for (int i = Math.Min(count, line.Count); i > 0; i--)
        {
            (BootNumber boot, RaftMessage message) = line.Dequeue();
            Arrive(from, to, boot, message);
        }
    }

    private void Arrive(int from, int to, BootNumber boot, RaftMessage message)
    {
        Host receiver = _hosts[to];
        if (receiver.IsUp && !_cut.Contains((from, to)))
        {
            Say($"n{to} <- n{from} {Render.Message(message)}");
            receiver.Do(g => g.Step(_hosts[from].Id, boot, message));
        }
    }

    private void Persist(Host host)
    {
        LogIndex before = host.Group.DurableIndex;
        host.CompleteWrite();
        Say($"{host.Id} persisted{(host.Group.DurableIndex == before ? "" : $", durable {host.Group.DurableIndex}")}");
    }

    private void Settle(bool silently)
    {
        bool before = _silent;
        _silent |= silently;
        for (bool moved = true; moved;)
        {
            moved = false;
            foreach (Host host in _hosts.Values.Where(h => h.IsUp))
            {
                while (host.WritesInFlight > 0)
                {
                    Persist(host);
                    moved = true;
                }

                while (host.ReadsAsked.Count > 0)
                {
                    host.CompleteRead();
                    moved = true;
                }

                while (host.SnapshotsAsked.Count > 0)
                {
                    host.SendSnapshot();
                    moved = true;
                }

                if (host.ToInstall is not null)
                {
                    host.Install(succeeds: true);
                    moved = true;
                }
            }

            foreach ((int from, int to) in _wire.Keys.ToList())
            {
                int waiting = Line(from, to).Count;
                moved |= waiting > 0;
                Deliver(from, to, waiting);
            }
        }

        _silent = before;
    }

    private void Tell(Host host, Ready ready)
    {
        if (ready.LeadershipChanged)
        {
            string leader = host.Group.Leader is { } id && id != host.Id ? $" of {id}" : "";
            Say($"{host.Id} is {host.Group.Role}{leader} in {host.Group.Term}");
        }

        if (ready.Persist is not null)
        {
            string vote = ready.HardState is { } state ? $" {state.Term} vote {state.Vote?.ToString() ?? "none"}" : "";
            Say($"{host.Id} writes{vote}{Render.Entries(ready.Entries)}");
        }

        if (ready.MembershipChanged is { } membership)
        {
            Say($"{host.Id} membership {membership}");
        }

        if (ready.CommitAdvanced)
        {
            Say($"{host.Id} commits up to {ready.Committed}");
        }

        ready.LogReads.ForEach(r => Say($"{host.Id} reads {r.From}..{r.To} from disk for {r.Follower}"));
        ready.SnapshotsToSend.ForEach(f => Say($"{host.Id} wants a snapshot for {f}"));
        Say(ready.SnapshotToInstall is { } s ? $"{host.Id} installs the snapshot of {s.SnapshotIndex}" : null);
        ready.ReadsRefused.ForEach(r => Say($"{host.Id} refuses read {r.ReadId}"));
    }

    private void Status()
    {
        foreach (Host host in _hosts.Values)
        {
            Say(!host.IsUp ? $"{host.Id} is down" : $"{host.Id} {host.Group.Role} {host.Group.Term}"
                + $" leader {host.Group.Leader?.ToString() ?? "none"}{(host.Group.IsQuiet ? ", quiet" : "")}"
                + $", last {host.Group.LastIndex}/{host.Group.TermAt(host.Group.LastIndex)} durable {host.Group.DurableIndex}"
                + $" commit {host.Group.CommitIndex}");
        }
    }
}
