using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using RaftMq.Server.Configuration;
using RaftMq.Server.Hosting;
using RaftMq.Server.Tests.Disk;
using RaftMq.Testing.Processes;

namespace RaftMq.Server.Tests.Hosting;

/// <summary>The real process: its end by a failing disk, by a signal, by a fault in its configuration.</summary>
public sealed class WholeNodeTests : IDisposable
{
    private const int Eio = 5;
    private const int Enospc = 28;
    private const int Edquot = 122;
    private static readonly TimeSpan ExitMax = TimeSpan.FromSeconds(30);

    private readonly List<int> _started = [];
    private readonly TemporaryFolder _folder = new();
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(20) };
    private readonly int _httpPort = FreePorts.Next();
    private readonly ConcurrentQueue<string> _output = new();

    private static string[] LimitsOf(string metrics, string family) =>
        [.. metrics.Split('\n').Where(line => line.StartsWith($"{family}{{", StringComparison.Ordinal)).Select(line => line.Split('"')[1])];

    public void Dispose()
    {
        // What a test that failed left behind.
        foreach (Process left in Process.GetProcesses().Where(process => _started.Contains(process.Id) && process.ProcessName == "RaftMq.Server"))
        {
            left.Kill();
        }

        _http.Dispose();
        _folder.Dispose();
    }

    /// <summary>STOPPED, D-12: the journal's fdatasync fails once, under a whole node; the topic that waited for it is never acknowledged.</summary>
    [Theory]
    [InlineData("fdatasync")]
    [InlineData("pwrite")]
    public async Task Node_ends_itself_when_its_journal_fails_and_acknowledges_nothing_more(string call)
    {
        string gate = _folder.File("fault-now");
        using Process node = Start(new Dictionary<string, string>
        {
            ["LD_PRELOAD"] = FaultShim.Path,
            ["FAULTSHIM_CALL"] = call,
            ["FAULTSHIM_PATH"] = "/journal/",
            ["FAULTSHIM_AFTER"] = "0",
            ["FAULTSHIM_ERRNO"] = Eio.ToString(),
            ["FAULTSHIM_FILE"] = gate,
        });
        Task<string> report = node.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await ReadyAsync(node);
        Assert.Equal(HttpStatusCode.OK, await CreateTopicAsync("before"));

        await File.WriteAllTextAsync(gate, "", TestContext.Current.CancellationToken);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => CreateTopicAsync("after"));

        await node.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(ExitCodes.Fatal, node.ExitCode);
        string text = await report;
        Assert.Contains("RaftMq stops:", text);
        Assert.Contains("errno 5", text.Replace("Input/output error", "errno 5", StringComparison.Ordinal));

        // The disk is well again: what was acknowledged is there.
        File.Delete(gate);
        using Process again = Start([]);
        await ReadyAsync(again);
        Assert.Contains("\"before\"", await _http.GetStringAsync(new Uri($"http://127.0.0.1:{_httpPort}/v1/topics"), TestContext.Current.CancellationToken));
        Terminate(again);
        await again.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(ExitCodes.Stopped, again.ExitCode);
    }

    /// <summary>
    /// STOPPED, D-17, D-18: a name that may not be durable is a lost file later, so a folder's fsync is as fatal as a file's, for want of
    /// room as well: after an error nobody knows what a second try would vouch for.
    /// </summary>
    [Theory]
    [InlineData(Eio, "Input/output error")]
    [InlineData(Enospc, "No space left on device")]
    [InlineData(Edquot, "Disk quota exceeded")]
    public async Task Node_ends_itself_when_a_folder_can_not_be_synced(int errno, string words)
    {
        string gate = _folder.File("fault-now");
        using Process node = Start(new Dictionary<string, string>
        {
            ["LD_PRELOAD"] = FaultShim.Path,
            ["FAULTSHIM_CALL"] = "fsync",
            ["FAULTSHIM_PATH"] = _folder.File("data"),
            ["FAULTSHIM_ERRNO"] = errno.ToString(),
            ["FAULTSHIM_FILE"] = gate,
        });
        Task<string> report = node.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await ReadyAsync(node);
        Assert.Equal(HttpStatusCode.OK, await CreateTopicAsync("before"));

        // A topic's first replica makes a folder for it.
        await File.WriteAllTextAsync(gate, "", TestContext.Current.CancellationToken);
        try
        {
            // It is the controller's journal that makes the topic durable, so it may be acknowledged all the same.
            await CreateTopicAsync("after");
        }
        catch (HttpRequestException)
        {
            // The node was gone before it answered.
        }

        await ExitedAsync(node);
        Assert.Equal(ExitCodes.Fatal, node.ExitCode);
        string text = await report;
        Assert.Matches($"RaftMq stops: fsync of [^ ]* failed: {words} \\(errno {errno}\\)", text);
        Assert.Contains("nothing after this was acknowledged", text);
        using Process again = Start([]);
        await ReadyAsync(again);
        Assert.Contains("\"before\"", await _http.GetStringAsync(new Uri($"http://127.0.0.1:{_httpPort}/v1/topics"), TestContext.Current.CancellationToken));
        Terminate(again);
        await ExitedAsync(again);
        Assert.Equal(ExitCodes.Stopped, again.ExitCode);
    }

    /// <summary>Latent sector errors: what replicas have copies of is told and counts as damaged; what nobody has a copy of stops the node with the file's name.</summary>
    [Theory]
    [InlineData("/groups/", false)]
    [InlineData("/journal/", true)]
    public async Task Files_that_can_not_be_read_are_told_of_and_stop_a_node_only_where_nobody_has_a_copy(string files, bool stops)
    {
        using (Process node = Start([]))
        {
            await ReadyAsync(node);
            Assert.Equal(HttpStatusCode.OK, await CreateTopicAsync("before"));
            Terminate(node);
            await ExitedAsync(node);
        }

        using Process again = Start(new Dictionary<string, string>
        {
            ["LD_PRELOAD"] = FaultShim.Path,
            ["FAULTSHIM_CALL"] = "pread",
            ["FAULTSHIM_PATH"] = files,
            ["FAULTSHIM_ERRNO"] = Eio.ToString(),
            ["FAULTSHIM_LASTS"] = "1",
        });
        Task<string> report = again.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        if (stops)
        {
            await ExitedAsync(again);
            Assert.Equal(ExitCodes.Fatal, again.ExitCode);
            Assert.Matches(@"read of journal/\d+\.journal failed", await report);
            return;
        }

        await Eventually.HoldsAsync(
            () => _output.Any(line => line.Contains("BlockUnreadable: The disk does not give back what was written to groups/", StringComparison.Ordinal)),
            () => string.Join('\n', _output));
        Assert.False(again.HasExited);
        Terminate(again);
        await ExitedAsync(again);
    }

    [Fact]
    public async Task What_others_can_read_on_the_way_is_warned_of_at_the_start()
    {
        const string listener = "Listener kafka serves 0.0.0.0:0 without encryption";
        const string peers = "Nodes speak without encryption on 0.0.0.0:0";
        using Process open = Start(
            [], "--listeners", "kafka://0.0.0.0:0", "--advertised.listeners", "kafka@localhost:9092", "--peers.listen", "0.0.0.0:0",
            "--peers.advertised", "localhost:7070");
        string log = await LogUntilReadyAsync(open);
        Assert.Matches($"(?m)^.*warn.*{Regex.Escape(listener)}", log);
        Assert.Matches($"(?m)^.*warn.*{Regex.Escape(peers)}", log);
        Terminate(open);
        await ExitedAsync(open);

        using Process closed = Start([]);
        Assert.DoesNotContain("without encryption", await LogUntilReadyAsync(closed));
    }

    [Fact]
    public async Task Page_lists_every_limit_that_a_node_shows_with_its_use()
    {
        using Process node = Start(
            [], "--disk.reads.waiting.max", "17", "--limits.peer.queue.bytes", "18MiB", "--limits.connection.requests.in.flight", "19",
            "--limits.connection.response.bytes", "20MiB");
        await ReadyAsync(node);
        string text = await _http.GetStringAsync(new Uri($"http://127.0.0.1:{_httpPort}/metrics"), TestContext.Current.CancellationToken);
        Terminate(node);
        await node.WaitForExitAsync(TestContext.Current.CancellationToken);

        string[] used = LimitsOf(text, "raftmq_limit_used");
        Assert.Equal(used, LimitsOf(text, "raftmq_limit_max"));
        DocumentTable.CheckStarts("metrics.md", "limits", used.Select(limit => $"| `{limit}` | "));
        Assert.Contains($"raftmq_limit_max{{limit=\"journal_bytes\"}} {8 << 20}\n", text);
        Assert.Contains("raftmq_limit_max{limit=\"journal_files\"} 8\n", text);
        Assert.Contains("raftmq_limit_max{limit=\"disk_reads_waiting\"} 17\n", text);
        Assert.Contains($"raftmq_limit_max{{limit=\"peer_queue_bytes\"}} {18 << 20}\n", text);
        Assert.Contains("raftmq_limit_max{limit=\"requests_in_flight_per_connection\"} 19\n", text);
        Assert.Contains($"raftmq_limit_max{{limit=\"response_bytes_per_connection\"}} {20 << 20}\n", text);
        Assert.Contains("raftmq_limit_used{limit=\"journal_files\"} 1\n", text);
        Assert.Contains("raftmq_limit_used{limit=\"connections\"} 0\n", text);
        Assert.Contains("raftmq_journal_full 0\n", text);
        Assert.Contains("raftmq_node_slow_disk 0\n", text);
        Assert.Contains("raftmq_node_links_broken 0\n", text);
    }

    [Fact]
    public async Task Faults_of_the_configuration_are_told_and_nothing_starts()
    {
        using Process node = Start([], "--num.partitions", "none", "--no.such.setting", "1");

        string text = await node.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await node.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(ExitCodes.Configuration, node.ExitCode);
        Assert.Contains("num.partitions (command line): 'none' is not a whole number.", text);
        Assert.Contains("There is no setting no.such.setting (command line).", text);
        Assert.False(Directory.Exists(_folder.File("data")));
    }

    /// <summary>Red before: "--version has no value", and 78.</summary>
    [Fact]
    public async Task Version_is_that_of_the_command_line()
    {
        using Process node = Start([], "--version");
        await node.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(ExitCodes.Stopped, node.ExitCode);
        string expected = typeof(ServerOptions).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
        Assert.Equal([$"RaftMq.Server {expected}"], _output.Where(line => line.Length > 0));
        Assert.Matches(@"^[0-9]+\.[0-9]+\.[0-9]+", expected);
        Assert.False(Directory.Exists(_folder.File("data")));
    }

    /// <summary>A node whose disk fails at its start: its log has what it said before. See <see cref="ProcessEndTests"/> for a log that is slow.</summary>
    [Fact]
    public async Task Node_that_ends_itself_at_its_start_has_its_log_written()
    {
        using Process node = Start(
            new Dictionary<string, string>
            {
                ["LD_PRELOAD"] = FaultShim.Path,
                ["FAULTSHIM_CALL"] = "fdatasync",
                ["FAULTSHIM_PATH"] = "/journal/",
                ["FAULTSHIM_AFTER"] = "0",
                ["FAULTSHIM_ERRNO"] = Eio.ToString(),
            },
            "--listeners", "kafka://0.0.0.0:0", "--advertised.listeners", "kafka@localhost:9092", "--peers.listen", "0.0.0.0:0",
            "--peers.advertised", "localhost:7070");
        string report = await node.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await ExitedAsync(node);

        Assert.Equal(ExitCodes.Fatal, node.ExitCode);
        Assert.Contains("RaftMq stops:", report);
        string log = string.Join('\n', _output);
        Assert.Contains("Listener kafka serves 0.0.0.0:0 without encryption", log);
        Assert.Contains("Nodes speak without encryption on 0.0.0.0:0", log);
    }

    [Fact]
    public async Task Folder_of_somebody_else_is_refused_in_one_sentence()
    {
        Directory.CreateDirectory(_folder.File("data"));
        await File.WriteAllTextAsync(Path.Combine(_folder.File("data"), "thesis.txt"), "", TestContext.Current.CancellationToken);
        using Process node = Start([]);

        string text = await node.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await node.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(ExitCodes.CannotStart, node.ExitCode);
        Assert.Contains("thesis.txt", Assert.Single(text.Split('\n', StringSplitOptions.RemoveEmptyEntries)));
    }

    [Fact]
    public async Task Log_is_a_document_per_line_where_that_is_wanted()
    {
        using Process node = Start([], "--log.format", "json");
        await ReadyAsync(node);
        Assert.Equal(HttpStatusCode.OK, await CreateTopicAsync("orders"));
        await Eventually.HoldsAsync(
            () => _output.Any(line => line.Contains("orders-0", StringComparison.Ordinal)), () => string.Join('\n', _output));
        Terminate(node);
        await node.WaitForExitAsync(TestContext.Current.CancellationToken);

        JsonElement[] documents = [.. _output.Where(line => line.Length > 0).Select(line => JsonSerializer.Deserialize<JsonElement>(line))];
        // The message names the first few of what it began to lead at once; the document has them all.
        JsonElement led = documents.First(document => document.GetRawText().Contains("orders-0", StringComparison.Ordinal));
        Assert.Equal((1041, "Information"), (led.GetProperty("EventId").GetInt32(), led.GetProperty("LogLevel").GetString()));
        Assert.EndsWith("Z", led.GetProperty("Timestamp").GetString());
        Assert.Equal("LeadershipBegan", led.GetProperty("State").GetProperty("event").GetString());
        Assert.Contains(
            led.GetProperty("State").GetProperty("groups").EnumerateArray(), group => group.GetString()!.StartsWith("orders-0 (term ", StringComparison.Ordinal));
        JsonElement ready = documents.First(document => document.GetProperty("EventId").GetInt32() == 1011).GetProperty("State");
        Assert.All(ready.GetProperty("kafka").EnumerateArray(), address => IPEndPoint.Parse(address.GetString()!));
        Assert.NotEqual(0, ready.GetProperty("kafka").GetArrayLength());
        Assert.Equal(0, ready.GetProperty("node").GetInt32());
        JsonElement formed = documents.First(document => document.GetProperty("EventId").GetInt32() == 1031).GetProperty("State");
        Assert.Equal([0], formed.GetProperty("voters").EnumerateArray().Select(voter => voter.GetInt32()));
    }

    [Fact]
    public async Task Journal_that_is_larger_than_its_disk_is_warned_of_at_the_start()
    {
        using Process large = Start([], "--journal.total.bytes", "1000000GiB");
        string log = await LogUntilReadyAsync(large);
        Assert.Matches("(?m)^.*warn.*1055.*JournalAboveDisk: journal.total.bytes is 1024000000 MiB, but the journal finds room for [0-9]+ MiB only", log);
        Terminate(large);
        await ExitedAsync(large);

        // What the journal has counts, and is found where it is.
        var options = new ServerOptions { DataFolder = _folder.File("data"), Journal = new JournalSettings { TotalBytes = 1L << 50 } };
        Dictionary<string, object> facts = JournalRoom.Look(options, _ => 5)!.Facts.ToDictionary(fact => fact.Name, fact => fact.Value);
        Assert.InRange((long)facts["journalBytes"], 1 << 20, 8 << 20);
        Assert.Equal(5L, facts["freeBytes"]);

        using Process fits = Start([]);
        Assert.DoesNotContain("JournalAboveDisk", await LogUntilReadyAsync(fits));
    }

    private Process Start(Dictionary<string, string> environment, params string[] more)
    {
        string[] standard =
        [
            "--data.folder", _folder.File("data"), "--listeners", "kafka://localhost:0", "--peers.listen", "127.0.0.1:0", "--http.listen",
            $"127.0.0.1:{_httpPort}", "--journal.file.bytes", "1MiB", "--journal.total.bytes", "8MiB",
        ];
        IEnumerable<string> arguments = standard.Chunk(2).Where(setting => !more.Contains(setting[0])).SelectMany(setting => setting);
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "RaftMq.Server"), [.. arguments, .. more])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        // The tests' own switches have the names of settings.
        foreach (string name in start.Environment.Keys.Where(name => name.StartsWith("RAFTMQ_", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(name);
        }

        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        Process process = Process.Start(start)!;
        _started.Add(process.Id);
        _output.Clear();
        process.OutputDataReceived += (_, line) => _output.Enqueue(line.Data ?? "");
        process.BeginOutputReadLine();
        return process;
    }

    private async Task ReadyAsync(Process node)
    {
        string seen = "";
        await Eventually.HoldsAsync(
            async () =>
            {
                Assert.False(node.HasExited, "the node ended before it was ready");
                try
                {
                    using HttpResponseMessage answer = await _http.GetAsync(
                        new Uri($"http://127.0.0.1:{_httpPort}/health/ready"), TestContext.Current.CancellationToken);
                    seen = $"{answer.StatusCode}";
                    return answer.StatusCode == HttpStatusCode.OK;
                }
                catch (HttpRequestException exception)
                {
                    // Not listening yet.
                    seen = exception.Message;
                    return false;
                }
            },
            () => seen, deadlineMs: 30_000);
    }

    /// <summary>All that it logged before it was ready, which is its last word then.</summary>
    private async Task<string> LogUntilReadyAsync(Process node)
    {
        await ReadyAsync(node);
        await Eventually.HoldsAsync(
            () => _output.Any(line => line.Contains(" is ready: ", StringComparison.Ordinal)), () => string.Join('\n', _output));
        return string.Join('\n', _output);
    }

    private static async Task ExitedAsync(Process node)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(ExitMax);
        await node.WaitForExitAsync(limit.Token);
    }

    private async Task<HttpStatusCode> CreateTopicAsync(string name)
    {
        using HttpResponseMessage answer = await _http.PostAsJsonAsync(
            new Uri($"http://127.0.0.1:{_httpPort}/v1/topics"), new { name, partitions = 1 }, TestContext.Current.CancellationToken);
        return answer.StatusCode;
    }

    private static void Terminate(Process process)
    {
        using Process kill = Process.Start("kill", ["-TERM", process.Id.ToString()]);
        kill.WaitForExit();
    }
}
