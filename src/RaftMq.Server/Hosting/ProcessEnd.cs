using RaftMq.Server.Disk;

namespace RaftMq.Server.Hosting;

/// <summary>
/// The end of the process when a promise can't be kept any more (STOPPED). Nothing is cleaned up on the way: whatever ran on could
/// acknowledge something.
/// </summary>
internal static class ProcessEnd
{
    /// <summary>A second thread that ends the process leaves the first one time to print its report, but not for ever.</summary>
    private static readonly TimeSpan ReportTimeMax = TimeSpan.FromSeconds(2);

    private static int s_ending;

    public static void Fatal(string where, Exception cause)
    {
        // The first report is the one that explains; others would mix with it.
        if (Interlocked.Exchange(ref s_ending, 1) == 0)
        {
            Console.Error.Write(Report(where, cause));
            Console.Error.Flush();
        }
        else
        {
            Thread.Sleep(ReportTimeMax);
        }

        LibC.ExitNow(ExitCodes.Fatal);
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
