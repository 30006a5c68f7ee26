using RaftMq.Kafka.Wire.Client;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Kafka.Wire.Tests.Client;

public sealed class KafkaClusterTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Red before: the first address was tried each time, which costs the whole time to connect where a machine is gone.</summary>
    [Fact]
    public async Task Addresses_that_failed_last_are_tried_last()
    {
        await using ScriptedBroker gone = new((_, _) => null);
        await using ScriptedBroker breaks = new((header, _) => header.Key == ApiKey.ApiVersions ? ScriptedBroker.ServesAll(header) : null);
        await using ScriptedBroker answers = Answering();
        await using KafkaCluster cluster = new([gone.Endpoint, breaks.Endpoint, answers.Endpoint], new KafkaConnectionOptions());

        KafkaConnectionException broken = await Assert.ThrowsAsync<KafkaConnectionException>(() => cluster.RefreshAsync([], Cancel));
        Assert.False(broken.NothingAnswered);
        await cluster.RefreshAsync([], Cancel);
        await cluster.RefreshAsync([], Cancel);

        Assert.Equal((1, 1, 1), (gone.Connections, breaks.Connections, answers.Connections));
    }

    [Fact]
    public async Task Where_nothing_ever_answered_that_is_said()
    {
        await using ScriptedBroker gone = new((_, _) => null);
        await using KafkaCluster cluster = new([gone.Endpoint], new KafkaConnectionOptions());
        Assert.True((await Assert.ThrowsAsync<KafkaConnectionException>(() => cluster.GetAnyConnectionAsync(Cancel))).NothingAnswered);
    }

    private static ScriptedBroker Answering() => new((header, _) => header.Key == ApiKey.ApiVersions
        ? ScriptedBroker.ServesAll(header)
        : ScriptedBroker.Frame(new MetadataResponse { Brokers = [], Topics = [] }, header.Version, header.CorrelationId));
}
