using System.Globalization;
using System.Net;
using System.Net.Sockets;
using RaftMq.Cli.LocalCluster;

namespace RaftMq.Cli.Tests.LocalCluster;

public sealed class StartRefusalTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("raftmq-cli-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_second_start_on_a_folder_names_the_first()
    {
        using FolderLock first = FolderLock.Take(folder);
        CommandFailedException refused = Assert.Throws<CommandFailedException>(() => FolderLock.Take(folder));
        Assert.Equal(ExitCodes.FolderInUse, refused.ExitCode);
        Assert.Contains(Environment.ProcessId.ToString(CultureInfo.InvariantCulture), refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_was_given_back_can_be_taken()
    {
        FolderLock.Take(folder).Dispose();
        FolderLock.Take(folder).Dispose();
    }

    [Fact]
    public void A_taken_port_refuses_the_start_and_says_whose_it_is()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        CommandFailedException refused = Assert.Throws<CommandFailedException>(() => LocalNodes.Check(new LocalClusterOptions(1, folder, port)));
        Assert.Equal(ExitCodes.PortTaken, refused.ExitCode);
        Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"Port {port} (Kafka of node 0)"), refused.Message, StringComparison.Ordinal);
    }

    /// <summary>Red before: the folder, with its lock, stayed.</summary>
    [Fact]
    public async Task A_start_that_is_refused_takes_the_new_folder_away_again_and_leaves_an_old_one()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        string port = ((IPEndPoint)listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
        string old = Directory.CreateDirectory(Path.Combine(folder, "old")).FullName;

        Assert.Equal(ExitCodes.PortTaken, await UpAsync(Path.Combine(folder, "new", "data"), port));
        Assert.Equal(ExitCodes.PortTaken, await UpAsync(old, port));

        Assert.Equal([old], Directory.EnumerateFileSystemEntries(folder));
    }

    [Fact]
    public void A_folder_in_which_something_lies_is_not_taken_away()
    {
        string made = Path.Combine(folder, "new", "data");
        using (FolderLock.Take(made))
        {
            File.WriteAllText(Path.Combine(made, "file"), "");
        }

        Assert.Contains(Path.Combine(made, "file"), Directory.EnumerateFiles(made));
    }

    [Fact]
    public void A_folder_that_nodes_were_started_in_stays()
    {
        string made = Path.Combine(folder, "new", "data");
        using (FolderLock taken = FolderLock.Take(made))
        {
            taken.Keep();
        }

        Assert.True(Directory.Exists(made));
    }

    [Fact]
    public void A_build_without_a_fitting_sdk_is_told_from_one_that_fails()
    {
        Assert.Equal(ExitCodes.WrongSdk, ServerProgram.Explain(1, ["A compatible .NET SDK was not found.", "more"]).ExitCode);
        CommandFailedException broken = ServerProgram.Explain(1, ["A.cs(1,1): error CS1002: ; expected"]);
        Assert.Equal(ExitCodes.NoServer, broken.ExitCode);
        Assert.Contains("CS1002", broken.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_build_that_takes_long_says_that_it_goes_on()
    {
        var said = new FirstLine();
        var build = new TaskCompletionSource<int>();
        Task<int> shown = ServerProgram.WithProgressAsync(build.Task, said, sayEvery: TimeSpan.FromMilliseconds(1));
        string line = await said.Line.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.False(shown.IsCompleted);
        build.SetResult(7);
        Assert.Equal(7, await shown);

        // How long is the machine's business.
        Assert.Matches(@"^still building after [0-9]+ s \(Ctrl-C ends it\) \.\.\.$", line);
    }

    [Fact]
    public void A_node_that_keeps_dying_is_started_ever_later_and_a_healthy_one_soon()
    {
        var backOff = new RestartBackOff();
        TimeSpan[] waits = [.. Enumerable.Range(0, 12).Select(_ => backOff.AfterDeath(TimeSpan.Zero))];
        Assert.Equal(waits.Order(), waits);
        Assert.Equal(TimeSpan.FromMilliseconds(250), waits[0]);
        Assert.Equal(TimeSpan.FromSeconds(30), waits[^1]);
        Assert.Equal(TimeSpan.FromMilliseconds(250), backOff.AfterDeath(TimeSpan.FromMinutes(1)));
    }

    [Fact]
    public void Lines_are_repeated_only_when_roles_change_where_there_is_no_terminal()
    {
        var output = new StringWriter();
        var lines = new LiveLines(output, terminal: false);
        NodeState node = new(0, NodePhase.Ready, 17, Controller: true, Leading: 2, Following: 3, Damaged: 0, RecordsPerSecond: 10);
        lines.Show([node]);
        lines.Show([node with { RecordsPerSecond = 20 }]);
        lines.Show([node with { Leading = 3 }]);
        string[] printed = output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, printed.Length);
        Assert.Contains("leads 2, follows 3, controller", printed[0], StringComparison.Ordinal);
        Assert.Contains("leads 3", printed[1], StringComparison.Ordinal);
    }

    /// <summary>Hands the first line over to whoever waits for it.</summary>
    private sealed class FirstLine : StringWriter
    {
        private readonly TaskCompletionSource<string> first = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<string> Line => first.Task;

        public override Task WriteLineAsync(string? value)
        {
            first.TrySetResult(value!);
            return Task.CompletedTask;
        }
    }

    private static Task<int> UpAsync(string data, string port) =>
        CommandTree.RunAsync(["up", "--nodes", "1", "--data", data, "--base-port", port], TextWriter.Null, TextWriter.Null);
}
