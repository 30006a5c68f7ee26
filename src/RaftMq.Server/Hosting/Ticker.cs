using System.Diagnostics;

namespace RaftMq.Server.Hosting;

/// <summary>
/// Time for the node: a thread that calls about every 10 ms. Ticks that were missed (a stopped process, a machine that slept) are not
/// made up for: a hundred at once would look like a second in which nobody was heard.
/// </summary>
internal sealed class Ticker : IDisposable
{
    public static readonly TimeSpan Period = TimeSpan.FromMilliseconds(10);

    /// <summary>Without spinning: the wait is longer than a spin would be, every time.</summary>
    private readonly ManualResetEventSlim _stop = new(initialState: false, spinCount: 0);
    private readonly Thread _thread;

    public Ticker(Action tick, Action<string, Exception> fatal)
    {
        _thread = new Thread(() => Run(tick, fatal)) { IsBackground = true, Name = "ticker" };
        _thread.Start();
    }

    public void Dispose()
    {
        _stop.Set();
        _thread.Join();
        _stop.Dispose();
    }

    private void Run(Action tick, Action<string, Exception> fatal)
    {
        try
        {
            long next = Stopwatch.GetTimestamp();
            long period = (long)(Period.TotalSeconds * Stopwatch.Frequency);
            while (true)
            {
                next = Math.Max(next + period, Stopwatch.GetTimestamp());
                TimeSpan wait = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), next);
                if (_stop.Wait(wait > TimeSpan.Zero ? wait : TimeSpan.Zero))
                {
                    return;
                }

                tick();
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
