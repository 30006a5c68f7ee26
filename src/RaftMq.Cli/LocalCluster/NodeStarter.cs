using System.Collections.Concurrent;

namespace RaftMq.Cli.LocalCluster;

/// <summary>The one thread on which processes are started; it lives until the command ends (see <see cref="NodeProcess.Start"/>).</summary>
internal sealed class NodeStarter : IDisposable
{
    private readonly BlockingCollection<Action> work = [];
    private readonly Thread thread;

    public NodeStarter()
    {
        thread = new Thread(Run) { IsBackground = true, Name = "node starter" };
        thread.Start();
    }

    public Task<NodeProcess> StartAsync(string program, IReadOnlyList<string> arguments, string logPath)
    {
        var started = new TaskCompletionSource<NodeProcess>(TaskCreationOptions.RunContinuationsAsynchronously);
        work.Add(() =>
        {
            try
            {
                started.SetResult(NodeProcess.Start(program, arguments, logPath));
            }
            catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException or System.ComponentModel.Win32Exception)
            {
                started.SetException(new CommandFailedException(ExitCodes.NodeCannotStart, $"A node can't be started: {wrong.Message}"));
            }
        });
        return started.Task;
    }

    public void Dispose()
    {
        work.CompleteAdding();
        thread.Join();
        work.Dispose();
    }

    private void Run()
    {
        foreach (Action start in work.GetConsumingEnumerable())
        {
            start();
        }
    }
}
