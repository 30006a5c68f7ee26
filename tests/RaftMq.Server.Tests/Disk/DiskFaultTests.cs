using System.Diagnostics;
using RaftMq.Server.Hosting;

namespace RaftMq.Server.Tests.Disk;

/// <summary>STOPPED, D-12: a failed sync or write ends the process; nothing is acknowledged after it, and it is not tried again.</summary>
public sealed class DiskFaultTests
{
    private const int Eio = 5;
    private const int Ebadf = 9;
    private const int Enospc = 28;
    private const int Erofs = 30;
    private const int Edquot = 122;

    [Fact]
    public async Task Without_a_fault_every_append_is_acknowledged()
    {
        (int code, string[] acked, string _) = await RunAsync("none", after: 0, Eio);

        Assert.Equal(0, code);
        Assert.Equal(20, acked.Length);
    }

    [Theory]
    [InlineData("fdatasync", Eio)]
    [InlineData("fdatasync", Enospc)]
    [InlineData("fdatasync", Edquot)]
    [InlineData("fdatasync", Ebadf)]
    [InlineData("fdatasync", Erofs)]
    [InlineData("pwrite", Eio)]
    public async Task Process_ends_at_the_first_failure_and_acknowledges_nothing_more(string call, int errno)
    {
        (int code, string[] acked, string report) = await RunAsync(call, after: 7, errno);

        Assert.Equal(ExitCodes.Fatal, code);
        Assert.Equal([.. Enumerable.Range(0, 7).Select(i => $"acked {i}")], acked);
        Assert.Contains("RaftMq stops:", report);
        Assert.Contains("journal-0 failed", report);
        Assert.Contains("nothing after this was acknowledged", report);
    }

    /// <summary>The journal's file room is claimed ahead, so no room in the middle of a batch is a fault as well: the default of the work.</summary>
    [Fact]
    public async Task Full_disk_stops_work_that_can_not_wait_for_room()
    {
        (int code, string[] acked, string report) = await RunAsync("pwrite", after: 3, Enospc);

        Assert.Equal(ExitCodes.Fatal, code);
        Assert.Equal(3, acked.Length);
        Assert.Contains("no space left", report);
    }

    private static async Task<(int Code, string[] Acked, string Report)> RunAsync(string call, int after, int errno)
    {
        using var folder = new TemporaryFolder();
        var start = new ProcessStartInfo(Environment.ProcessPath!, [DiskFaultChild.Command, folder.Path, "20"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.Environment["LD_PRELOAD"] = FaultShim.Path;
        start.Environment["FAULTSHIM_CALL"] = call;
        start.Environment["FAULTSHIM_PATH"] = "journal-0";
        start.Environment["FAULTSHIM_AFTER"] = after.ToString();
        start.Environment["FAULTSHIM_ERRNO"] = errno.ToString();
        using Process child = Process.Start(start)!;
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        Task<string> output = child.StandardOutput.ReadToEndAsync(cancellation);
        Task<string> errors = child.StandardError.ReadToEndAsync(cancellation);
        await child.WaitForExitAsync(cancellation);
        string[] acked = (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return (child.ExitCode, acked, await errors);
    }
}
