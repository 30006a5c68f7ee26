using System.Globalization;
using System.Text.Json;
using RaftMq.Testing;
using RaftMq.Testing.Processes;

namespace RaftMq.Cli.Tests.LocalCluster;

/// <summary><c>raftmq up</c> with the three nodes of its default, and the commands that ask a whole cluster.</summary>
public sealed class ThreeNodesTests : IAsyncLifetime
{
    private const string Group = "billing";
    private const string Topic = "t";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly InstalledCommand raftmq = new();
    private readonly string port = InstalledCommand.FreeBasePort().ToString(CultureInfo.InvariantCulture);
    private ChildProcess up = null!;
    private string bootstrap = "";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        up = await raftmq.StartAsync("up", "--data", raftmq.Data, "--base-port", port);
        string ready = await up.WaitForLineAsync("ready; clients connect to ", Patience, Cancellation);
        bootstrap = ready.Split(' ')[4].TrimEnd(';');
    }

    public ValueTask DisposeAsync() => raftmq.DisposeAsync();

    [Fact]
    public async Task A_node_that_died_is_started_again_and_its_last_line_is_said()
    {
        Assert.Equal(3, bootstrap.Split(',').Length);
        Assert.Contains($"the other commands need --bootstrap {bootstrap}", up.Output);
        string line = await up.WaitForLineAsync("node 1  ready ", Patience, Cancellation);
        int node = int.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture);
        string logFile = Path.Combine(raftmq.Data, "node-1.log");
        int writtenBefore = (await File.ReadAllLinesAsync(logFile, Cancellation)).Length;

        await InstalledCommand.SignalAsync("KILL", node);

        string ended = await up.WaitForLineAsync("node 1 ended with code 137, starts again in 0.25 s; its last line: ", Patience, Cancellation);
        string last = ended[(ended.IndexOf("last line: ", StringComparison.Ordinal) + "last line: ".Length)..];
        Assert.InRange(Array.LastIndexOf(await File.ReadAllLinesAsync(logFile, Cancellation), last), writtenBefore - 1, int.MaxValue);
        await IsReadyAgainAsync(logFile);
        Assert.Equal(
            ExitCodes.Done,
            await CommandTree.RunAsync(["topic", "create", Topic, "--replicas", "3", "--bootstrap", bootstrap], TextWriter.Null, Console.Error));

        up.Terminate();
        Assert.Equal(ExitCodes.Done, await up.WaitForExitAsync(Patience, Cancellation));
        Assert.DoesNotContain(up.Output, line => line.StartsWith("node 0 ended", StringComparison.Ordinal) || line.StartsWith("node 2 ended", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_group_is_listed_and_described_with_its_member_and_how_far_it_is_behind()
    {
        Assert.Equal(
            ExitCodes.Done,
            await CommandTree.RunAsync(["topic", "create", Topic, "--partitions", "2", "--bootstrap", bootstrap], TextWriter.Null, Console.Error));
        string[] load = ["bench", "produce", "--topic", Topic, "--records", "500", "--warmup-seconds", "0", "--bootstrap", bootstrap];
        Assert.Equal(ExitCodes.Done, await CommandTree.RunAsync(load, TextWriter.Null, Console.Error));
        await using OneMemberGroup group = await OneMemberGroup.CommitAsync(bootstrap, Group, Topic, offset: 7, Cancellation);

        JsonElement listed = Assert.Single((await JsonOfAsync("group", "list")).EnumerateArray());
        Assert.Equal((Group, "consumer", "Stable"), (Text(listed, "group"), Text(listed, "protocol"), Text(listed, "state")));
        Assert.InRange(listed.GetProperty("coordinator").GetInt32(), 0, 2);

        JsonElement described = await JsonOfAsync("group", "describe", Group);
        Assert.Equal("Stable", Text(described, "state"));
        Assert.Single(described.GetProperty("members").EnumerateArray());
        JsonElement[] positions = [.. described.GetProperty("positions").EnumerateArray()];
        long[] ends = [.. positions.Select(position => position.GetProperty("end").GetInt64())];
        Assert.Equal(500, ends.Sum());
        Assert.Equal(7, positions[0].GetProperty("committed").GetInt64());
        Assert.Equal(ends[0] - 7, positions[0].GetProperty("lag").GetInt64());
        Assert.Equal(JsonValueKind.Null, positions[1].GetProperty("committed").ValueKind);
        Assert.Equal(ends[0] - 7, described.GetProperty("lag").GetInt64());

        var output = new StringWriter();
        Assert.Equal(ExitCodes.Done, await CommandTree.RunAsync(["group", "describe", Group, "--bootstrap", bootstrap], output, Console.Error));
        Assert.StartsWith(
            string.Create(CultureInfo.InvariantCulture, $"{Group}: Stable, 1 member, lag {ends[0] - 7} and 1 partition without a committed offset"),
            output.ToString(), StringComparison.Ordinal);
        Assert.Equal(
            ExitCodes.NotFound, await CommandTree.RunAsync(["group", "describe", "nobody", "--bootstrap", bootstrap], TextWriter.Null, TextWriter.Null));
    }

    /// <summary>All nodes at once: their records of each other are old, and no controller can renew them before they find each other.</summary>
    [Fact]
    public async Task A_cluster_that_was_moved_to_other_ports_comes_up_with_what_it_had()
    {
        string[] load = ["bench", "produce", "--topic", Topic, "--records", "500", "--warmup-seconds", "0", "--bootstrap", bootstrap];
        Assert.Equal(ExitCodes.Done, await CommandTree.RunAsync(load, TextWriter.Null, Console.Error));
        up.Terminate();
        Assert.Equal(ExitCodes.Done, await up.WaitForExitAsync(Patience, Cancellation));

        string moved = InstalledCommand.FreeBasePort().ToString(CultureInfo.InvariantCulture);
        up = await raftmq.StartAsync("up", "--data", raftmq.Data, "--base-port", moved);
        string ready = await up.WaitForLineAsync("ready; clients connect to ", Patience, Cancellation);
        string before = bootstrap;
        bootstrap = ready.Split(' ')[4].TrimEnd(';');

        Assert.NotEqual(before, bootstrap);
        var output = new StringWriter();
        Assert.Equal(
            ExitCodes.Done,
            await CommandTree.RunAsync(
                ["consume", Topic, "--exit", "--json", "--bootstrap", bootstrap], output, Console.Error));
        Assert.Equal(500, output.ToString().Count(character => character == '\n'));
        up.Terminate();
        Assert.Equal(ExitCodes.Done, await up.WaitForExitAsync(Patience, Cancellation));
    }

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;

    private async Task<JsonElement> JsonOfAsync(params string[] command)
    {
        var output = new StringWriter();
        Assert.Equal(ExitCodes.Done, await CommandTree.RunAsync([.. command, "--json", "--bootstrap", bootstrap], output, Console.Error));
        return JsonSerializer.Deserialize<JsonElement>(output.ToString());
    }

    /// <summary>By the node's own log: the live lines show what is so once a second, and may miss a node that is soon back.</summary>
    private static Task IsReadyAgainAsync(string logFile)
    {
        string[] lines = [];
        return Eventually.HoldsAsync(
            async () => (lines = await File.ReadAllLinesAsync(logFile, Cancellation))
                .Count(line => line.Contains("Node 1 is ready: ", StringComparison.Ordinal)) >= 2,
            () => string.Join('\n', lines), (int)Patience.TotalMilliseconds);
    }
}
