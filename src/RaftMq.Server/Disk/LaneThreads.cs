using System.Diagnostics;
using RaftMq.Raft;
using RaftMq.Server.Sections;
using RaftMq.Storage.Files;

namespace RaftMq.Server.Disk;

/// <summary>
/// The threads of one lane. A thread's life: take a ticket, execute it, put it into its section and, if the section is free, carry
/// that section's work; look for the next one for a short while; park.
/// In a lane that executes one work at a time, works are executed and completed in the order of submission: the next one is taken only
/// after the last one stands in its section's queue.
/// </summary>
internal sealed class LaneThreads : ICarrierDuty, IDisposable
{
    /// <summary>Spinning pays only while work keeps coming.</summary>
    private static readonly TimeSpan SpinWithin = TimeSpan.FromMilliseconds(1);

    private readonly DiskLane _lane;
    private readonly bool _oneAtATime;
    private readonly TimeSpan _spin;
    private readonly int _waitingMax;
    private readonly IDisk _disk;
    private readonly DiskMetrics _metrics;
    private readonly Action<string, Exception> _fatal;
    private readonly Thread[] _threads;

    // The fields below change under the lock only; _waiting is also looked at without it, by a spinning thread.
    private readonly object _lock = new();
    private DiskTicket? _first;
    private DiskTicket? _last;
    private volatile int _waiting;
    private int _parked;
    private int _spinning;
    private bool _executing;
    private bool _stopping;

    public LaneThreads(
        DiskLane lane, int threads, bool oneAtATime, TimeSpan spin, int waitingMax, IDisk disk, DiskMetrics metrics,
        Action<string, Exception> fatal)
    {
        _lane = lane;
        _oneAtATime = oneAtATime;
        _spin = spin;
        _waitingMax = waitingMax;
        _disk = disk;
        _metrics = metrics;
        _fatal = fatal;
        _threads = new Thread[threads];
        for (int i = 0; i < threads; i++)
        {
            _threads[i] = new Thread(RunThread) { IsBackground = true, Name = $"disk-{lane}-{i}" };
            _threads[i].Start();
        }
    }

    public void Submit(DiskTicket ticket)
    {
        if (_waiting >= _waitingMax)
        {
            _metrics.ReadsByCaller.Increment();
            Execute(ticket);

            // The submitter is inside the section: the completion waits behind the current work, as it always does.
            bool free = ticket.Queue.Section.Enqueue(ticket);
            Invariant.Holds(!free);
            return;
        }

        lock (_lock)
        {
            Append(ticket);

            // A thread of this lane that submits to its own lane comes for it itself, unless it stays in the section (CarrierStays).
            if (_parked > 0 && _spinning == 0 && !_executing && !CarrierDuties.IsMine(this))
            {
                Monitor.Pulse(_lock);
            }
        }
    }

    public void CarrierStays()
    {
        if (_waiting == 0)
        {
            return;
        }

        lock (_lock)
        {
            if (_parked > 0 && _waiting > 0 && !_executing)
            {
                Monitor.Pulse(_lock);
            }
        }
    }

    /// <summary>Lets the threads finish what they execute; what still waits is not done.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _stopping = true;
            Monitor.PulseAll(_lock);
        }

        foreach (Thread thread in _threads)
        {
            if (thread != Thread.CurrentThread)
            {
                thread.Join();
            }
        }
    }

    private void RunThread()
    {
        DiskMetrics.EnterLane(_lane);
        CarrierDuties.TakeUp(this);
        long lastWork = 0;
        try
        {
            while (Take(lastWork) is { } ticket)
            {
                Execute(ticket);
                bool carry = ticket.Queue.Section.Enqueue(ticket);
                Executed();
                if (carry)
                {
                    ticket.Queue.Section.Carry();
                }

                lastWork = Stopwatch.GetTimestamp();
            }
        }
#pragma warning disable CA1031 // The top of an owned loop.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            _fatal($"disk lane {_lane}", exception);
        }
    }

    private void Execute(DiskTicket ticket)
    {
        try
        {
            ticket.Work!.Execute(_disk);
        }
        catch (DiskFullException full)
        {
            ticket.Full = full;
        }
    }

    private void Executed()
    {
        if (!_oneAtATime)
        {
            return;
        }

        lock (_lock)
        {
            _executing = false;
            if (_waiting > 0 && _parked > 0)
            {
                Monitor.Pulse(_lock);
            }
        }
    }

    private DiskTicket? Take(long lastWork)
    {
        if (_waiting == 0 && _spin > TimeSpan.Zero)
        {
            SpinForWork(lastWork);
        }

        lock (_lock)
        {
            while (true)
            {
                if (_stopping)
                {
                    return null;
                }

                if (_first is not null && !(_oneAtATime && _executing))
                {
                    _executing = _oneAtATime;
                    DiskTicket ticket = RemoveFirst();
                    if (!_oneAtATime && _waiting > 0 && _parked > 0)
                    {
                        Monitor.Pulse(_lock);
                    }

                    return ticket;
                }

                _parked++;
                Monitor.Wait(_lock);
                _parked--;
            }
        }
    }

    private void SpinForWork(long lastWork)
    {
        long now = Stopwatch.GetTimestamp();
        if (lastWork == 0 || Stopwatch.GetElapsedTime(lastWork, now) > SpinWithin)
        {
            return;
        }

        Interlocked.Increment(ref _spinning);
        while (_waiting == 0 && Stopwatch.GetElapsedTime(now) < _spin)
        {
            Thread.SpinWait(8);
        }

        Interlocked.Decrement(ref _spinning);
    }

    private void Append(DiskTicket ticket)
    {
        if (_last is null)
        {
            _first = ticket;
        }
        else
        {
            _last.NextTicket = ticket;
        }

        _last = ticket;
        _waiting++;
        if (_lane == DiskLane.Read)
        {
            _metrics.WaitingReads.Set(_waiting);
        }
    }

    private DiskTicket RemoveFirst()
    {
        DiskTicket ticket = _first!;
        _first = ticket.NextTicket;
        if (_first is null)
        {
            _last = null;
        }

        ticket.NextTicket = null;
        _waiting--;
        if (_lane == DiskLane.Read)
        {
            _metrics.WaitingReads.Set(_waiting);
        }

        return ticket;
    }
}
