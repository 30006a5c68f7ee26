using System.Net;
using System.Net.Sockets;
using RaftMq.Cli.Admin;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Tests.Client;

namespace RaftMq.Cli.Tests.Admin;

/// <summary><c>raftmq cluster status</c> that was told one node only.</summary>
public sealed class ClusterStatusTests : IAsyncLifetime
{
    private readonly FakeNode first = new();
    private readonly FakeNode second = new();

    public ValueTask InitializeAsync()
    {
        first.Answers["/v1/cluster"] =
            $$"""
            {"clusterId":"c","controllerLeader":0,"featureLevel":1,"topics":[],"nodes":[
              {"id":0,"alive":true,"featureMin":1,"featureMax":1,"listeners":[{"name":"http","host":"127.0.0.1","port":{{first.Port}}}]},
              {"id":1,"alive":true,"featureMin":1,"featureMax":1,"listeners":[{"name":"http","host":"127.0.0.1","port":{{second.Port}}}]}]}
            """;
        first.Answers["/v1/status"] = Status(0);
        second.Answers["/v1/status"] = Status(1);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await first.DisposeAsync();
        await second.DisposeAsync();
    }

    [Fact]
    public async Task Nodes_that_only_the_cluster_names_are_asked_too()
    {
        (int code, string said) = await RunAsync();

        Assert.Equal(ExitCodes.Done, code);
        Assert.Contains("healthy", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Trouble_of_such_a_node_is_found()
    {
        second.Answers["/v1/status"] = Status(1).Replace("\"replicasWithoutRoom\":0", "\"replicasWithoutRoom\":2", StringComparison.Ordinal);

        (int code, string said) = await RunAsync();

        Assert.Equal(ExitCodes.Failed, code);
        Assert.Contains("node 1: the disk is full, 2 replicas find no room", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Node_that_can_not_be_reached_is_named_and_the_cluster_is_not_called_healthy()
    {
        await second.DisposeAsync();

        (int code, string said) = await RunAsync();

        Assert.Equal(ExitCodes.Failed, code);
        Assert.Contains($"node 1 does not answer at 127.0.0.1:{second.Port} (HTTP", said, StringComparison.Ordinal);
        Assert.DoesNotContain("healthy", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_node_at_the_address_is_not_taken_for_it()
    {
        second.Answers["/v1/status"] = Status(7);

        (int code, string said) = await RunAsync();

        Assert.Equal(ExitCodes.Failed, code);
        Assert.Contains("node 1 is not at", said, StringComparison.Ordinal);
    }

    /// <summary>Red before: the wait ended as if Ctrl-C had been pressed.</summary>
    [Fact]
    public async Task Node_that_takes_the_connection_and_says_nothing_does_not_keep_the_next_from_being_asked()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();

        using var client = new AdminClient(AdminClient.Parse($"{silent.LocalEndpoint},127.0.0.1:{first.Port}"))
        {
            AskTimeLimit = TimeSpan.FromSeconds(1),
        };

        ClusterAnswer cluster = await client.ClusterAsync(TestContext.Current.CancellationToken);
        ClusterReport report = await client.AskAllAsync(cluster, TestContext.Current.CancellationToken);

        Assert.Equal([0, 1], report.Statuses.Select(status => status.Node));
        Assert.Empty(report.Missing);
    }

    [Fact]
    public async Task All_addresses_that_were_tried_are_named()
    {
        (int code, string said) = await RunAsync("127.0.0.1:1,127.0.0.1:2");

        Assert.Equal(ExitCodes.Unreachable, code);
        Assert.StartsWith("No node answers at 127.0.0.1:1, 127.0.0.1:2 (HTTP, see --admin): ", said, StringComparison.Ordinal);
    }

    /// <summary>Red before: "An error occurred while sending the request." stood before the reason.</summary>
    [Fact]
    public async Task A_port_of_kafka_is_told_without_what_http_says_of_it()
    {
        await using var broker = new ScriptedBroker((header, _) => header.Key == ApiKey.ApiVersions ? ScriptedBroker.ServesAll(header) : null)
        {
            RefusesOthers = true,
        };

        (int code, string said) = await RunAsync($"{broker.Endpoint},127.0.0.1:1");

        Assert.Equal(
            (ExitCodes.Unreachable,
                $"No node answers at {broker.Endpoint}, 127.0.0.1:1 (HTTP, see --admin): Connection refused (127.0.0.1:1). "
                + $"{broker.Endpoint} speaks Kafka's protocol and not HTTP: an address for --bootstrap, it seems, not for --admin.\n"), (code, said));
        (_, said) = await RunAsync(broker.Endpoint.ToString());
        Assert.Equal(
            $"No node answers at {broker.Endpoint} (HTTP, see --admin). "
            + $"{broker.Endpoint} speaks Kafka's protocol and not HTTP: an address for --bootstrap, it seems, not for --admin.\n", said);
    }

    [Theory]
    [InlineData("-1", 0, 0, 0, "not yet")]
    [InlineData("-1", 0, 3, 12, "not yet; 3 of 12 now")]
    [InlineData("119", 0, 0, 0, "119 s ago")]
    [InlineData("7199", 2, 0, 0, "119 min ago, 2 files damaged")]
    [InlineData("172799", 1, 0, 9, "47 h ago, 1 file damaged; 0 of 9 now")]
    [InlineData("172800", 0, 0, 0, "2 d ago")]
    public async Task What_the_scrub_did_last_is_told(string ago, int found, int done, int of, string expected)
    {
        second.Answers["/v1/status"] = Status(1).Replace(
            "\"journalFull\"", $$"""
            "scrub":{"bytes":9,"passes":1,"lastPassAgoSeconds":{{ago}},"done":{{done}},"of":{{of}},"found":7,"lastPassFound":{{found}}},"journalFull"
            """, StringComparison.Ordinal);

        (int code, string said) = await RunAsync();

        Assert.Equal(ExitCodes.Done, code);
        Assert.Contains($"  {expected}  ", said, StringComparison.Ordinal);
    }

    private static string Status(int node) =>
        $$"""
        {"node":{{node}},"ready":true,"recordsPerSecond":0,"leading":1,"following":2,"damaged":[],"journalFull":false,"replicasWithoutRoom":0,"diskFreeBytes":99999999999}
        """;

    private async Task<(int Code, string Said)> RunAsync(string? admin = null)
    {
        var output = new StringWriter();
        var error = new StringWriter();
        int code = await CommandTree.RunAsync(["cluster", "status", "--admin", admin ?? $"127.0.0.1:{first.Port}"], output, error);
        return (code, output.ToString() + error);
    }
}
