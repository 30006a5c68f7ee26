using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using RaftMq.Cli.LocalCluster;

namespace RaftMq.Cli.Tests.LocalCluster;

public sealed class StartRefusalTests : IDisposable
{
    private const string Unknown = "and does not say with how many its cluster was formed";
    private const string InAnother = "or begin a new one in another folder (--data).\n";
    private const string HoldsThree =
        "The data folder {0} holds a cluster of 3 nodes, and a cluster keeps the nodes it was formed with: start it with --nodes 3, " + InAnother;

    private const string HoldsOne =
        "The data folder {0} holds a cluster of 1 node, and a cluster keeps the nodes it was formed with: start it with --nodes 1, " + InAnother;

    private const string UnknownAndTooFew =
        "The data folder {0} has folders of 3 nodes " + Unknown + ", which can't be 5: start it with --nodes 3 or fewer, " + InAnother;

    private const string UnknownAndEnough =
        "The data folder {0} has folders of 5 nodes " + Unknown + ": starting 3 of them, which is right only if it was 3.\n";

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

    /// <summary>
    /// Red before: five nodes waited for ever for two that three never took, and one started as one of three. Without a note, or with one that a
    /// power cut emptied, a smaller number was refused too, although the last folders may be of nodes that the cluster never took.
    /// </summary>
    [Theory]
    [InlineData(3, 5, "3", HoldsThree)]
    [InlineData(3, 1, "3", HoldsThree)]
    [InlineData(5, 3, "3", "")]
    [InlineData(1, 3, "1", HoldsOne)]
    [InlineData(3, 5, null, UnknownAndTooFew)]
    [InlineData(3, 5, "", UnknownAndTooFew)]
    [InlineData(5, 3, null, UnknownAndEnough)]
    [InlineData(5, 3, "x", UnknownAndEnough)]
    [InlineData(3, 3, null, "")]
    public async Task A_folder_of_another_number_of_nodes_is_refused_before_anything_is_made(int made, int wanted, string? note, string sentence)
    {
        Form(made);
        if (note is not null)
        {
            await File.WriteAllTextAsync(Path.Combine(folder, "up.nodes"), note, TestContext.Current.CancellationToken);
        }

        using FolderLock taken = FolderLock.Take(folder);
        string[] before = [.. Directory.EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
        taken.Dispose();

        // A port that is taken ends a start that the folder does not refuse.
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        string port = ((IPEndPoint)listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
        var error = new StringWriter();
        string[] up = ["up", "--nodes", wanted.ToString(CultureInfo.InvariantCulture), "--data", folder, "--base-port", port];
        int code = await CommandTree.RunAsync(up, TextWriter.Null, error);

        string said = string.Format(CultureInfo.InvariantCulture, sentence, folder);
        bool refused = sentence.Contains("start it with", StringComparison.Ordinal);
        Assert.Equal(refused ? ExitCodes.NodeCannotStart : ExitCodes.PortTaken, code);
        Assert.Matches($"^{Regex.Escape(said)}{(refused ? "" : "Port .*\n")}$", error.ToString());
        Assert.Equal(before, Directory.EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal));
    }

    /// <summary>Red before: the number of a start that was wrong became that of the folder.</summary>
    [Fact]
    public void A_start_on_a_folder_without_a_note_does_not_write_one()
    {
        Form(3);
        FolderNodes.Note(new LocalClusterOptions(1, folder, BasePort: null));
        Assert.Null(FolderNodes.Check(new LocalClusterOptions(3, folder, BasePort: null)));
    }

    /// <summary>Red before: a stack trace.</summary>
    [Fact]
    public void A_note_that_can_not_be_read_is_a_sentence()
    {
        Form(3);
        Directory.CreateDirectory(Path.Combine(folder, "up.nodes"));
        var three = new LocalClusterOptions(3, folder, BasePort: null);
        CommandFailedException failed = Assert.Throws<CommandFailedException>(() => FolderNodes.Check(three));
        Assert.Equal(ExitCodes.NoRoom, failed.ExitCode);
        Assert.StartsWith($"The data folder {folder} can't be read: ", failed.Message, StringComparison.Ordinal);
    }

    /// <summary>A first start that ended before every node had its folder, or a folder that was lost later, does not change the number.</summary>
    [Fact]
    public void A_folder_in_which_a_node_is_missing_keeps_its_number()
    {
        var three = new LocalClusterOptions(3, folder, BasePort: null);
        FolderNodes.Check(three);
        FolderNodes.Note(three);
        Assert.Equal([Path.Combine(folder, "up.nodes")], Directory.EnumerateFileSystemEntries(folder));
        FolderNodes.Check(three with { Nodes = 5 });
        Form(1);

        FolderNodes.Check(three);
        Assert.Throws<CommandFailedException>(() => FolderNodes.Check(three with { Nodes = 1 }));
    }

    /// <summary>Red before: all but rights were "could not find file".</summary>
    [Theory]
    [InlineData("/proc/raftmq-data", "the system does not make a folder in /proc")]
    [InlineData("/etc/hostname/data", "/etc/hostname is a file")]
    [InlineData("/etc/hostname", "/etc/hostname is a file")]
    public async Task A_folder_that_can_not_be_made_says_why(string data, string why)
    {
        var error = new StringWriter();
        Assert.Equal(ExitCodes.NoRoom, await CommandTree.RunAsync(["up", "--data", data], TextWriter.Null, error));
        Assert.Equal($"The data folder {data} can't be made: {why}.\n", error.ToString());
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

        // What moves all the time would stand there as it was once.
        Assert.DoesNotContain("messages/s", output.ToString(), StringComparison.Ordinal);
        Assert.All(printed, line => Assert.EndsWith("  process 17", line, StringComparison.Ordinal));
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

    private void Form(int nodes)
    {
        for (int node = 0; node < nodes; node++)
        {
            string made = Directory.CreateDirectory(Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"node-{node}"))).FullName;
            File.WriteAllText(Path.Combine(made, "identity"), "");
        }
    }

    private static Task<int> UpAsync(string data, string port) =>
        CommandTree.RunAsync(["up", "--nodes", "1", "--data", data, "--base-port", port], TextWriter.Null, TextWriter.Null);
}
