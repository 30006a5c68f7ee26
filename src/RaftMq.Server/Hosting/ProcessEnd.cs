using RaftMq.Server.Disk;

namespace RaftMq.Server.Hosting;

/// <summary>
/// The end of the process when a promise can't be kept any more (STOPPED). Nothing is cleaned up on the way: whatever ran on could
/// acknowledge something.
/// </summary>
internal static class ProcessEnd
{
    /// <summary>For the report: whoever reads it may stand still. A second thread that ends the process leaves the first one so much time.</summary>
    private static readonly TimeSpan ReportTimeMax = TimeSpan.FromSeconds(2);

    /// <summary>For the log's queue: what it holds explains the report. A reader that stands still does not keep the process longer.</summary>
    public static readonly TimeSpan LogTimeMax = TimeSpan.FromMilliseconds(500);

    private static int s_ending;

    /// <param name="where">The part that can't go on; its thread is the caller's, and so stands still from here on.</param>
    /// <param name="cause">What happened.</param>
    public static void Fatal(string where, Exception cause) => Fatal(where, cause, log: null, TimeSpan.Zero);

    /// <param name="where">The part that can't go on; its thread is the caller's, and so stands still from here on.</param>
    /// <param name="cause">What happened.</param>
    /// <param name="log">Disposed before the report is written, since the console's logger writes from a queue; null: nothing was logged.</param>
    /// <param name="logTimeMax">What that may take: <see cref="LogTimeMax"/>.</param>
    public static void Fatal(string where, Exception cause, IDisposable? log, TimeSpan logTimeMax)
    {
        // The first report is the one that explains; others would mix with it.
        if (Interlocked.Exchange(ref s_ending, 1) == 0)
        {
            if (log is not null)
            {
                Within(logTimeMax, log.Dispose);
            }

            // Not by Console.Error: it waits for whoever writes to Console.Out, which may be a log that nobody reads.
            Within(ReportTimeMax, () => LibC.WriteToStandardError(Report(where, cause)));
        }
        else
        {
            Thread.Sleep(ReportTimeMax);
        }

        LibC.ExitNow(ExitCodes.Fatal);
    }

    /// <summary>On a thread of its own: those of the pool may all stand still by now.</summary>
    private static void Within(TimeSpan limit, ThreadStart work)
    {
        var thread = new Thread(work) { IsBackground = true, Name = "process-end" };
        thread.Start();
        thread.Join(limit);
    }

    public static string Report(string where, Exception cause) =>
        $"""
        RaftMq stops: {cause.Message}
          where: {where}
          what this means: this node can no longer vouch for its data and has ended itself at once; nothing after this was acknowledged.
          what to do: look at the disk and the kernel's log (dmesg) after a disk fault; otherwise report this text as a bug.
        {cause}

        """;
}
