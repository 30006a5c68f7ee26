using System.Globalization;
using System.Text.Json;
using RaftMq.Records;
using RaftMq.Testing.Processes;

namespace RaftMq.Cli.Tests.LocalCluster;

/// <summary><c>raftmq up</c> from outside, with real nodes: what it does, what it refuses and how it ends.</summary>
public sealed class UpTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly InstalledCommand raftmq = new();
    private readonly string port = InstalledCommand.FreeBasePort().ToString(CultureInfo.InvariantCulture);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => raftmq.DisposeAsync();

    [Fact]
    public async Task A_node_starts_stops_in_order_keeps_its_records_and_dies_with_its_parent()
    {
        (ChildProcess up, string bootstrap, _) = await StartAsync();
        Assert.Equal(ExitCodes.Done, await CommandTree.RunAsync(["topic", "create", "t", "--bootstrap", bootstrap], TextWriter.Null, Console.Error));
        string[] load = ["bench", "produce", "--topic", "t", "--records", "500", "--warmup-seconds", "0", "--bootstrap", bootstrap];
        Assert.Equal(ExitCodes.Done, await CommandTree.RunAsync(load, TextWriter.Null, Console.Error));
        await RefuseOthersAsync(up);
        await TellWrongPortsAsync(bootstrap);
        up.Terminate();
        Assert.Equal(ExitCodes.Done, await up.WaitForExitAsync(Patience, Cancellation));
        Assert.Equal("1", await File.ReadAllTextAsync(Path.Combine(raftmq.Data, "up.nodes"), Cancellation));
        string other = await raftmq.RefusalAsync(ExitCodes.NodeCannotStart, "--nodes", "3", "--data", raftmq.Data, "--base-port", port);
        Assert.StartsWith($"The data folder {raftmq.Data} holds a cluster of 1 node, ", other, StringComparison.Ordinal);
        Assert.False(Directory.Exists(raftmq.Data + "/node-1"));

        (up, bootstrap, int node) = await StartAsync();
        var output = new StringWriter();
        string[] read = ["bench", "consume", "--topic", "t", "--json", "--bootstrap", bootstrap];
        Assert.Equal(ExitCodes.Done, await CommandTree.RunAsync(read, output, Console.Error));
        using JsonDocument report = JsonDocument.Parse(output.ToString());
        Assert.Equal(500, report.RootElement.GetProperty("foundInLog").GetInt64());

        up.Kill();
        await InstalledCommand.GoneAsync(node);
    }

    /// <summary>The node is stopped as by a debugger, so that it can't take the first one.</summary>
    [Fact]
    public async Task The_second_ctrl_c_kills_nodes_that_the_first_did_not_end()
    {
        ChildProcess up = await raftmq.StartAsync("up", "--nodes", "1", "--data", raftmq.Data, "--base-port", port);
        string line = await up.WaitForLineAsync("node 0  ready", Patience, Cancellation);
        int node = int.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture);
        await InstalledCommand.SignalAsync("STOP", node);
        await InstalledCommand.SignalAsync("INT", up.Id);
        await up.WaitForLineAsync("stopping", Patience, Cancellation);
        Assert.False(up.HasExited);

        await InstalledCommand.SignalAsync("INT", up.Id);

        Assert.Equal(ExitCodes.Interrupted, await up.WaitForExitAsync(Patience, Cancellation));
        await InstalledCommand.GoneAsync(node);
    }

    [Fact]
    public async Task Data_of_an_older_format_is_refused_with_15_and_left_as_it_is()
    {
        string folder = Directory.CreateDirectory(Path.Combine(raftmq.Data, "node-0")).FullName;
        string identity = Path.Combine(folder, "identity");
        byte[] old = IdentityOfFormat(0);
        await File.WriteAllBytesAsync(identity, old, Cancellation);

        string said = await raftmq.RefusalAsync(ExitCodes.NodeCannotStart, "--json", "--nodes", "1", "--data", raftmq.Data, "--base-port", port);

        Assert.StartsWith("Node 0 can't start: ", said, StringComparison.Ordinal);
        Assert.Contains("has format 0", said, StringComparison.Ordinal);
        Assert.Equal(old, await File.ReadAllBytesAsync(identity, Cancellation));
    }

    /// <summary>docs/on-disk.md: twice the content, its checksum from byte 8 on, zeros between.</summary>
    private static byte[] IdentityOfFormat(int format)
    {
        byte[] file = new byte[1024];
        Span<byte> content = file.AsSpan(0, 512);
        "RMID"u8.CopyTo(content);
        BitConverter.TryWriteBytes(content[8..], format);
        content.Slice(16, 16).Fill(7);
        BitConverter.TryWriteBytes(content[4..], Crc32C.Compute(content[8..48]));
        content.CopyTo(file.AsSpan(512));
        return file;
    }

    private async Task RefuseOthersAsync(ChildProcess up)
    {
        string owner = string.Create(CultureInfo.InvariantCulture, $"(process {up.Id})");
        string second = await raftmq.RefusalAsync(ExitCodes.FolderInUse, "--nodes", "1", "--data", raftmq.Data, "--base-port", port);
        Assert.Contains(owner, second, StringComparison.Ordinal);
        string elsewhere = await raftmq.RefusalAsync(ExitCodes.PortTaken, "--nodes", "1", "--data", raftmq.Data + "-2", "--base-port", port);
        Assert.StartsWith($"Port {port} (Kafka of node 0) is taken by RaftMq.Server (process ", elsewhere, StringComparison.Ordinal);
    }

    /// <summary>The addresses of Kafka and of HTTP, taken for each other. Red before: a response that ended, an answer of 1,213,486,160 bytes.</summary>
    private static async Task TellWrongPortsAsync(string bootstrap)
    {
        string http = string.Create(CultureInfo.InvariantCulture, $"localhost:{int.Parse(bootstrap.Split(':')[1], CultureInfo.InvariantCulture) + 200}");
        var error = new StringWriter();
        Assert.Equal(ExitCodes.Unreachable, await CommandTree.RunAsync(["cluster", "status", "--admin", bootstrap], TextWriter.Null, error));
        Assert.Equal(
            $"No node answers at {bootstrap} (HTTP, see --admin). {bootstrap} speaks Kafka's protocol and not HTTP: "
            + "an address for --bootstrap, it seems, not for --admin.\n", error.ToString());
        foreach (string command in new[] { "topic list", "consume t", "produce t" })
        {
            error = new StringWriter();
            Assert.Equal(ExitCodes.Unreachable, await CommandTree.RunAsync([.. command.Split(' '), "--bootstrap", http], TextWriter.Null, error));
            Assert.StartsWith($"{http}: ", error.ToString(), StringComparison.Ordinal);
            Assert.DoesNotContain($"{http}: {http}", error.ToString(), StringComparison.Ordinal);
            Assert.EndsWith(
                $". {http} speaks HTTP and not Kafka's protocol: an address for --admin, it seems, not for --bootstrap.\n", error.ToString(),
                StringComparison.Ordinal);
        }
    }

    private async Task<(ChildProcess Up, string Bootstrap, int Node)> StartAsync()
    {
        ChildProcess up = await raftmq.StartAsync("up", "--json", "--nodes", "1", "--data", raftmq.Data, "--base-port", port);
        using JsonDocument ready = JsonDocument.Parse(await up.WaitForLineAsync("{", Patience, Cancellation));
        return (up, ready.RootElement.GetProperty("bootstrap").GetString()!, ready.RootElement.GetProperty("nodes")[0].GetProperty("process").GetInt32());
    }
}
