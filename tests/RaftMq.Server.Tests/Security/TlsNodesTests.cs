using System.Globalization;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Client;
using RaftMq.Kafka.Wire.Messages;
using RaftMq.Records;
using RaftMq.Server.Security;
using RaftMq.Testing.Processes;

namespace RaftMq.Server.Tests.Security;

/// <summary>Real processes with certificates that are renewed while they run.</summary>
public sealed class TlsNodesTests : IDisposable
{
    private static readonly TimeSpan ChangeMax = TimeSpan.FromSeconds(30);

    private readonly TemporaryFolder _folder = new();
    private readonly TestAuthority _authority;
    private readonly TestAuthority _stranger;

    public TlsNodesTests()
    {
        _authority = new TestAuthority(_folder.Path, "authority");
        _stranger = new TestAuthority(_folder.Path, "stranger");
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _authority.Dispose();
        _stranger.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Renewed_certificate_and_authority_of_clients_count_without_a_restart()
    {
        CertificateFiles node = _authority.Issue("node", withAuthority: true);
        CertificateFiles mine = _authority.Issue("mine", withAuthority: false);
        CertificateFiles others = _stranger.Issue("others", withAuthority: false);
        string trusted = CopyOfAuthority("trusted.pem", _authority);
        await using TestCluster cluster = await TestCluster.StartAsync(
            new TestClusterOptions
            {
                Nodes = 1,
                Tls = true,
                Settings = new Dictionary<string, string>
                {
                    ["tls.kafka.certificate"] = node.CertificatePath,
                    ["tls.kafka.key"] = node.KeyPath,
                    ["tls.kafka.client.authority"] = trusted,
                },
            },
            Cancellation);
        string? first = await ShownToAsync(cluster, mine);
        Assert.NotNull(first);
        Assert.Null(await ShownToAsync(cluster, others));
        Assert.Equal(first, await ShownToAsync(cluster, mine));

        _authority.Issue("node", withAuthority: false);
        await cluster.EventuallyAsync(
            "the renewed certificate is shown",
            async () => await ShownToAsync(cluster, mine) is { } shown && shown != first ? null : "the first one is",
            ChangeMax, Cancellation);

        CopyOfAuthority("trusted.pem", _stranger);
        await cluster.EventuallyAsync(
            "clients of the other authority are let in",
            async () => await ShownToAsync(cluster, others) is null ? "they are not" : null,
            ChangeMax, Cancellation);
        Assert.Null(await ShownToAsync(cluster, mine));
    }

    [Fact]
    public async Task Nodes_form_a_cluster_over_mutual_TLS_that_keeps_others_out_until_they_have_its_certificate()
    {
        string authority = CopyOfAuthority("peers.pem", _authority);
        for (int id = 1; id <= 3; id++)
        {
            _authority.Issue($"peer-{id}", withAuthority: false);
        }

        await using TestCluster cluster = await TestCluster.StartAsync(
            new TestClusterOptions
            {
                Nodes = 3,
                NodeSettings = id => new Dictionary<string, string>
                {
                    ["tls.peers.certificate"] = _folder.File($"peer-{id}.crt"),
                    ["tls.peers.key"] = _folder.File($"peer-{id}.key"),
                    ["tls.peers.authority"] = authority,
                },
            },
            Cancellation);
        await ProduceAsync(cluster, 1);

        // The third comes back with a certificate that another authority issued: it stays alone, the others go on.
        NodeUnderTest outsider = cluster.Node(3);
        await outsider.StopAsync(Cancellation);
        _stranger.Issue("peer-3", withAuthority: false);
        await outsider.StartAsync();
        await cluster.EventuallyAsync(
            "the outsider was refused and refused the others",
            () => Task.FromResult(outsider.Process!.Output.Any(IsRefusal) && cluster.Node(1).Process!.Output.Any(IsRefusal) ? null : "no line says so"),
            ChangeMax, Cancellation);
        await ProduceAsync(cluster, 2);
        Assert.Equal(0, await ConnectionsAsync(cluster, outsider));
        Assert.NotEqual("ready", await outsider.HealthAsync(Cancellation));
        Assert.Equal(1, await ConnectionsAsync(cluster, cluster.Node(1)));
        Assert.Equal(1, await ConnectionsAsync(cluster, cluster.Node(2)));

        // With one of this cluster's it is let in as it runs.
        _authority.Issue("peer-3", withAuthority: false);
        await cluster.WaitReadyAsync(Cancellation);
        await cluster.EventuallyAsync(
            "all are connected",
            async () => await ConnectionsAsync(cluster, outsider) == 2 ? null : "the third is not",
            ChangeMax, Cancellation);
        await ProduceAsync(cluster, 3);

        // Tried again and again meanwhile, and said once for each of the others.
        Assert.InRange(outsider.Process!.Output.Count(IsRefusal), 1, 4);
    }

    private static bool IsRefusal(string line) =>
        line.Contains("No connection to", StringComparison.Ordinal) && line.Contains("certificate", StringComparison.Ordinal);

    private static async Task<int> ConnectionsAsync(TestCluster cluster, NodeUnderTest node)
    {
        string line = (await cluster.GetTextAsync(node, "/metrics", Cancellation)).Split('\n')
            .Single(line => line.StartsWith("raftmq_peer_connections ", StringComparison.Ordinal));
        return int.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture);
    }

