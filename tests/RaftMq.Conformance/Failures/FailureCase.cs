using System.Text.Json;
using RaftMq.Testing.Processes;

namespace RaftMq.Conformance.Failures;

/// <summary>Clients go on while nodes die or go and come back. Each case has a cluster of its own.</summary>
public abstract class FailureCase : IAsyncLifetime
{
    private protected FailureCase()
    {
    }

    private protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private protected TestCluster Cluster { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Cluster = await TestCluster.StartAsync(new TestClusterOptions(), Cancellation);

    public async ValueTask DisposeAsync()
    {
        ClusterCase.ShowIfFailed(Cluster);
        await Cluster.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>The arguments of a consumer that reads on while the test does things to the cluster.</summary>
    private protected object Reading(string topic, int count, int seconds) =>
        new { bootstrap = Cluster.Bootstrap, topic, group = "g-" + topic, count, seconds };

    private protected static void AssertExactlyOnce(JsonElement produced, int count)
    {
        AssertNothingLost(produced, count);
        Assert.Equal(count, produced.Int("found"));
    }

    private protected static void AssertNothingLost(JsonElement produced, int count)
    {
        Assert.Empty(produced.Texts("errors"));
        Assert.Equal(count, produced.Int("delivered"));
        Assert.Equal(count, produced.Int("distinct"));
    }

    private protected async Task<string> CreateAsync(string what)
    {
        string topic = ConformanceSettings.NewTopic(what);
        await using KafkaProbe probe = new(Cluster);
        await probe.CreateTopicAsync(topic);
        return topic;
    }
}
