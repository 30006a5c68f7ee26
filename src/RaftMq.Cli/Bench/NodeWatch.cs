using RaftMq.Cli.Admin;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Client;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Cli.Bench;

/// <summary>
/// What a measurement costs the disks of the nodes: (1) where their HTTP is, is given or asked of each over the Kafka protocol, (2) their
/// metrics are read, (3) at the end read again.
/// </summary>
internal sealed class NodeWatch : IDisposable
{
    /// <summary>A node says of itself under this name where its HTTP is; other brokers have no such setting.</summary>
    private const string HttpSetting = "http.advertised";

    // The protocol's number for settings of a broker.
    private const sbyte BrokerSettings = 4;

    private readonly AdminClient http;
    private readonly IReadOnlyList<Uri> nodes;
    private readonly IReadOnlyList<NodeFigures> before;
    private readonly List<string> unknown;

    private NodeWatch(AdminClient http, IReadOnlyList<Uri> nodes, IReadOnlyList<NodeFigures> before, List<string> unknown)
    {
        this.http = http;
        this.nodes = nodes;
        this.before = before;
        this.unknown = unknown;
    }

    /// <param name="admin">HTTP addresses as given, or null.</param>
    public static async Task<NodeWatch> StartAsync(KafkaCluster cluster, string? admin, CancellationToken cancellation)
    {
        List<string> unknown = [];
        IReadOnlyList<Uri> nodes = admin is null ? await AskAsync(cluster, unknown, cancellation) : AdminClient.Parse(admin);
        var http = new AdminClient(nodes);
        return new NodeWatch(http, nodes, await NodeFigures.ReadAsync(http, nodes, cancellation), unknown);
    }

    /// <returns>What each node did since the start, and a sentence for each of which it is not known.</returns>
    public async Task<(IReadOnlyList<NodeFigures> Figures, IReadOnlyList<string> Unknown)> EndAsync(CancellationToken cancellation)
    {
        IReadOnlyList<NodeFigures> after = await NodeFigures.ReadAsync(http, nodes, cancellation);
        IEnumerable<string> silent = nodes.Select(node => node.Authority).Except(after.Select(figures => figures.Node))
            .Select(node => $"fdatasync and bytes not known: no metrics at {node} (HTTP, see --admin)");
        return (NodeFigures.Since(before, after), [.. unknown, .. silent]);
    }

    public void Dispose() => http.Dispose();

    private static async Task<IReadOnlyList<Uri>> AskAsync(KafkaCluster cluster, List<string> unknown, CancellationToken cancellation)
    {
        List<Uri> found = [];
        ClusterView view = await cluster.RefreshAsync([], cancellation);
        foreach ((int id, KafkaEndpoint endpoint) in view.Brokers.OrderBy(broker => broker.Key))
        {
            try
            {
                if (await AskAsync(await cluster.GetConnectionAsync(id, cancellation), id, cancellation) is { } address)
                {
                    found.Add(address);
                }
                else
                {
                    unknown.Add($"fdatasync and bytes not known: broker {id} at {endpoint} is not a RaftMq node");
                }
            }
            catch (KafkaConnectionException wrong)
            {
                unknown.Add($"fdatasync and bytes not known: broker {id}: {wrong.Message}");
            }
        }

        return found;
    }

    private static async Task<Uri?> AskAsync(KafkaConnection broker, int id, CancellationToken cancellation)
    {
        if (!broker.TryNegotiate(DescribeConfigsRequest.Schema, out _))
        {
            return null;
        }

        var request = new DescribeConfigsRequest
        {
            Resources =
            [
                new()
                {
                    ResourceType = BrokerSettings, ResourceName = id.ToString(System.Globalization.CultureInfo.InvariantCulture),
                    ConfigurationKeys = [HttpSetting],
                },
            ],
        };
        using KafkaReply<DescribeConfigsResponse> reply = await broker.SendAsync(request, cancellation);
        string? value = reply.Message.Results is [{ Error: KafkaError.None } result]
            ? result.Configs.FirstOrDefault(config => config.Name == HttpSetting)?.Value
            : null;
        return value is not null && Uri.TryCreate("http://" + value, UriKind.Absolute, out Uri? address) ? address : null;
    }
}
