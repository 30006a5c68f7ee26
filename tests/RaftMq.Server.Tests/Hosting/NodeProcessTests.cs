using System.Collections.Immutable;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using RaftMq.Broker;
using RaftMq.Broker.Controller;
using RaftMq.Broker.Space;
using RaftMq.Raft;
using RaftMq.Server.Configuration;
using RaftMq.Server.Hosting;

namespace RaftMq.Server.Tests.Hosting;

public sealed class NodeProcessTests : IAsyncDisposable
{
    private static readonly GroupId Group = new(5);

    private readonly TemporaryFolder _folder = new();
    private readonly List<Exception> _fatal = [];
    private readonly HttpClient _http = new();
    private readonly NodeProcess _process;
    private TestNode _node = null!;
    private Action<TestNode>? _prepare;

    public NodeProcessTests() => _process = Create();

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _http.Dispose();
        Assert.Empty(_fatal);
        _folder.Dispose();
    }

    [Fact]
    public async Task Health_says_ready_once_clients_are_let_in()
    {
        await StartAsync(node => node.IsReady = false);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync("/health/live")).Code);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await GetAsync("/health/ready")).Code);
        await Assert.ThrowsAsync<SocketException>(ConnectAsync);

        _node.IsReady = true;
        await Eventually.HoldsAsync(async () => (await GetAsync("/health/ready")).Code == HttpStatusCode.OK, () => "not ready");
        (await ConnectAsync()).Dispose();
        await _process.Ready.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        await Eventually.HoldsAsync(() => _node.Ticks > 2, () => $"{_node.Ticks} ticks");
    }

    [Fact]
    public async Task Node_that_wants_finer_ticks_gets_them_until_it_wants_no_more()
    {
        await StartAsync();
        Assert.Equal(0, _node.FineTicks);
        _node.WantsFineTicks = true;
        _node.FineTicksWanted();
        await Eventually.HoldsAsync(() => _node.FineTicks > 5, () => $"{_node.FineTicks} fine ticks");

        _node.WantsFineTicks = false;
        int ticks = _node.Ticks;
        await Eventually.HoldsAsync(() => _node.Ticks > ticks + 1, () => $"{_node.Ticks} ticks");
        int fineTicks = _node.FineTicks;
        await Eventually.HoldsAsync(() => _node.Ticks > ticks + 4, () => $"{_node.Ticks} ticks");
        Assert.Equal(fineTicks, _node.FineTicks);
    }

    [Fact]
    public async Task Node_that_the_cluster_refuses_says_why_and_can_not_start()
    {
        await StartAsync(node =>
        {
            node.IsReady = false;
            node.RefusedByCluster = "feature level 9 is needed, this node knows 1 to 1";
        });

        CannotStartException refused = await Assert.ThrowsAsync<CannotStartException>(() => _process.Ready);
        Assert.Contains("feature level 9", refused.Message);
        Assert.Contains("feature level 9", (await GetAsync("/health/ready")).Text);
    }

    [Fact]
    public async Task Node_that_is_removed_while_it_serves_says_why_and_ends()
    {
        await StartAsync();
        await _process.Ready;

        _node.RefusedByCluster = "node 0 was removed";

        CannotStartException removed = await Assert.ThrowsAsync<CannotStartException>(
            () => _process.Removed.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken));
        Assert.Contains("was removed", removed.Message);
    }

    [Fact]
    public async Task Node_that_waits_to_join_says_why()
    {
        await StartAsync(node =>
        {
            node.IsReady = false;
            node.NotReadyBecause = "node 0 is not expected here";
        });

        Assert.Contains("not ready: node 0 is not expected here", (await GetAsync("/health/ready")).Text);
        _node.IsReady = true;
    }

    [Fact]
    public async Task Stop_drains_first_and_refuses_new_clients()
    {
        await StartAsync();
        await _process.Ready;

        await _process.DrainAsync();

        Assert.Equal(["start", "drain"], _node.Calls);
        await Assert.ThrowsAsync<SocketException>(ConnectAsync);
        (HttpStatusCode code, string text) = await GetAsync("/health/ready");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "not ready: the node stops: what it leads goes to others\n"), (code, text));
    }

    [Fact]
    public async Task Node_knows_the_real_ports_that_it_advertises()
    {
        await StartAsync();

        ListenerAddress[] addresses = [.. _node.Context.Listeners];
        Assert.Equal(["kafka", "peers", "http"], addresses.Select(address => address.Name));
        Assert.Equal(_process.KafkaAddresses[0].Port, addresses[0].Port);
        Assert.Equal("localhost", addresses[0].Host);
        Assert.Equal(_process.PeerAddresses[0].Port, addresses[1].Port);
        Assert.Equal(_process.HttpAddresses[0].Port, addresses[2].Port);
    }

    [Fact]
    public async Task Second_process_on_the_folder_is_refused_and_told_the_first()
    {
        _process.Prepare();
        await using NodeProcess second = Create();

        CannotStartException refused = Assert.Throws<CannotStartException>(second.Prepare);

        Assert.Contains($"is in use by process {Environment.ProcessId}", refused.Message);
    }

    [Theory]
    [InlineData("listener kafka")]
    [InlineData("peers.listen")]
    [InlineData("http.listen")]
    public async Task Taken_port_is_named_with_its_owner(string what)
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var address = new HostPort("127.0.0.1", ((IPEndPoint)taken.LocalEndpoint).Port);
        await using NodeProcess process = Create(options => what switch
        {
            "listener kafka" => options with { Listeners = [new ListenerSetting("kafka", ListenerScheme.Kafka, address)] },
            "peers.listen" => options with { PeersListen = address },
            _ => options with { HttpListen = address },
        });

        string message = Assert.Throws<CannotStartException>(process.Prepare).Message;

        Assert.StartsWith($"{address} ({what}) is taken by process {Environment.ProcessId} (", message);
    }

    /// <summary>The system lets two bind one address as long as neither listens: the second one finds out when it wants to.</summary>
    [Fact]
    public async Task Port_that_is_taken_between_bind_and_listen_prevents_the_start_and_is_no_fault_of_the_node()
    {
        _process.Prepare();
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, _process.KafkaAddresses[0].Port));
        taken.Listen();

        await _process.StartAsync();

        CannotStartException refused = await Assert.ThrowsAsync<CannotStartException>(() => _process.Ready);
        Assert.Contains($"(listener kafka) is taken by process {Environment.ProcessId} (", refused.Message);
    }

    [Fact]
    public async Task Address_of_another_machine_is_told_in_a_sentence()
    {
        await using NodeProcess process = Create(options => options with { HttpListen = new HostPort("192.0.2.1", 8080) });

        Assert.Contains("192.0.2.1:8080 (http.listen) is not an address of this machine", Assert.Throws<CannotStartException>(process.Prepare).Message);
    }

    [Fact]
    public async Task Page_lists_every_metric_of_a_process()
    {
        await StartAsync();
        await _process.Ready;

        IEnumerable<string> rows = _process.Metrics.Families.Select(family =>
            $"| `{family.Name}` | {family.Kind.ToString().ToLowerInvariant()} | {string.Join(", ", family.Labels.Select(label => $"`{label}`"))} | {family.Help} |");
        DocumentTable.Check("metrics.md", "metrics", rows);

        // And what is registered is what is printed.
        string text = (await GetAsync("/metrics")).Text;
        Assert.All(_process.Metrics.Families, family => Assert.Contains($"# TYPE {family.Name} ", text));
    }

    [Fact]
    public async Task Metrics_show_each_partition_with_its_role()
    {
        await StartAsync(node => node.Status = Status(highWatermark: 40));

        string text = (await GetAsync("/metrics")).Text;

        Assert.Contains("raftmq_partition_leader{topic=\"orders\",partition=\"0\"} 1\n", text);
        Assert.Contains("raftmq_partition_high_watermark_offset{topic=\"orders\",partition=\"0\"} 40\n", text);
        Assert.Contains("raftmq_partition_in_sync_replicas{topic=\"orders\",partition=\"0\"} 3\n", text);
        Assert.DoesNotContain("controller", text.Split('\n').Where(line => line.StartsWith("raftmq_partition", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Cluster_and_status_are_described_as_JSON()
    {
        await StartAsync(node =>
        {
            node.Status = Status(highWatermark: 40);
            node.Cluster = Image();
        });

        JsonElement cluster = await JsonAsync("/v1/cluster");
        Assert.Equal("c1", cluster.GetProperty("clusterId").GetString());
        JsonElement partition = cluster.GetProperty("topics")[0].GetProperty("partitions")[0];
        Assert.Equal(0, partition.GetProperty("leader").GetInt32());
        Assert.Equal(7, partition.GetProperty("leaderEpoch").GetInt32());
        JsonElement replica = (await JsonAsync("/v1/status")).GetProperty("replicas")[0];
        Assert.Equal("leader", replica.GetProperty("role").GetString());
        Assert.Equal(40, replica.GetProperty("highWatermark").GetInt64());
        Assert.Equal("orders", (await JsonAsync("/v1/topics/orders")).GetProperty("name").GetString());
        Assert.Equal(HttpStatusCode.NotFound, (await GetAsync("/v1/topics/none")).Code);
    }

    [Fact]
    public async Task Changes_go_to_the_broker_and_outcomes_become_status_codes()
    {
        await StartAsync(node =>
        {
            node.Cluster = Image();
            node.Answer = command => command switch
            {
                AdminCommand.CreateTopic { Name: "taken" } => new AdminResult(AdminOutcome.TopicExists, "It exists."),
                AdminCommand.TransferLeadership { To.Value: 9 } => new AdminResult(AdminOutcome.NotReplica, "Node 9 has no replica."),
                _ => new AdminResult(AdminOutcome.Done),
            };
        });

        Assert.Equal(HttpStatusCode.OK, await SendAsync(HttpMethod.Post, "/v1/topics", new { name = "new", partitions = 3, configs = new { a = "b" } }));
        Assert.Equal(HttpStatusCode.Conflict, await SendAsync(HttpMethod.Post, "/v1/topics", new { name = "taken" }));
        Assert.Equal(HttpStatusCode.BadRequest, await SendAsync(HttpMethod.Post, "/v1/topics", new { }));
        Assert.Equal(HttpStatusCode.OK, await SendAsync(HttpMethod.Delete, "/v1/topics/orders", body: null));
        Assert.Equal(HttpStatusCode.NotFound, await SendAsync(HttpMethod.Delete, "/v1/topics/none", body: null));
        Assert.Equal(HttpStatusCode.OK, await SendAsync(HttpMethod.Post, "/v1/topics/orders/partitions", new { count = 8 }));
        Assert.Equal(HttpStatusCode.OK, await SendAsync(HttpMethod.Patch, "/v1/topics/orders/configs", new Dictionary<string, string?> { ["retention.ms"] = null }));
        Assert.Equal(HttpStatusCode.OK, await SendAsync(HttpMethod.Post, "/v1/partitions/orders/0/transfer?to=2", body: null));
        Assert.Equal(HttpStatusCode.BadRequest, await SendAsync(HttpMethod.Post, "/v1/partitions/orders/0/transfer?to=9", body: null));

        var created = Assert.IsType<AdminCommand.CreateTopic>(_node.Commands[0]);
        Assert.Equal(("new", 3, -1), (created.Name, created.Partitions, created.ReplicationFactor));
        Assert.Equal("b", created.Configs["a"]);
        Assert.Equal(new AdminCommand.DeleteTopic("orders", 77), _node.Commands[2]);
        Assert.Equal(8, Assert.IsType<AdminCommand.AddPartitions>(_node.Commands[3]).TotalCount);
        Assert.Null(Assert.IsType<AdminCommand.SetTopicConfigs>(_node.Commands[4]).Changes["retention.ms"]);
        Assert.Equal(new AdminCommand.TransferLeadership("orders", 0, new NodeId(2)), _node.Commands[5]);
    }

    [Theory]
    [InlineData("GET", "/v1/nothing", null, 404, "There is nothing at /v1/nothing; docs/http.md lists the paths.")]
    [InlineData("PUT", "/v1/topics", "{}", 405, "/v1/topics does not take PUT; it takes GET, POST.")]
    [InlineData("POST", "/v1/topics", "<topic/>", 415, "POST /v1/topics takes JSON: send it with the header Content-Type: application/json.")]
    [InlineData("POST", "/v1/topics", "{\"name\":", 400, "The body is not JSON, or ends too early: look at line 1, byte 9.")]
    [InlineData("POST", "/v1/topics", "{\n\"name\": 'a'}", 400, "The body is not JSON, or ends too early: look at line 2, byte 9.")]
    [InlineData("POST", "/v1/topics", "%", 400, "The body is not JSON, or ends too early: look at line 1, byte 1.")]
    [InlineData("POST", "/v1/topics", "[]", 400, "The body is not the JSON that is expected; docs/http.md shows bodies.")]
    [InlineData("POST", "/v1/topics", "{\"name\":\"a\",\"partitions\":\"two\"}", 400, "The body is not the JSON that is expected: look at $.partitions.")]
    [InlineData("POST", "/v1/topics", "{\"name\":\"a\",\"partitons\":3}", 400, "look at $.partitons")]
    [InlineData("POST", "/v1/topics", "2 MiB", 413, "The body is larger than 1048576 bytes.")]
    [InlineData("POST", "/v1/topics", "", 400, "POST /v1/topics takes JSON as its body, and no whole one came; docs/http.md shows bodies.")]
    [InlineData("POST", "/v1/topics", "null", 400, "POST /v1/topics takes JSON as its body, and no whole one came; docs/http.md shows bodies.")]
    [InlineData("POST", "/v1/partitions/orders/0/transfer", null, 400, "The query says which node is to lead: ?to=NODE, a number.")]
    [InlineData("POST", "/v1/partitions/orders/0/transfer?to=me", null, 400, "The query says which node is to lead: ?to=NODE, a number.")]
    public async Task What_can_not_be_served_is_a_problem_with_a_sentence(string method, string path, string? body, int status, string sentence)
    {
        await StartAsync(node => node.Cluster = Image());
        using var request = new HttpRequestMessage(new HttpMethod(method), Url(path));
        if (body is not null)
        {
            request.Content = new StringContent(body == "2 MiB" ? $"\"{new string('x', 2 << 20)}\"" : body, System.Text.Encoding.UTF8, body.StartsWith('<') ? "text/xml" : "application/json");
        }

        using HttpResponseMessage answer = await _http.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        JsonElement problem = await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.Equal(status, problem.GetProperty("status").GetInt32());
        Assert.NotEmpty(problem.GetProperty("title").GetString()!);
        Assert.Contains(sentence, problem.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task Http_connections_have_a_limit_that_shows_its_use()
    {
        await using NodeProcess process = Create(options => options with { Limits = new LimitSettings { HttpConnections = 2 } });
        process.Prepare();
        await process.StartAsync();
        var sockets = new List<Socket>();
        for (int i = 0; i < 3; i++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            sockets.Add(socket);
            await socket.ConnectAsync(process.HttpAddresses[0], TestContext.Current.CancellationToken);
        }

        Assert.Equal(0, await sockets[2].ReceiveAsync(new byte[1], TestContext.Current.CancellationToken));
        await Eventually.HoldsAsync(
            () => process.Metrics.WriteText().Contains("raftmq_limit_used{limit=\"http_connections\"} 2\n", StringComparison.Ordinal),
            process.Metrics.WriteText);
        Assert.Contains("raftmq_limit_max{limit=\"http_connections\"} 2\n", process.Metrics.WriteText());
        sockets.ForEach(socket => socket.Dispose());
    }

    /// <summary>HTTP alone would wait for the end of a line: a Kafka client did not know for half a minute that it has the wrong port.</summary>
    [Theory]
    [InlineData(new byte[] { 0, 0, 0, 38, 0, 18, 0, 3 }, "a Kafka request without TLS")]
    [InlineData(new byte[] { 22, 3, 1, 2, 0, 1, 0, 1 }, "a TLS handshake")]
    public async Task What_is_not_HTTP_is_closed_at_once_by_the_port_of_HTTP(byte[] bytes, string spoken)
    {
        using var lines = new ListLoggerFactory();
        await using NodeProcess process = Create(loggers: lines);
        process.Prepare();
        await process.StartAsync();
        for (int i = 0; i < 3; i++)
        {
            using Socket client = await ConnectAsync(process.HttpAddresses[0]);
            await client.SendAsync(bytes, TestContext.Current.CancellationToken);

            // Closed by the node without an answer, well before HTTP gives a request up.
            Assert.Equal(0, await client.ReceiveAsync(new byte[1], TestContext.Current.CancellationToken).AsTask().WaitAsync(
                TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken));
        }

        Assert.StartsWith("http.listen is for HTTP without TLS; a connection from 127.0.0.1:", Assert.Single(lines.Logger.Of(1103)));
        Assert.EndsWith($" began like {spoken} and was closed", lines.Logger.Of(1103)[0]);
    }

    [Fact]
    public async Task Request_that_comes_byte_by_byte_is_HTTP_and_a_silent_connection_does_not_hold_up_the_stop()
    {
        NodeProcess process = Create();
        Task stopped;
        Socket? silent = null;
        try
        {
            process.Prepare();
            await process.StartAsync();
            using Socket slow = await ConnectAsync(process.HttpAddresses[0]);
            foreach (byte one in "GET /health/live HTTP/1.0\r\n\r\n"u8.ToArray())
            {
                await slow.SendAsync(new[] { one }, TestContext.Current.CancellationToken);
            }

            using (var answer = new StreamReader(new NetworkStream(slow)))
            {
                Assert.Equal("HTTP/1.1 200 OK", await answer.ReadLineAsync(TestContext.Current.CancellationToken));
            }

            slow.Close();
            await HasHttpConnectionsAsync(0);
            silent = await ConnectAsync(process.HttpAddresses[0]);
            await HasHttpConnectionsAsync(1);
        }
        finally
        {
            stopped = process.DisposeAsync().AsTask();
        }

        await stopped.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        silent.Dispose();

        Task HasHttpConnectionsAsync(int count) => Eventually.HoldsAsync(
            () => process.Metrics.WriteText().Contains($"raftmq_limit_used{{limit=\"http_connections\"}} {count}\n", StringComparison.Ordinal),
            process.Metrics.WriteText);
    }

    [Fact]
    public async Task Status_says_what_is_full_and_why_a_node_is_not_ready()
    {
        await StartAsync(node =>
        {
            NodeStatus status = Status(highWatermark: 40);
            node.Status = status with { IsJournalFull = true, Room = RoomLevel.Short, RoomNote = "the disk is nearly full", ReserveBytes = 7, Replicas = [status.Replicas[0] with { HasNoRoom = true }, status.Replicas[1]] };
            node.IsReady = false;
            node.RefusedByCluster = "Another folder.";
        });

        JsonElement answer = await JsonAsync("/v1/status");

        Assert.True(answer.GetProperty("journalFull").GetBoolean());
        Assert.Equal(1, answer.GetProperty("replicasWithoutRoom").GetInt32());
        Assert.InRange(answer.GetProperty("diskFreeBytes").GetInt64(), 1, long.MaxValue);
        Assert.Equal("Another folder.", answer.GetProperty("notReadyBecause").GetString());
        Assert.Equal("short", answer.GetProperty("diskRoom").GetString());
        Assert.Equal("the disk is nearly full", answer.GetProperty("diskNote").GetString());
        Assert.Equal(7, answer.GetProperty("diskReserveBytes").GetInt64());
        await Assert.ThrowsAsync<CannotStartException>(() => _process.Ready);
    }

    private static NodeStatus Status(long highWatermark) => new(
        new NodeId(0),
        [
            new ReplicaStatus(
                Group, "orders-0", "orders", 0, Role.Leader, 7, new NodeId(0), 0, highWatermark, 50, 3, 3, 1, 4096, IsQuiet: false),
            new ReplicaStatus(
                new GroupId(1), "controller", null, -1, Role.Leader, 7, new NodeId(0), 0, 9, 9, 3, 3, 0, 0, IsQuiet: false),
        ],
        []);

    private static ClusterImage Image() => ClusterImage.Empty with
    {
        ClusterId = "c1",
        Topics = ClusterImage.Empty.Topics.Add("orders", TestNode.Topic("orders", Group.Value)),
        Leaders = ImmutableDictionary<GroupId, LeaderInfo>.Empty.Add(Group, new LeaderInfo(new NodeId(0), 7, [new NodeId(0)])),
    };

    private NodeProcess Create(Func<ServerOptions, ServerOptions>? change = null, ILoggerFactory? loggers = null)
    {
        var options = new ServerOptions
        {
            DataFolder = _folder.File("data"),
            Listeners = [new ListenerSetting("kafka", ListenerScheme.Kafka, new HostPort("localhost", 0))],
            PeersListen = new HostPort("127.0.0.1", 0),
            HttpListen = new HostPort("127.0.0.1", 0),
        };
        return new NodeProcess(
            change?.Invoke(options) ?? options, loggers ?? NullLoggerFactory.Instance, (_, cause) => _fatal.Add(cause), CreateNode);
    }

    private TestNode CreateNode(NodeContext context)
    {
        _node = new TestNode(context);
        _prepare?.Invoke(_node);
        return _node;
    }

    private async Task StartAsync(Action<TestNode>? prepare = null)
    {
        _process.Prepare();
        _prepare = prepare;
        await _process.StartAsync();
    }

    private Task<Socket> ConnectAsync() => ConnectAsync(new IPEndPoint(IPAddress.Loopback, _process.KafkaAddresses[0].Port));

    private static async Task<Socket> ConnectAsync(IPEndPoint address)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(address, TestContext.Current.CancellationToken);
        return socket;
    }

    private async Task<(HttpStatusCode Code, string Text)> GetAsync(string path)
    {
        using HttpResponseMessage answer = await _http.GetAsync(Url(path), TestContext.Current.CancellationToken);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    private Task<JsonElement> JsonAsync(string path) =>
        _http.GetFromJsonAsync<JsonElement>(Url(path), TestContext.Current.CancellationToken);

    private Uri Url(string path) => new($"http://{_process.HttpAddresses[0]}{path}");

    private async Task<HttpStatusCode> SendAsync(HttpMethod method, string path, object? body)
    {
        using var request = new HttpRequestMessage(method, Url(path));
        if (body is not null)
        {
            request.Content = JsonContent.Create(body, body.GetType());
        }

        using HttpResponseMessage answer = await _http.SendAsync(request, TestContext.Current.CancellationToken);
        return answer.StatusCode;
    }
}
