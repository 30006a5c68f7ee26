using System.Diagnostics;
using RaftMq.Cli.Admin;
using RaftMq.Cli.Output;

namespace RaftMq.Cli.LocalCluster;

/// <summary>
/// The cluster of <c>raftmq up</c>: (1) <see cref="Check"/> that folder, disk and ports are free, (2) start all nodes, (3) wait until all
/// are ready, (4) show them until told to stop, (5) ask all to stop and wait; told again, kill them.
/// </summary>
internal sealed class LocalNodes
{
    private static readonly TimeSpan PollTime = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LinesTime = TimeSpan.FromSeconds(1);

    /// <summary>After this the user is told which nodes are not ready; the wait goes on.</summary>
    private static readonly TimeSpan ReadyNotice = TimeSpan.FromSeconds(30);

    private readonly LocalClusterOptions options;
    private readonly LiveLines lines;
    private readonly NodeStarter starter;
    private readonly SupervisedNode[] nodes;
    private readonly AdminClient admin;

    public LocalNodes(LocalClusterOptions options, string program, NodeStarter starter, AdminClient admin, LiveLines lines)
    {
        this.options = options;
        this.lines = lines;
        this.starter = starter;
        this.admin = admin;
        nodes = [.. Enumerable.Range(0, options.Nodes).Select(n => new SupervisedNode(n, program, options, this.starter, lines))];
    }

    /// <summary>The addresses that clients, and the other commands, take.</summary>
    public static string Bootstrap(LocalClusterOptions options) =>
        string.Join(',', Enumerable.Range(0, options.Nodes).Select(n => $"localhost:{NodePorts.Of(n, options.BasePort).Kafka}"));

    public static string Admin(LocalClusterOptions options) =>
        string.Join(',', Enumerable.Range(0, options.Nodes).Select(n => $"localhost:{NodePorts.Of(n, options.BasePort).Http}"));

    /// <exception cref="CommandFailedException">A port is taken or the disk is too full; nothing was started.</exception>
    public static void Check(LocalClusterOptions options)
    {
        for (int node = 0; node < options.Nodes; node++)
        {
            foreach ((string purpose, int port) in NodePorts.Of(node, options.BasePort).All)
            {
                if (!PortOwner.IsFree(port))
                {
                    throw new CommandFailedException(
                        ExitCodes.PortTaken, $"Port {port} ({purpose} of node {node}) is taken by {PortOwner.Describe(port)}; see --base-port.");
                }
            }
        }

        long wanted = options.Nodes * LocalClusterOptions.FreeBytesPerNodeMin;
        long free = new DriveInfo(Path.GetFullPath(options.DataFolder)).AvailableFreeSpace;
        if (free < wanted)
        {
            throw new CommandFailedException(
                ExitCodes.NoRoom, $"The disk of {options.DataFolder} has {free >> 20} MiB free; {Counted.Of(options.Nodes, "node")} {(options.Nodes == 1 ? "needs" : "need")} {wanted >> 20} MiB to start.");
        }
    }

    /// <param name="stop">First signal: end in order.</param>
    /// <param name="kill">Second signal: end now.</param>
    /// <param name="announce">Called once, when all nodes are ready.</param>
    public async Task RunAsync(Func<IReadOnlyList<NodeState>, Task> announce, CancellationToken stop, CancellationToken kill)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task[] running = [.. nodes.Select(node => node.RunAsync(ending.Token))];
        Task shown = ShowAsync(announce, ending.Token);
        try
        {
            // Ends by the signal, or by the first node that can't start.
            await await Task.WhenAny([shown, .. running]);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // As asked.
        }
        finally
        {
            if (stop.IsCancellationRequested)
            {
                lines.Say("stopping (again: kill) ...");
            }

            await ending.CancelAsync();
            await StopAllAsync(running, kill);
        }
    }

    private async Task StopAllAsync(Task[] running, CancellationToken kill)
    {
        // A start that is under way is waited for, so that no process is left behind.
        await Task.WhenAll(running.Select(task => task.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default)));
        await using CancellationTokenRegistration killing = kill.Register(() => Array.ForEach(nodes, node => node.Kill()));
        Array.ForEach(nodes, node => node.Terminate());
        await Task.WhenAll(nodes.Select(node => node.GoneAsync()));
    }

    private async Task ShowAsync(Func<IReadOnlyList<NodeState>, Task> announce, CancellationToken stop)
    {
        long started = Stopwatch.GetTimestamp();
        bool noticed = false;
        bool[] ready = new bool[nodes.Length];
        while (!ready.All(isReady => isReady))
        {
            for (int n = 0; n < nodes.Length; n++)
            {
                ready[n] = await admin.IsReadyAsync(nodes[n].Admin, stop);
                if (ready[n])
                {
                    nodes[n].BecameReady();
                }
            }

            if (!noticed && Stopwatch.GetElapsedTime(started) > ReadyNotice)
            {
                noticed = true;
                string late = string.Join(", ", Enumerable.Range(0, nodes.Length).Where(n => !ready[n]));
                lines.Say($"not ready after {ReadyNotice.TotalSeconds:0} s: node {late}; see {options.DataFolder}/node-*.log");
            }

            await Task.Delay(PollTime, stop);
        }

        await announce(await LookAsync(stop));
        while (true)
        {
            lines.Show(await LookAsync(stop));
            await Task.Delay(LinesTime, stop);
        }
    }

    private async Task<IReadOnlyList<NodeState>> LookAsync(CancellationToken stop)
    {
        int? controller = null;
        try
        {
            controller = (await admin.ClusterAsync(stop)).ControllerLeader;
        }
        catch (CommandFailedException)
        {
            // No node answers now: their lines say so.
        }

        return await Task.WhenAll(nodes.Select(async node =>
        {
            StatusAnswer? status = node.ProcessId is null ? null : await admin.StatusAsync(node.Admin, stop);
            NodePhase phase = node.ProcessId is null ? NodePhase.Down : status is { Ready: true } ? NodePhase.Ready : NodePhase.Starting;
            return new NodeState(
                node.Number, phase, node.ProcessId, controller == node.Number, status?.Leading ?? 0, status?.Following ?? 0,
                status?.Damaged?.Count ?? 0, status?.RecordsPerSecond ?? 0);
        }));
    }
}
