using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using RaftMq.Cli.Brokers;
using RaftMq.Cli.Commands;
using RaftMq.Cli.Tests.Admin;
using RaftMq.Kafka.Wire.Client;
using RaftMq.Testing;

namespace RaftMq.Cli.Tests.Brokers;

/// <summary><c>raftmq produce</c> and <c>consume</c> that are started before the nodes are there.</summary>
public sealed class StartWithoutNodesTests
{
    /// <summary>What a wait would last that should not be begun: longer than a test may take.</summary>
    private const string Long = "3600";

    /// <summary>What the system says of a port that takes no frames depends on how far it has read.</summary>
    private const string Closed = "(the broker closed the connection|.*onnection reset by peer)";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Red before: it ended at once.</summary>
    [Fact(Timeout = 60_000)]
    public async Task Produce_waits_for_nodes_as_long_as_it_says()
    {
        string address = $"127.0.0.1:{FreePort()}";
        long started = Stopwatch.GetTimestamp();

        (int code, string error) = await RunAsync("produce", "t", "--bootstrap", address, "--timeout-seconds", "1");

        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.FromSeconds(0.95), TimeSpan.FromSeconds(55));
        Assert.Equal(
            (ExitCodes.Unreachable,
                $"{address}: connection refused; waiting up to 1 s for it.\nt can't be written for 1 s: {address}: connection refused. Nothing was sent.\n"),
            (code, error));
    }

    /// <summary>Red before: neither waited.</summary>
    [Theory(Timeout = 60_000)]
    [InlineData("produce", "waiting up to 3600 s for it.\n", "--timeout-seconds", Long)]
    [InlineData("consume", "waiting for it.\n", "--count", "1")]
    public async Task A_node_that_comes_later_is_waited_for(string verb, string ending, params string[] options)
    {
        int port = FreePort();
        using var output = new MemoryStream();
        var error = new StringWriter();
        Task<int> running = RunAsync(output, error, [verb, "t", "--bootstrap", $"127.0.0.1:{port}", .. options]);
        await Eventually.HoldsAsync(
            () => running.IsCompleted || error.ToString().Length > 0, () => "nothing was said", deadlineMs: 30_000);
        Assert.Equal($"127.0.0.1:{port}: connection refused; {ending}", error.ToString());
        Assert.False(running.IsCompleted);

        await using var broker = new FakeBroker(port) { EndOffset = 10, Fetch = _ => FakeBroker.Record(0, "first") };

        Assert.Equal(ExitCodes.Done, await running);
        Assert.Equal(verb == "produce" ? 1 : 0, broker.Stored.Count);
        Assert.Equal(verb == "consume" ? "first\n" : "", Encoding.UTF8.GetString(output.ToArray()));
        Assert.Single(error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact(Timeout = 60_000)]
    public async Task All_addresses_that_were_tried_are_named()
    {
        (int code, string error) = await RunAsync("produce", "t", "--bootstrap", "127.0.0.1:1,127.0.0.1:2", "--timeout-seconds", "1");
        Assert.Equal(ExitCodes.Unreachable, code);
        Assert.StartsWith(
            "no broker answers at 127.0.0.1:1, 127.0.0.1:2: connection refused; waiting up to 1 s for one of them.\n", error, StringComparison.Ordinal);
    }

    /// <summary>What no wait heals is told at once. Red where everything is waited for.</summary>
    [Theory(Timeout = 60_000)]
    [InlineData("produce", "--timeout-seconds", Long)]
    [InlineData("consume")]
    public async Task A_port_of_http_is_not_waited_for(string verb, params string[] options)
    {
        await using var node = new FakeNode();
        string address = $"127.0.0.1:{node.Port}";

        (int code, string error) = await RunAsync([verb, "t", "--bootstrap", address, .. options]);

        Assert.Equal(ExitCodes.Unreachable, code);
        Assert.Matches(
            $"^{address}: {Closed}\\. {address} speaks HTTP and not Kafka's protocol: "
                + "an address for --admin, it seems, not for --bootstrap\\.\n$", error);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("no..name")]
    [InlineData(null)]
    public async Task A_name_that_can_not_be_one_is_not_waited_for(string? name)
    {
        string host = name ?? new string('h', 300);
        (int code, string error) = await RunAsync("produce", "t", "--bootstrap", $"{host}:1", "--timeout-seconds", Long);
        Assert.Equal(ExitCodes.Unreachable, code);
        Assert.StartsWith($"{host}:1: ", error, StringComparison.Ordinal);
        Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Theory]
    [InlineData(SocketError.HostNotFound, false)]
    [InlineData(SocketError.NoData, false)]
    [InlineData(SocketError.TryAgain, true)]
    [InlineData(SocketError.ConnectionRefused, true)]
    [InlineData(SocketError.NetworkUnreachable, true)]
    public void A_name_that_nobody_knows_does_not_heal(SocketError error, bool heals) =>
        Assert.Equal(heals, FirstContact.MayHeal(new KafkaConnectionException("h:1: no", new SocketException((int)error))));

    /// <summary>One that speaks HTTP is told of, and the other one waited for.</summary>
    [Fact(Timeout = 60_000)]
    public async Task Where_one_address_may_heal_that_one_is_waited_for()
    {
        await using var node = new FakeNode();

        (int code, string error) = await RunAsync("produce", "t", "--bootstrap", $"127.0.0.1:1,127.0.0.1:{node.Port}", "--timeout-seconds", "1");

        Assert.Equal(ExitCodes.Unreachable, code);
        Assert.Matches(
            $"^no broker answers at 127.0.0.1:1, 127.0.0.1:{node.Port}: connection refused; {Closed}; "
            + $"waiting up to 1 s for 127.0.0.1:1. 127.0.0.1:{node.Port} speaks HTTP and not Kafka's protocol: "
            + "an address for --admin, it seems, not for --bootstrap.\nt can't be written for 1 s: ", error);
    }

    /// <summary>Red before: after 15 s without a word it ended.</summary>
    [Fact(Timeout = 60_000)]
    public async Task Consume_waits_for_leaders_at_its_start_without_an_end_and_says_so_once()
    {
        bool back = false;
        await using var broker = new FakeBroker
        {
            Others = [new KafkaEndpoint("127.0.0.1", 1)],
            Leader = _ => back ? 0 : 1,
            EndOffset = 7,
        };
        await using KafkaCluster cluster = CommonOptions.Cluster(broker.Bootstrap);
        List<string> said = [];
        var reader = new RecordsReader(cluster, "t", sentence =>
        {
            said.Add(sentence);
            return Task.CompletedTask;
        })
        { NoticeTime = TimeSpan.FromSeconds(0.3) };

        Task opening = reader.OpenAsync(partition: null, RecordsReader.Beginning, untilEnd: false, Cancellation);
        await Eventually.HoldsAsync(() => said.Count > 0, () => "nothing was said", deadlineMs: 30_000);
        await Task.WhenAny(opening, Task.Delay(TimeSpan.FromSeconds(0.7), Cancellation));
        Assert.False(opening.IsCompleted);
        back = true;
        await opening;

        Assert.Matches(@"^t can't be read for (0\.[0-9]|[0-9]+) s: t/0 has no leader that answers\. Waiting on\.$", Assert.Single(said));
    }

    private static async Task<(int Code, string Error)> RunAsync(params string[] arguments)
    {
        var error = new StringWriter();
        return (await RunAsync(Stream.Null, error, arguments), error.ToString());
    }

    private static Task<int> RunAsync(Stream output, TextWriter error, string[] arguments) => CommandTree.RunAsync(
        arguments, TextWriter.Null, error, new StandardStreams(() => new MemoryStream("x"u8.ToArray()), () => output));

    /// <summary>One at which nothing listens.</summary>
    private static int FreePort()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        return ((IPEndPoint)taken.LocalEndpoint).Port;
    }
}
