using System.Diagnostics;
using System.Globalization;

namespace RaftMq.Cli.LocalCluster;

/// <summary>
/// One node that is kept alive: (1) started, (2) watched, (3) started again with back-off when it died. A node that says before it was
/// ever ready that it can't start ends the whole command: starting it again does not help.
/// </summary>
internal sealed class SupervisedNode(int number, string program, LocalClusterOptions options, NodeStarter starter, LiveLines lines)
{
    /// <summary>The server's codes for "something outside prevents the start" and "the configuration is wrong".</summary>
    private const int ServerCannotStart = 69;
    private const int ServerConfiguration = 78;

    private readonly RestartBackOff backOff = new();
    private volatile NodeProcess? current;
    private volatile bool wasReady;

    public int Number { get; } = number;

    public int? ProcessId => current is { HasExited: false } alive ? alive.Id : null;

    public Uri Admin { get; } = new(string.Create(CultureInfo.InvariantCulture, $"http://localhost:{NodePorts.Of(number, options.BasePort).Http}"));

    public void BecameReady() => wasReady = true;

    /// <summary>Until <paramref name="stop"/>; the process may still run then.</summary>
    /// <exception cref="CommandFailedException">The node can't start.</exception>
    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            long started = Stopwatch.GetTimestamp();
            string log = Path.Combine(options.DataFolder, string.Create(CultureInfo.InvariantCulture, $"node-{Number}.log"));
            NodeProcess node = await starter.StartAsync(program, options.ArgumentsOf(Number), log);
            current = node;
            try
            {
                await node.WaitForExitAsync(stop);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            int code = node.ExitCode;
            string last = node.LastLine;
            current = null;
            node.Dispose();
            if (!wasReady && code is (ServerCannotStart or ServerConfiguration))
            {
                throw new CommandFailedException(ExitCodes.NodeCannotStart, $"Node {Number} can't start: {last}");
            }

            TimeSpan wait = backOff.AfterDeath(Stopwatch.GetElapsedTime(started));
            lines.Say($"node {Number} ended with code {code}, starts again in {wait.TotalSeconds:0.##} s; its last line: {last}");
            try
            {
                await Task.Delay(wait, stop);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    public void Terminate() => current?.Terminate();

    public void Kill() => current?.Kill();

    /// <summary>Waits until its process is gone.</summary>
    public async Task GoneAsync()
    {
        if (current is { } node)
        {
            await node.WaitForExitAsync(CancellationToken.None);
            current = null;
            node.Dispose();
        }
    }
}
