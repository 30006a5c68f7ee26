using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace RaftMq.Cli.Admin;

/// <summary>Talks to the admin API of the first of some nodes that answers.</summary>
internal sealed class AdminClient : IDisposable
{
    /// <summary>A change may wait 15 s for the controller.</summary>
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(20);

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

    /// <exception cref="CommandFailedException">No node answers.</exception>
    public async Task<ClusterAnswer> ClusterAsync(CancellationToken cancellation) =>
        await FirstAsync(
            AskTimeLimit, (node, ending) => http.GetFromJsonAsync<ClusterAnswer>(new Uri(node, "/v1/cluster"), ending), cancellation)
            ?? throw new CommandFailedException(ExitCodes.Unreachable, "The node's answer is empty.");

    /// <summary>Asks the given nodes, and where the cluster says each other one's HTTP is.</summary>
    public async Task<ClusterReport> AskAllAsync(ClusterAnswer cluster, CancellationToken cancellation)
    {
        List<StatusAnswer> found = [.. (await Task.WhenAll(nodes.Select(node => TryStatusAsync(node, cancellation)))).OfType<StatusAnswer>()];
        SortedDictionary<int, string> missing = [];
        await Task.WhenAll(cluster.Nodes.Where(node => found.TrueForAll(answer => answer.Node != node.Id)).ToArray().Select(async node =>
        {
            ListenerAnswer? http = node.Listeners.FirstOrDefault(listener => listener.Name == ListenerAnswer.Http);
            StatusAnswer? answer = null;
            string why = "was not asked: the cluster does not know where its HTTP is; name it with --admin";
            if (http is not null)
            {
                answer = await TryStatusAsync(http.Url, cancellation);
                why = answer is null
                    ? $"does not answer at {http.Url.Authority} (HTTP; http.advertised is what it says of itself)"
                    : $"is not at {http.Url.Authority}: node {answer.Node} answers there";
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
    public async Task<StatusAnswer?> StatusAsync(Uri node, CancellationToken cancellation)
    {
        try
        {
            return await http.GetFromJsonAsync<StatusAnswer>(new Uri(node, "/v1/status"), cancellation);
        }
        catch (Exception wrong) when (IsNoAnswer(wrong, cancellation))
        {
            return null;
        }
    }

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

    /// <exception cref="CommandFailedException">Refused, or no node answers.</exception>
    public async Task TransferAsync(string topic, int partition, int to, CancellationToken cancellation)
    {
        (HttpStatusCode status, AdminAnswer? answer) = await FirstAsync(TimeLimit, async (node, ending) =>
        {
            var url = new Uri(node, $"/v1/partitions/{Uri.EscapeDataString(topic)}/{partition}/transfer?to={to}");
            using HttpResponseMessage reply = await http.PostAsync(url, content: null, ending);
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
        throw new CommandFailedException(code, $"{topic}/{partition} was not transferred: {answer?.Message ?? answer?.Outcome ?? status.ToString()}");
    }

    public void Dispose() => http.Dispose();

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

    private async Task<StatusAnswer?> TryStatusAsync(Uri node, CancellationToken cancellation)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        ending.CancelAfter(AskTimeLimit);
        try
        {
            return await StatusAsync(node, ending.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>The answer of the first node that gives one within the limit, which each of them has.</summary>
    private async Task<T> FirstAsync<T>(TimeSpan limit, Func<Uri, CancellationToken, Task<T>> ask, CancellationToken cancellation)
    {
        List<string> reasons = [];
        foreach (Uri node in nodes)
        {
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            ending.CancelAfter(limit);
            try
            {
                return await ask(node, ending.Token);
            }
            catch (HttpRequestException wrong)
            {
                reasons.Add(wrong.Message);
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                reasons.Add($"{node.Authority} takes the connection and says nothing within {limit.TotalSeconds:0} s");
            }
            catch (JsonException)
            {
                reasons.Add($"{node.Authority} does not answer as a RaftMq node does; --admin wants HTTP addresses");
            }
        }

        throw new CommandFailedException(
            ExitCodes.Unreachable, $"No node answers at {string.Join(", ", nodes.Select(node => node.Authority))} (HTTP, see --admin): {string.Join("; ", reasons.Distinct())}.");
    }
}
