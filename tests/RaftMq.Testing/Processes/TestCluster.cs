using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace RaftMq.Testing.Processes;

/// <summary>
/// Real node processes on loopback, as a test wants them: (1) <see cref="StartAsync"/> makes a temporary folder, starts all nodes and waits
/// until they are ready; (2) nodes are killed, stopped and started again; (3) disposed, all are killed, and the folder is deleted unless
/// <see cref="KeepFiles"/> was called.
/// </summary>
public sealed class TestCluster : IAsyncDisposable
{
    /// <summary>Unless a test says otherwise: a reserve as large as in life takes seconds to write on a busy machine, in every cluster.</summary>
    private static readonly Dictionary<string, string> s_settings = new() { ["disk.reserve.bytes"] = "1MiB" };

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    private readonly HttpClient http = new() { Timeout = TimeSpan.FromSeconds(20) };
    private readonly List<NodeUnderTest> nodes = [];
    private readonly TestClusterOptions options;
    private bool keepFiles;

    private TestCluster(TestClusterOptions options)
    {
        this.options = options;
        Folder = Directory.CreateTempSubdirectory("raftmq-test-").FullName;
        int[] peers = [.. Enumerable.Range(0, options.Nodes).Select(_ => FreePorts.Next())];
        string initial = string.Join(',', peers.Select((port, index) => $"{index + 1}@127.0.0.1:{port}"));
        for (int index = 0; index < options.Nodes; index++)
        {
            nodes.Add(Make(index + 1, peers[index], options.Nodes > 1 ? $"--cluster.initial.nodes={initial}" : null));
        }
    }

    public string Folder { get; }

    public IReadOnlyList<NodeUnderTest> Nodes => nodes;

    /// <summary>All nodes' plain listeners, as clients want them.</summary>
    public string Bootstrap => string.Join(',', nodes.Select(node => node.Kafka));

    public static async Task<TestCluster> StartAsync(TestClusterOptions options, CancellationToken cancellation)
    {
        TestCluster cluster = new(options);
        try
        {
            foreach (NodeUnderTest node in cluster.nodes)
            {
                await node.StartAsync();
            }

            await cluster.WaitReadyAsync(cancellation);
            return cluster;
        }
        catch
        {
            cluster.KeepFiles();
            await cluster.DisposeAsync();
            throw;
        }
    }

    public NodeUnderTest Node(int id) => nodes[id - 1];

    /// <summary>The data and the logs stay when this is disposed, for whoever looks into a failure.</summary>
    public void KeepFiles() => keepFiles = true;

    /// <summary>Waits until every node that is to run says that it is ready.</summary>
    /// <exception cref="TimeoutException">Says what each node answered last, with the end of its log.</exception>
    public Task WaitReadyAsync(CancellationToken cancellation) => EventuallyAsync(
        "all nodes ready",
        async () =>
        {
            foreach (NodeUnderTest node in nodes.Where(node => node.IsWanted))
            {
                if (await node.HealthAsync(cancellation) is not "ready" and string state)
                {
                    return $"node {node.Id}: {state}";
                }
            }

            return null;
        },
        options.ReadyWithin, cancellation);

    /// <summary>Asks again and again until nothing is in the way any more.</summary>
    /// <param name="what">What is waited for, for the message.</param>
    /// <param name="obstacle">What is in the way, or null.</param>
    /// <param name="within">The deadline.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="TimeoutException">Says what was in the way at last, with the end of each node's log.</exception>
    public async Task EventuallyAsync(string what, Func<Task<string?>> obstacle, TimeSpan within, CancellationToken cancellation)
    {
        long from = Environment.TickCount64;
        while (true)
        {
            string? last = await obstacle();
            if (last is null)
            {
                return;
            }

            NodeUnderTest? dead = nodes.FirstOrDefault(node => node is { IsWanted: true, IsRunning: false });
            if (dead is not null || Environment.TickCount64 - from > within.TotalMilliseconds)
            {
                string why = dead is null ? $"not within {within.TotalSeconds} s" : $"node {dead.Id} ended with {dead.Process!.ExitCode}";
                throw new TimeoutException($"{what}: {why}; at last: {last}\n{Report()}");
            }

            await Task.Delay(LookEvery, cancellation);
        }
    }

    /// <summary>The end of each node's log, and where the whole of it lies.</summary>
    public string Report()
    {
        StringBuilder text = new();
        text.AppendLine($"data and logs: {Folder}");
        foreach (NodeUnderTest node in nodes)
        {
            text.AppendLine($"--- node {node.Id} ({(node.IsRunning ? "running" : "not running")}), {node.LogFile}");
            text.AppendLine(node.Process?.Tail(30) ?? "never started");
        }

        return text.ToString();
    }

    /// <summary>What the admin API of any running node answers.</summary>
    public async Task<JsonElement> GetAsync(string path, CancellationToken cancellation)
    {
        NodeUnderTest node = nodes.First(node => node.IsRunning);
        return await http.GetFromJsonAsync<JsonElement>(new Uri($"http://127.0.0.1:{node.HttpPort}{path}"), cancellation);
    }

    /// <summary>The admin API's answer of one node, as text: metrics are read so.</summary>
    public async Task<string> GetTextAsync(NodeUnderTest node, string path, CancellationToken cancellation) =>
        await http.GetStringAsync(new Uri($"http://127.0.0.1:{node.HttpPort}{path}"), cancellation);

