using System.Collections.Concurrent;
using System.Diagnostics;

namespace RaftMq.Testing.Processes;

/// <summary>
/// Starts processes that must not outlive this one. The kernel kills a child (PR_SET_PDEATHSIG, set by setpriv) when the *thread* that
/// started it ends, so all are started by one thread that lives as long as the process.
/// </summary>
internal static class ChildStarter
{
    private static readonly BlockingCollection<Action> s_work = [];

    static ChildStarter() => new Thread(Run) { IsBackground = true, Name = "starts children" }.Start();

    public static Task<Process> StartAsync(ProcessStartInfo start)
    {
        var done = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        s_work.Add(() =>
        {
            try
            {
                done.SetResult(Process.Start(start)!);
            }
#pragma warning disable CA1031 // It is handed to whoever asked.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                done.SetException(exception);
            }
        });
        return done.Task;
    }

    private static void Run()
    {
        foreach (Action work in s_work.GetConsumingEnumerable())
        {
            work();
        }
    }
}
