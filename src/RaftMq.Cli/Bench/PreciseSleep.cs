using System.Runtime.InteropServices;

namespace RaftMq.Cli.Bench;

/// <summary>
/// Sleeps to some microseconds on Linux: the runtime's own sleep counts in milliseconds, which at 2,000 records a second would be most
/// of the latency that is measured.
/// </summary>
internal static class PreciseSleep
{
    private const int PrSetTimerSlack = 29;

    /// <summary>For the calling thread: the kernel wakes it within a microsecond of its time instead of fifty.</summary>
    public static void Prepare()
    {
        if (OperatingSystem.IsLinux())
        {
            _ = prctl(PrSetTimerSlack, 1, 0, 0, 0);
        }
    }

    public static void For(long nanoseconds)
    {
        if (nanoseconds <= 0)
        {
            return;
        }

        if (OperatingSystem.IsLinux())
        {
            var time = new TimeSpec((nint)(nanoseconds / 1_000_000_000), (nint)(nanoseconds % 1_000_000_000));
            _ = nanosleep(in time, 0);
        }
        else
        {
            Thread.Sleep((int)Math.Max(1, nanoseconds / 1_000_000));
        }
    }

    // Not LibraryImport: its generated code is unsafe, which only projects with a disk or sockets of their own allow.
#pragma warning disable SYSLIB1054, CA5392
    [DllImport("libc", ExactSpelling = true)]
    private static extern int nanosleep(in TimeSpec wanted, nint remaining);

    [DllImport("libc", ExactSpelling = true)]
    private static extern int prctl(int option, nuint value, nuint third, nuint fourth, nuint fifth);
#pragma warning restore SYSLIB1054, CA5392

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct TimeSpec(nint Seconds, nint Nanoseconds);
}