    /// <returns>The node that leads, as a running node knows it; null while there is none.</returns>
    public async Task<int?> LeaderAsync(string topic, int partition, CancellationToken cancellation)
    {
        NodeUnderTest node = nodes.First(node => node.IsRunning);
        using HttpResponseMessage answer = await http.GetAsync(
            new Uri($"http://127.0.0.1:{node.HttpPort}/v1/topics/{topic}"), cancellation);
        if (!answer.IsSuccessStatusCode)
        {
            return null;
        }

        JsonElement found = await answer.Content.ReadFromJsonAsync<JsonElement>(cancellation);
        JsonElement leader = found.GetProperty("partitions").EnumerateArray()
            .FirstOrDefault(one => one.GetProperty("partition").GetInt32() == partition) is { ValueKind: JsonValueKind.Object } one
            ? one.GetProperty("leader") : default;
        return leader.ValueKind == JsonValueKind.Number ? leader.GetInt32() : null;
    }

    /// <summary>Waits until a partition is led by a running node, other than one it must not be.</summary>
    public async Task<NodeUnderTest> WaitForLeaderAsync(string topic, int partition, CancellationToken cancellation, int? not = null)
    {
        int? leader = null;
        await EventuallyAsync(
            $"a leader of {topic}/{partition}",
            async () =>
            {
                leader = await LeaderAsync(topic, partition, cancellation);
                return leader is { } id && id != not && Node(id).IsRunning ? null : $"leader is {leader?.ToString() ?? "unknown"}";
            },
            TimeSpan.FromSeconds(30), cancellation);
        return Node(leader!.Value);
    }

    /// <summary>One node more, with an empty folder, that joins by two of the others; not started.</summary>
    public NodeUnderTest AddNode()
    {
        string seeds = string.Join(',', nodes.TakeLast(2).Select(node => $"127.0.0.1:{node.PeersPort}"));
        NodeUnderTest node = Make(nodes.Count + 1, FreePorts.Next(), $"--cluster.seeds={seeds}");
        nodes.Add(node);
        return node;
    }

    /// <summary>Runs a command that speaks to the admin API of the nodes that run.</summary>
    /// <exception cref="InvalidOperationException">It did not end well; the message says what it said.</exception>
    public async Task<string> CommandAsync(CancellationToken cancellation, params string[] arguments)
    {
        string admin = string.Join(',', nodes.Where(node => node.IsRunning).Select(node => $"127.0.0.1:{node.HttpPort}"));
        await using ChildProcess command = await ChildProcess.StartAsync(Repository.CommandProgram, [.. arguments, "--admin", admin]);
        int code = await command.WaitForExitAsync(TimeSpan.FromSeconds(60), cancellation);
        return code == 0
            ? command.Tail()
            : throw new InvalidOperationException($"raftmq {string.Join(' ', arguments)} ended with {code}: {command.Tail()}");
    }

    /// <summary>Moves the leadership of a partition with <c>raftmq partition transfer</c>, which ends when it has moved.</summary>
    /// <exception cref="InvalidOperationException">It did not end well; the message says what it said.</exception>
    public async Task TransferAsync(string topic, int partition, int to, CancellationToken cancellation)
    {
        string admin = string.Join(',', nodes.Select(node => $"127.0.0.1:{node.HttpPort}"));
        await using ChildProcess command = await ChildProcess.StartAsync(
            Repository.CommandProgram, ["partition", "transfer", $"{topic}/{partition}", "--to", $"{to}", "--admin", admin]);
        int code = await command.WaitForExitAsync(TimeSpan.FromSeconds(60), cancellation);
        if (code != 0 || await LeaderAsync(topic, partition, cancellation) != to)
        {
            throw new InvalidOperationException($"raftmq partition transfer {topic}/{partition} --to {to} ended with {code}: {command.Tail()}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (NodeUnderTest node in nodes)
        {
            await node.DisposeAsync();
        }

        http.Dispose();
        if (keepFiles)
        {
            Console.WriteLine($"kept: {Folder}");
        }
        else
        {
            Directory.Delete(Folder, recursive: true);
        }
    }

    private NodeUnderTest Make(int id, int peersPort, string? others)
    {
        string folder = Path.Combine(Folder, $"node-{id}");
        int kafka = FreePorts.Next();
        int tls = FreePorts.Next();
        int web = FreePorts.Next();
        string listeners = $"kafka://127.0.0.1:{kafka}" + (options.Tls ? $",kafkas://localhost:{tls}" : "");
        List<string> arguments =
        [
            $"--node.id={id}",
            $"--data.folder={folder}",
            $"--listeners={listeners}",
            $"--peers.listen=127.0.0.1:{peersPort}",
            $"--http.listen=127.0.0.1:{web}",
            .. s_settings.Where(setting => !options.Settings.ContainsKey(setting.Key)).Concat(options.Settings).Concat(options.NodeSettings(id)).Select(setting => $"--{setting.Key}={setting.Value}"),
        ];
        if (others is not null)
        {
            arguments.Add(others);
        }

        List<string> line = [.. options.Launcher?.Invoke(folder) ?? [], Repository.ServerProgram, .. arguments];
        return new NodeUnderTest(id, folder, kafka, tls, peersPort, web, line, options.Environment, http);
    }
}
