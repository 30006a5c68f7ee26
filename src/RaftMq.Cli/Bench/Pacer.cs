using System.Diagnostics;

namespace RaftMq.Cli.Bench;

/// <summary>
/// Offers records at their times, whatever became of earlier ones (open loop). At the window's limit records wait, but their latency
/// counts from when they were meant to be sent.
/// </summary>
internal sealed class Pacer : IDisposable
{
    private const long SleepNsMax = 10_000_000;

    private readonly BenchProducer producer;
    private readonly double ticksPerRecord;
    private readonly int window;
    private readonly long recordsMax;
    private readonly Thread thread;
    private volatile bool stopping;

    public Pacer(BenchProducer producer, double recordsPerSecond, int window, long recordsMax)
    {
        this.producer = producer;
        this.window = window;
        this.recordsMax = recordsMax;
        ticksPerRecord = Stopwatch.Frequency / recordsPerSecond;
        thread = new Thread(Run) { IsBackground = true, Name = "pacer" };
        thread.Start();
    }

    public void Dispose()
    {
        stopping = true;
        thread.Join();
    }

    private void Run()
    {
        PreciseSleep.Prepare();
        long start = Stopwatch.GetTimestamp();
        long offered = 0;
        while (!stopping && offered < recordsMax)
        {
            long now = Stopwatch.GetTimestamp();
            long due = Math.Min(recordsMax, (long)((now - start) / ticksPerRecord) + 1);
            int count = (int)Math.Min(due - offered, window - producer.Outstanding);
            if (count > 0)
            {
                producer.Offer(new OfferedRun(count, start + (long)(offered * ticksPerRecord), ticksPerRecord));
                offered += count;
                continue;
            }

            long wait = (long)((start + (offered * ticksPerRecord) - now) * (1e9 / Stopwatch.Frequency));
            PreciseSleep.For(Math.Clamp(wait, 20_000, SleepNsMax));
        }
    }
}