    /// <summary>Makes a topic and has all that are connected store a record in it.</summary>
    private static async Task ProduceAsync(TestCluster cluster, int number)
    {
        string topic = $"topic-{number}";
        Assert.True(KafkaEndpoint.TryParseList(cluster.Nodes[0].Kafka, out IReadOnlyList<KafkaEndpoint> bootstrap));
        await using var client = new KafkaCluster(bootstrap, new KafkaConnectionOptions());
        KafkaConnection controller = await client.GetControllerAsync(Cancellation);
        using KafkaReply<CreateTopicsResponse> created = await controller.SendAsync(
            new CreateTopicsRequest
            {
                Topics = [new CreateTopicsRequest.Topic { Name = topic, NumPartitions = 1, ReplicationFactor = 3, Assignments = [], Configs = [] }],
                TimeoutMs = 20_000,
            },
            Cancellation);
        Assert.Equal(KafkaError.None, created.Message.Topics[0].Error);
        NodeUnderTest leader = await cluster.WaitForLeaderAsync(topic, 0, Cancellation);
        KafkaConnection connection = await client.GetConnectionAsync(leader.Id, Cancellation);
        RecordBatchBuilder builder = new();
        builder.Append(1, "key"u8.ToArray(), "value"u8.ToArray());
        using KafkaReply<ProduceResponse> produced = await connection.SendAsync(
            new ProduceRequest
            {
                Acks = -1,
                TimeoutMs = 20_000,
                Topics =
                [
                    new ProduceRequest.Topic
                    {
                        Name = topic, Partitions = [new ProduceRequest.Partition { Index = 0, Records = new RecordBytes(builder.ToArray()) }],
                    },
                ],
            },
            Cancellation);
        Assert.Equal(KafkaError.None, produced.Message.Topics[0].Partitions[0].Error);
    }

    /// <summary>The certificate (its serial number) that the node's TLS listener shows to a client, or null where the client is not let in.</summary>
    private static async Task<string?> ShownToAsync(TestCluster cluster, CertificateFiles client)
    {
        string? shown = null;
        var tls = new SslClientAuthenticationOptions
        {
            RemoteCertificateValidationCallback = (_, certificate, _, _) =>
            {
                shown = certificate!.GetSerialNumberString();
                return certificate.Issuer == "CN=authority";
            },
            ClientCertificateContext = SslStreamCertificateContext.Create(
                X509Certificate2.CreateFromPemFile(client.CertificatePath, client.KeyPath), additionalCertificates: null, offline: true),
        };
        try
        {
            await using KafkaConnection connection = await KafkaConnection.ConnectAsync(
                new KafkaEndpoint("localhost", cluster.Nodes[0].TlsPort), new KafkaConnectionOptions { Tls = tls }, Cancellation);
            return shown;
        }
        catch (KafkaConnectionException)
        {
            return null;
        }
    }

    private string CopyOfAuthority(string name, TestAuthority authority)
    {
        File.Copy(authority.Path, _folder.File(name), overwrite: true);
        return _folder.File(name);
    }
}
