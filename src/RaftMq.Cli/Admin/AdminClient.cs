using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace RaftMq.Cli.Admin;

/// <summary>Talks to the admin API of the first of some nodes that answers.</summary>
internal sealed class AdminClient : IDisposable
{
    /// <summary>A change may wait 15 s for the controller.</summary>
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(20);

    private const string StatusPath = "/v1/status";

    private readonly HttpClient http = new() { Timeout = TimeLimit };
    private readonly IReadOnlyList<Uri> nodes;

    public AdminClient(IReadOnlyList<Uri> nodes) => this.nodes = nodes;

    /// <summary>For what a node knows without asking others.</summary>
    public TimeSpan AskTimeLimit { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Reads "host:port,host:port" or URLs.</summary>
    /// <exception cref="CommandFailedException">It is neither.</exception>
    public static IReadOnlyList<Uri> Parse(string text)
    {
        List<Uri> parsed = [];
        foreach (string part in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            string url = part.Contains("://", StringComparison.Ordinal) ? part : "http://" + part;
            if (!Uri.TryCreate(url, UriKind.Absolute, out Uri? address) || address.Scheme is not ("http" or "https"))
            {
                throw new CommandFailedException(ExitCodes.Usage, $"'{part}' is not host:port.");
            }

            parsed.Add(address);
        }

        return parsed.Count > 0 ? parsed : throw new CommandFailedException(ExitCodes.Usage, "No address of a node was given.");
    }

    /// <summary>The cluster as the first node that answers knows it; a node that knows no controller is believed only when all are such.</summary>
    /// <exception cref="CommandFailedException">No node answers.</exception>
    public async Task<ClusterAnswer> ClusterAsync(CancellationToken cancellation)
    {
        ClusterAnswer first = await FirstAsync(
            AskTimeLimit, (node, ending) => http.GetFromJsonAsync<ClusterAnswer>(new Uri(node, "/v1/cluster"), ending), cancellation)
            ?? throw new CommandFailedException(ExitCodes.Unreachable, "The node's answer is empty.");
        if (first.ControllerLeader is not null || nodes.Count == 1)
        {
            return first;
        }

        ClusterAnswer?[] all = await Task.WhenAll(nodes.Select(node => TryGetAsync<ClusterAnswer>(node, "/v1/cluster", cancellation)));
        return all.FirstOrDefault(answer => answer?.ControllerLeader is not null) ?? first;
    }

    /// <summary>Asks the given nodes, and where the cluster says each other one's HTTP is.</summary>
    public async Task<ClusterReport> AskAllAsync(ClusterAnswer cluster, CancellationToken cancellation)
    {
        List<StatusAnswer> found = [.. (await Task.WhenAll(nodes.Select(node => TryStatusAsync(node, cancellation)))).OfType<StatusAnswer>()];
        SortedDictionary<int, string> missing = [];
        await Task.WhenAll(cluster.Nodes.Where(node => found.TrueForAll(answer => answer.Node != node.Id)).ToArray().Select(async node =>
        {
            Uri? http = node.Listeners.FirstOrDefault(listener => listener.Name == ListenerAnswer.Http)?.Url;
            StatusAnswer? answer = null;
            string why = "was not asked: the cluster does not know where its HTTP is; name it with --admin";
            if (http is not null)
            {
                answer = await TryStatusAsync(http, cancellation);
                why = answer is null
                    ? $"does not answer at {http.Authority} (HTTP; http.advertised is what it says of itself)"
                    : $"is not at {http.Authority}: node {answer.Node} answers there";
            }

            lock (missing)
            {
                if (answer?.Node == node.Id)
                {
                    found.Add(answer);
                }
                else
                {
                    missing[node.Id] = why;
                }
            }
        }));
        return new ClusterReport([.. found.DistinctBy(answer => answer.Node).OrderBy(answer => answer.Node)], missing);
    }

    /// <summary>Null where the node does not answer.</summary>
    public Task<StatusAnswer?> StatusAsync(Uri node, CancellationToken cancellation) => GetAsync<StatusAnswer>(node, StatusPath, cancellation);

    /// <summary>Whether the node says that it serves clients; false also where it does not answer.</summary>
    public async Task<bool> IsReadyAsync(Uri node, CancellationToken cancellation)
    {
        try
        {
            using HttpResponseMessage answer = await http.GetAsync(new Uri(node, "/health/ready"), cancellation);
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (Exception wrong) when (IsNoAnswer(wrong, cancellation))
        {
            return false;
        }
    }

    /// <summary>The node's metrics as text, or null where it does not answer.</summary>
    public async Task<string?> MetricsAsync(Uri node, CancellationToken cancellation)
    {
        try
        {
            return await http.GetStringAsync(new Uri(node, "/metrics"), cancellation);
        }
        catch (Exception wrong) when (IsNoAnswer(wrong, cancellation))
        {
            return null;
        }
    }

    /// <summary>Which nodes there are, come and went, as the first node that answers knows it.</summary>
    public async Task<NodesAnswer> NodesAsync(CancellationToken cancellation) =>
        await FirstAsync(AskTimeLimit, (node, ending) => http.GetFromJsonAsync<NodesAnswer>(new Uri(node, "/v1/nodes"), ending), cancellation)
            ?? throw new CommandFailedException(ExitCodes.Unreachable, "The node's answer is empty.");

    /// <summary>What would make placement even, as the first node that answers knows it.</summary>
    public async Task<BalanceAnswer> BalanceAsync(CancellationToken cancellation) =>
        await FirstAsync(AskTimeLimit, (node, ending) => http.GetFromJsonAsync<BalanceAnswer>(new Uri(node, "/v1/balance"), ending), cancellation)
            ?? throw new CommandFailedException(ExitCodes.Unreachable, "The node's answer is empty.");

    /// <exception cref="CommandFailedException">Refused, or no node answers.</exception>
    public Task TransferAsync(string topic, int partition, int to, CancellationToken cancellation) => ChangeAsync(
        HttpMethod.Post, $"/v1/partitions/{Uri.EscapeDataString(topic)}/{partition}/transfer?to={to}", $"{topic}/{partition} was not transferred",
        cancellation);

    /// <param name="to">Null: a movement under way goes back.</param>
    /// <exception cref="CommandFailedException">Refused, or no node answers.</exception>
    public Task MoveAsync(string topic, int partition, int[]? to, CancellationToken cancellation) => ChangeAsync(
        to is null ? HttpMethod.Delete : HttpMethod.Post,
        $"/v1/partitions/{Uri.EscapeDataString(topic)}/{partition}/move{(to is null ? "" : $"?to={string.Join(',', to)}")}",
        $"{topic}/{partition} was not moved", cancellation);

    /// <param name="failed">Begins the sentence that says why.</param>
    /// <exception cref="CommandFailedException">Refused, or no node answers.</exception>
    public async Task ChangeAsync(HttpMethod method, string path, string failed, CancellationToken cancellation)
    {
        (HttpStatusCode status, AdminAnswer? answer) = await FirstAsync(TimeLimit, async (node, ending) =>
        {
            using var request = new HttpRequestMessage(method, new Uri(node, path));
            using HttpResponseMessage reply = await http.SendAsync(request, ending);
            string body = await reply.Content.ReadAsStringAsync(ending);
            return (reply.StatusCode, Read(body));
        }, cancellation);
        if (status == HttpStatusCode.OK)
        {
            return;
        }

        int code = status switch
        {
            HttpStatusCode.NotFound => ExitCodes.NotFound,
            HttpStatusCode.GatewayTimeout or HttpStatusCode.ServiceUnavailable => ExitCodes.Unreachable,
            _ => ExitCodes.Failed,
        };
        throw new CommandFailedException(code, $"{failed}: {answer?.Message ?? answer?.Outcome ?? status.ToString()}");
    }

    public void Dispose() => http.Dispose();

    private async Task<TAnswer?> GetAsync<TAnswer>(Uri node, string path, CancellationToken cancellation)
        where TAnswer : class
    {
        try
        {
            return await http.GetFromJsonAsync<TAnswer>(new Uri(node, path), cancellation);
        }
        catch (Exception wrong) when (IsNoAnswer(wrong, cancellation))
        {
            return null;
        }
    }

    private static AdminAnswer? Read(string body)
    {
        try
        {
            return JsonSerializer.Deserialize<AdminAnswer>(body, JsonSerializerOptions.Web);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static bool IsNoAnswer(Exception wrong, CancellationToken cancellation) =>
        !cancellation.IsCancellationRequested && wrong is (HttpRequestException or TaskCanceledException or JsonException or IOException);

    private Task<StatusAnswer?> TryStatusAsync(Uri node, CancellationToken cancellation) => TryGetAsync<StatusAnswer>(node, StatusPath, cancellation);

    /// <summary>Null where the node does not answer in time.</summary>
    private async Task<TAnswer?> TryGetAsync<TAnswer>(Uri node, string path, CancellationToken cancellation)
        where TAnswer : class
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        ending.CancelAfter(AskTimeLimit);
        try
        {
            return await GetAsync<TAnswer>(node, path, ending.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>The answer of the first node that gives one within the limit, which each of them has.</summary>
    private async Task<T> FirstAsync<T>(TimeSpan limit, Func<Uri, CancellationToken, Task<T>> ask, CancellationToken cancellation)
    {
        List<(Uri Node, string Reason)> faults = [];
        foreach (Uri node in nodes)
        {
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            ending.CancelAfter(limit);
            try
            {
                return await ask(node, ending.Token);
            }
            catch (HttpRequestException failed)
            {
                // The inner one says what is wrong where this one says that something is.
                faults.Add((node, failed is { HttpRequestError: HttpRequestError.ConnectionError } or { InnerException: null }
                    ? failed.Message
                    : $"{node.Authority}: {failed.InnerException.Message}"));
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                faults.Add((node, $"{node.Authority} takes the connection and says nothing within {limit.TotalSeconds:0} s"));
            }
            catch (JsonException)
            {
                faults.Add((node, $"{node.Authority} does not answer as a RaftMq node does; --admin wants HTTP addresses"));
            }
        }

        // Whatever HTTP says of a port of Kafka explains less than that it is one.
        IReadOnlyList<Uri> kafka = await PortProbe.KafkaAtAsync(nodes, cancellation);
        string[] reasons = [.. faults.Where(fault => !kafka.Contains(fault.Node)).Select(fault => fault.Reason.TrimEnd('.')).Distinct()];
        throw new CommandFailedException(
            ExitCodes.Unreachable,
            $"No node answers at {string.Join(", ", nodes.Select(node => node.Authority))} (HTTP, see --admin)"
            + $"{(reasons.Length == 0 ? "" : $": {string.Join("; ", reasons)}")}.{PortProbe.KafkaSentence(kafka)}");
    }
}
