using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using RaftMq.Cli.LocalCluster;

namespace RaftMq.Cli.Tests.LocalCluster;

/// <summary>The whole way, with real processes: started, written, stopped, started again, read, killed.</summary>
public sealed class UpTests : IDisposable
{
    private static readonly TimeSpan TimeLimit = TimeSpan.FromMinutes(5);

    private readonly string folder = Directory.CreateTempSubdirectory("raftmq-up-").FullName;
    private readonly int basePort = FreeBasePort();
    private readonly CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private Process? up;

    public UpTests() => limit.CancelAfter(TimeLimit);

    public void Dispose()
    {
        if (up is { HasExited: false })
        {
            up.Kill(entireProcessTree: true);
        }

        up?.Dispose();
        limit.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact(Explicit = true)]
    public async Task A_node_starts_stops_in_order_keeps_its_records_and_dies_with_its_parent()
    {
        // It builds the server twice, which is too long beside everything else of the short form.
        (string bootstrap, _) = await StartAsync();
        Assert.Equal(ExitCodes.Done, await CommandTree.RunAsync(["topic", "create", "t", "--bootstrap", bootstrap], TextWriter.Null, Console.Error));
        string[] load = ["bench", "produce", "--topic", "t", "--records", "500", "--warmup-seconds", "0", "--bootstrap", bootstrap];
        Assert.Equal(ExitCodes.Done, await CommandTree.RunAsync(load, TextWriter.Null, Console.Error));
        await SignalAsync("TERM", up!.Id);
        await up.WaitForExitAsync(limit.Token);
        Assert.Equal(ExitCodes.Done, up.ExitCode);

        (bootstrap, int node) = await StartAsync();
        var output = new StringWriter();
        string[] read = ["bench", "consume", "--topic", "t", "--json", "--bootstrap", bootstrap];
        Assert.Equal(ExitCodes.Done, await CommandTree.RunAsync(read, output, Console.Error));
        using JsonDocument report = JsonDocument.Parse(output.ToString());
        Assert.Equal(500, report.RootElement.GetProperty("foundInLog").GetInt64());

        await SignalAsync("KILL", up.Id);
        while (Directory.Exists(string.Create(CultureInfo.InvariantCulture, $"/proc/{node}")))
        {
            await Task.Delay(20, limit.Token);
        }
    }

    private static int FreeBasePort()
    {
        for (int attempt = 0; attempt < 100; attempt++)
        {
            int port = Random.Shared.Next(11_000, 32_000);
            if (NodePorts.Of(0, port).All.All(used => PortOwner.IsFree(used.Port)))
            {
                return port;
            }
        }

        throw new InvalidOperationException("There are no four free ports.");
    }

    private static async Task SignalAsync(string signal, int process)
    {
        using Process kill = Process.Start("/bin/sh", ["-c", string.Create(CultureInfo.InvariantCulture, $"kill -{signal} {process}")]);
        await kill.WaitForExitAsync();
    }

    private async Task<(string Bootstrap, int Node)> StartAsync()
    {
        up?.Dispose();
        var start = new ProcessStartInfo(Path.Combine(ServerProgram.DotnetRoot(), "dotnet"))
        {
            RedirectStandardOutput = true,
            ArgumentList =
            {
                typeof(CommandTree).Assembly.Location, "up", "--json", "--nodes", "1", "--data", folder,
                "--base-port", basePort.ToString(CultureInfo.InvariantCulture),
            },
        };
        up = Process.Start(start)!;
        string? line = await up.StandardOutput.ReadLineAsync(limit.Token);
        Assert.NotNull(line);
        using JsonDocument ready = JsonDocument.Parse(line);
        return (ready.RootElement.GetProperty("bootstrap").GetString()!, ready.RootElement.GetProperty("nodes")[0].GetProperty("process").GetInt32());
    }
}
