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

    public async ValueTask DisposeAsync()
    {
        await Probe.DisposeAsync();
        if (TestContext.Current.TestState?.Result == TestResult.Failed)
        {
            Cluster.KeepFiles();
            TestContext.Current.TestOutputHelper?.WriteLine(Cluster.Report());
        }

        GC.SuppressFinalize(this);
    }

    /// <summary>Every record delivered, found again once, right, and at the offset that was reported.</summary>
    private protected static void AssertAllThere(JsonElement result, int count)
    {
        Assert.Equal(count, result.Int("delivered"));
        Assert.Equal(count, result.Int("found"));
        Assert.Equal(count, result.Int("right"));
        Assert.Equal(count, result.Int("keys"));
        Assert.Equal(count, result.Int("atReportedOffset"));
    }

    /// <summary>The stored batches carry the compression that the client was told to use: nothing was recompressed, and nothing sent plain.</summary>
    private protected async Task<List<RecordBatchHeader>> AssertStoredAsAsync(string topic, CompressionType compression, int count)
    {
        List<RecordBatchHeader> batches = await Probe.BatchesAsync(topic);
        Assert.Equal(count, batches.Sum(batch => batch.RecordCount));
        Assert.All(batches, batch => Assert.Equal(compression, batch.Compression));
        return batches;
    }
}
