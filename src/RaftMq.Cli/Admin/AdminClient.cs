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
        await FirstAsync(node => http.GetFromJsonAsync<ClusterAnswer>(new Uri(node, "/v1/cluster"), cancellation))
            ?? throw new CommandFailedException(ExitCodes.Unreachable, "The node's answer is empty.");

    /// <summary>Of each node that answers.</summary>
    public async Task<IReadOnlyList<StatusAnswer>> StatusOfAllAsync(CancellationToken cancellation)
    {
        StatusAnswer?[] answers = await Task.WhenAll(nodes.Select(node => StatusAsync(node, cancellation)));
        return [.. answers.OfType<StatusAnswer>().OrderBy(answer => answer.Node)];
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
        (HttpStatusCode status, AdminAnswer? answer) = await FirstAsync(async node =>
        {
            var url = new Uri(node, $"/v1/partitions/{Uri.EscapeDataString(topic)}/{partition}/transfer?to={to}");
            using HttpResponseMessage reply = await http.PostAsync(url, content: null, cancellation);
            string body = await reply.Content.ReadAsStringAsync(cancellation);
            return (reply.StatusCode, Read(body));
        });
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

    private async Task<T> FirstAsync<T>(Func<Uri, Task<T>> ask)
    {
        string reason = "";
        foreach (Uri node in nodes)
        {
            try
            {
                return await ask(node);
            }
            catch (HttpRequestException wrong)
            {
                reason = wrong.Message;
            }
        }

        throw new CommandFailedException(ExitCodes.Unreachable, $"No node answers at {string.Join(", ", nodes.Select(node => node.Authority))}: {reason}");
    }
}
