using System.Diagnostics;

namespace RaftMq.Server.Hosting;

/// <summary>Time for the node: a thread that calls as <see cref="TickSchedule"/> says.</summary>
internal sealed class Ticker : IDisposable
{
    /// <summary>Without spinning: it mostly waits for longer than that would last.</summary>
    private readonly ManualResetEventSlim _woken = new(initialState: false, spinCount: 0);

    private readonly Thread _thread;
    private volatile bool _stopped;

    public Ticker(INode node, Action<string, Exception> fatal)
    {
        node.FineTicksWanted = _woken.Set;
        _thread = new Thread(() => Run(node, fatal)) { IsBackground = true, Name = "ticker" };
        _thread.Start();
    }

    /// <summary>The node must not be used any more by then, or it would wake what is gone.</summary>
    public void Dispose()
    {
        _stopped = true;
        _woken.Set();
        _thread.Join();
    }

    private static long NowUs => (long)Stopwatch.GetElapsedTime(0).TotalMicroseconds;

    private void Run(INode node, Action<string, Exception> fatal)
    {
        try
        {
            var schedule = new TickSchedule(NowUs);
            while (true)
            {
                // Reset before it is asked: a wish that comes between the two is seen by one of them.
                _woken.Reset();
                int waitMs = schedule.UntilNextMs(NowUs, node.WantsFineTicks);
                if (waitMs > 0 && !_stopped)
                {
                    _woken.Wait(waitMs);
                }

                if (_stopped)
                {
                    return;
                }

                switch (schedule.Take(NowUs, node.WantsFineTicks))
                {
                    case TickKind.Coarse:
                        node.Tick();
                        break;
                    case TickKind.Fine:
                        node.FineTick();
                        break;
                    default:
                        break;
                }
            }
        }
#pragma warning disable CA1031 // The top of an owned loop: a node without time is no node.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            fatal("ticker", exception);
        }
    }
}
