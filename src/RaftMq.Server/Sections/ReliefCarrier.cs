namespace RaftMq.Server.Sections;

/// <summary>
/// The section's own thread. It sleeps until a thread that has carried the section for long hands it over: that thread came with bytes
/// of one socket or peer, and others wait for it. Under lasting load the section stays here, and the others only bring work.
/// </summary>
internal sealed class ReliefCarrier(string section, Action carryOn)
{
    [ThreadStatic]
    private static bool t_isRelief;

    private readonly object _lock = new();
    private Thread? _thread;
    private bool _wanted;

    /// <summary>True on a thread that has nothing else to do.</summary>
    public static bool IsHere => t_isRelief;

    /// <summary>From the thread inside the section: it is outside when this returns.</summary>
    public void TakeOver()
    {
        lock (_lock)
        {
            _wanted = true;
            if (_thread is null)
            {
                _thread = new Thread(Run) { IsBackground = true, Name = $"section {section}" };
                _thread.Start();
            }

            Monitor.Pulse(_lock);
        }
    }

    private void Run()
    {
        t_isRelief = true;
        while (true)
        {
            lock (_lock)
            {
                while (!_wanted)
                {
                    Monitor.Wait(_lock);
                }

                _wanted = false;
            }

            carryOn();
        }
    }
}
