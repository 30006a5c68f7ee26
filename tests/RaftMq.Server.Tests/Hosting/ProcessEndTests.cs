using System.Diagnostics;
using System.Globalization;
using RaftMq.Server.Hosting;

namespace RaftMq.Server.Tests.Hosting;

/// <summary>What is known of a process that ended itself: its log to the last line, but not at any price.</summary>
public sealed class ProcessEndTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Whoever reads the log comes late; a node that ends at once has left by then. Red before: what the pipe had taken, and no more.</summary>
    [Fact(Timeout = 60_000)]
    public async Task Log_is_written_before_the_process_ends_itself()
    {
        using Process child = Start(TimeSpan.FromSeconds(50));
        Assert.Equal(FatalLogChild.Logged, await child.StandardError.ReadLineAsync(Cancellation));
        await Task.WhenAny(child.WaitForExitAsync(Cancellation), Task.Delay(300, Cancellation));
        string log = await child.StandardOutput.ReadToEndAsync(Cancellation);
        string report = await child.StandardError.ReadToEndAsync(Cancellation);
        await child.WaitForExitAsync(Cancellation);

        Assert.Equal(ExitCodes.Fatal, child.ExitCode);
        Assert.Equal(FatalLogChild.Lines, log.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Contains("RaftMq stops: as asked", report);
    }

    /// <summary>
    /// Who reads the log may stand still. Red before: the report waited for ever, as .NET's console lets nobody write to standard error while
    /// somebody writes to standard output.
    /// </summary>
    [Fact(Timeout = 60_000)]
    public async Task Log_that_nobody_reads_does_not_keep_the_process()
    {
        using Process child = Start(ProcessEnd.LogTimeMax);

        string report = await child.StandardError.ReadToEndAsync(Cancellation);
        await child.WaitForExitAsync(Cancellation);

        Assert.Equal(ExitCodes.Fatal, child.ExitCode);
        Assert.Contains("RaftMq stops: as asked", report);
    }

    private static Process Start(TimeSpan logTimeMax) => Process.Start(
        new ProcessStartInfo(Environment.ProcessPath!, [FatalLogChild.Command, logTimeMax.TotalMilliseconds.ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        })!;
}
