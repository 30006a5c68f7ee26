using RaftMq.Broker.Controller;
using RaftMq.Raft;
using RaftMq.Simulation.World;

namespace RaftMq.Simulation.Workloads;

/// <summary>
/// Lets nodes come and go, one change after the other: a machine with an empty disk joins; then a node is drained and removed, or
/// loses its volume, is refused under its old number, and is removed as lost. The cluster never has fewer nodes than it was formed with, so that
/// there is a place for every replica. What is under way when the faults are over must come to its end; a drain is cancelled then, as
/// movements of others may have left partitions with as many replicas as there are nodes.
/// </summary>
internal sealed class NodeOperator
{
    private const int PollUs = 100_000;

    /// <summary>Where replicas are moved about at will, some partitions have one or two: what these lose with a volume is lost.</summary>
    private readonly bool _losesVolumes;

    private readonly ClientSide _clients;
    private readonly WorkloadProfile _profile;
    private readonly RandomSource _random;
    private readonly Administrator _administrator;
    private bool _isLarger;

    public NodeOperator(ClientSide clients, WorkloadProfile profile, RandomSource random)
    {
        _clients = clients;
        _profile = profile;
        _random = random;
        _administrator = new Administrator(clients, random.Split());
        _losesVolumes = profile.MoveEveryUs == 0;
    }

    /// <summary>The change that is not over; null when there is none.</summary>
    public string? UnderWay { get; private set; }

    public void Start()
    {
        if (_profile.ChangeNodesEveryUs > 0)
        {
            Later();
        }
    }

    private void Later() => _clients.World.After(300_000 + _random.Next(1, 2 * _profile.ChangeNodesEveryUs), Change);

    private void Change()
    {
        if (_clients.IsEnding || _clients.HealedAtUs is not null)
        {
            return;
        }

        if (!_isLarger)
        {
            SimulatedNode[] free = [.. _clients.Nodes.Where(n => !n.IsWanted)];
            Join(free[_random.Next(free.Length)]);
        }
        else
        {
            SimulatedNode[] there = [.. _clients.Nodes.Where(n => n.IsWanted)];
            SimulatedNode goes = there[_random.Next(there.Length)];
            if (_losesVolumes && _random.Next(4) > 0)
            {
                Lose(goes);
            }
            else
            {
                Drain(goes);
            }
        }
    }

    private void Join(SimulatedNode node)
    {
        Begin($"{node.Id} joins");
        node.MayBeRefused = false;
        node.Seeds = [.. _clients.Nodes.Where(n => n != node).Select(n => n.Id)];
        bool startsFirst = _random.OneIn(3);
        if (startsFirst)
        {
            Run(node);
        }

        UntilDone(new AdminCommand.ExpectNode(node.Id), isAlsoDone: () => Knows(node), () =>
        {
            Run(node);
            Until(() => Knows(node), () =>
            {
                _isLarger = true;
                _clients.World.Totals.NodesJoined++;
                Over();
            });
        });
    }

    private void Drain(SimulatedNode node)
    {
        Begin($"{node.Id} is drained");
        UntilDone(new AdminCommand.DrainNode(node.Id, Cancel: false), isAlsoDone: null, () => Until(
            () => StateOf(node) == "drained" || _clients.HealedAtUs is not null,
            () =>
            {
                if (StateOf(node) == "drained")
                {
                    Remove(node, lost: false);
                }
                else
                {
                    UntilDone(new AdminCommand.DrainNode(node.Id, Cancel: true), isAlsoDone: null, Over);
                }
            }));
    }

    private void Lose(SimulatedNode node)
    {
        Begin($"{node.Id} loses its volume");
        node.IsWanted = false;
        node.MayBeRefused = true;
        node.Crash(CrashKind.Power);
        node.LoseVolume();
        _clients.World.Totals.VolumesLost++;

        // Whoever looks after it starts it once more, as if nothing had happened.
        if (_random.Next(4) > 0)
        {
            node.IsWanted = true;
            _clients.World.After(_random.Next(1_000, 3_000_000), () =>
            {
                if (node.Life is null && node.IsWanted)
                {
                    node.Start();
                }
            });
        }

        Until(() => !node.IsWanted, () => Remove(node, lost: true));
    }

    private void Remove(SimulatedNode node, bool lost)
    {
        node.MayBeRefused = true;
        UntilDone(new AdminCommand.RemoveNode(node.Id, lost), isAlsoDone: () => IsForgotten(node), () => Until(
            () => IsForgotten(node),
            () => Until(() => !node.IsWanted, () =>
            {
                if (!lost)
                {
                    node.LoseVolume();
                    _clients.World.Totals.NodesRemoved++;
                }

                _isLarger = false;
                Over();
            })));
    }

    private static void Run(SimulatedNode node)
    {
        if (!node.IsWanted)
        {
            node.IsWanted = true;
            if (node.Life is null)
            {
                node.Start();
            }
        }
    }

    private void Begin(string what)
    {
        UnderWay = what;
        _clients.World.Trace.Add(_clients.World.NowUs, TraceKind.Request, what);
    }

    private void Over()
    {
        _clients.World.Trace.Add(_clients.World.NowUs, TraceKind.Request, $"over: {UnderWay}");
        UnderWay = null;
        Later();
    }

    /// <summary>With this folder, by what a majority of the nodes that are to run believe: who starts anew may still know a former one.</summary>
    private bool Knows(SimulatedNode node) =>
        node.Host?.Self is { } self && MostSay(image => image.Nodes.TryGetValue(node.Id, out NodeInfo? known) && known.Replica == self) == true;

    private bool IsForgotten(SimulatedNode node) => MostSay(image => image.Nodes.ContainsKey(node.Id)) == false;

    private string? StateOf(SimulatedNode node) =>
        MostSay(image => image.Nodes.ContainsKey(node.Id) && image.StateOf(node.Id) == "drained") == true ? "drained" : null;

    /// <summary>Null while too few can be asked.</summary>
    private bool? MostSay(Func<ClusterImage, bool> says)
    {
        SimulatedNode[] wanted = [.. _clients.Nodes.Where(static n => n.IsWanted)];
        bool[] words = [.. wanted.Select(n => n.Host?.Broker.Cluster).Where(i => i is { ClusterId.Length: > 0 }).Select(i => says(i!))];
        return words.Count(static w => w) > wanted.Length / 2 ? true : words.Count(static w => !w) > wanted.Length / 2 ? false : null;
    }

    private void Until(Func<bool> condition, Action then)
    {
        if (condition())
        {
            then();
        }
        else
        {
            _clients.World.After(PollUs, () => Until(condition, then));
        }
    }

    private void UntilDone(AdminCommand command, Func<bool>? isAlsoDone, Action then) => _administrator.Ask(
        command, observed: null, result =>
        {
            if (result?.Outcome == AdminOutcome.Done || isAlsoDone?.Invoke() == true)
            {
                then();
            }
            else
            {
                _clients.World.After(_random.Next(100_000, 500_000), () => UntilDone(command, isAlsoDone, then));
            }
        });
}
