using System.Text.Json;
using RaftMq.Records;
using RaftMq.Testing.Processes;

namespace RaftMq.Conformance;

/// <summary>A test over a cluster: when it fails, the nodes' logs are shown and their folders stay.</summary>
public abstract class ClusterCase : IAsyncDisposable
{
    private protected ClusterCase(TestCluster cluster)
    {
        Cluster = cluster;
        Probe = new KafkaProbe(cluster);
    }

    private protected TestCluster Cluster { get; }

    private protected KafkaProbe Probe { get; }

    private protected string Bootstrap => Cluster.Bootstrap;

    /// <summary>The nodes' TLS listeners, by the name that their certificate has.</summary>
    private protected string TlsBootstrap => string.Join(',', Cluster.Nodes.Select(node => $"localhost:{node.TlsPort}"));

    public async ValueTask DisposeAsync()
    {
        await Probe.DisposeAsync();
        ShowIfFailed(Cluster);
        GC.SuppressFinalize(this);
    }

    /// <summary>Called at the end of each test, before the cluster is disposed, if it is.</summary>
    internal static void ShowIfFailed(TestCluster cluster)
    {
        if (TestContext.Current.TestState?.Result == TestResult.Failed)
        {
            cluster.KeepFiles();
            TestContext.Current.TestOutputHelper?.WriteLine(cluster.Report());
        }
    }

    /// <summary>A case of a client that makes its topic, sends, reads it back, and compares; then the stored batches are looked at.</summary>
    /// <param name="kind">The topic's name begins with it.</param>
    /// <param name="stored">What the batches must have been stored as.</param>
    /// <param name="count">Records sent.</param>
    /// <param name="roundTrip">The client's part, given the topic.</param>
    private protected async Task<List<RecordBatchHeader>> AssertRoundTripAsync(
        string kind, CompressionType stored, int count, Func<string, Task<JsonElement>> roundTrip)
    {
        string topic = ConformanceSettings.NewTopic(kind);
        await Probe.CreateTopicAsync(topic);
        AssertAllThere(await roundTrip(topic), count);
        return await AssertStoredAsAsync(topic, stored, count);
    }

    /// <summary>Every record delivered, found again once, right, and at the offset that was reported.</summary>
    private static void AssertAllThere(JsonElement result, int count)
    {
        Assert.Equal(count, result.Int("delivered"));
        Assert.Equal(count, result.Int("found"));
        Assert.Equal(count, result.Int("right"));
        Assert.Equal(count, result.Int("keys"));
        Assert.Equal(count, result.Int("atReportedOffset"));
    }

    /// <summary>One partition that keeps records whose own time is long ago; elsewhere retention lets them go at its next look.</summary>
    private protected Task CreateForOldRecordsAsync(string topic) => Probe.CreateTopicAsync(topic, partitions: 1, ("retention.ms", "-1"));

    /// <summary>The stored batches carry the compression that the client was told to use: nothing was recompressed, and nothing sent plain.</summary>
    private protected async Task<List<RecordBatchHeader>> AssertStoredAsAsync(string topic, CompressionType compression, int count)
    {
        List<RecordBatchHeader> batches = await Probe.BatchesAsync(topic);
        Assert.Equal(count, batches.Sum(batch => batch.RecordCount));
        Assert.All(batches, batch => Assert.Equal(compression, batch.Compression));
        return batches;
    }
}
