using RaftMq.Testing.Processes;

namespace RaftMq.Conformance;

/// <summary>The three nodes that all cases share which hurt no node. Each also has a TLS listener.</summary>
public sealed class SharedCluster : IAsyncLifetime
{
    private TestCertificates? certificates;

    public TestCluster Cluster { get; private set; } = null!;

    /// <summary>The authority that clients must trust for the TLS listeners.</summary>
    public string AuthorityFile => certificates!.AuthorityFile;

    public async ValueTask InitializeAsync()
    {
        certificates = await TestCertificates.MakeAsync(TestContext.Current.CancellationToken);
        Cluster = await TestCluster.StartAsync(
            new TestClusterOptions
            {
                Tls = true,
                Settings = new Dictionary<string, string>
                {
                    ["tls.kafka.certificate"] = certificates.CertificateFile,
                    ["tls.kafka.key"] = certificates.KeyFile,
                },
            },
            TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (Cluster is not null)
        {
            await Cluster.DisposeAsync();
        }

        certificates?.Dispose();
    }
}
