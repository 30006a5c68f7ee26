using System.Text.Json;
using RaftMq.Testing.Processes;

namespace RaftMq.Conformance.Failures;

/// <summary>Each node is stopped and started again, one after the other, and clients that send and read hear of no error.</summary>
public sealed class RollingRestartTests : FailureCase
{
    [Fact]
    public async Task Rolling_restart_surfaces_no_error_to_librdkafka()
    {
        const int Count = 36_000;
        string topic = await CreateAsync("rdk-rolling");
        (JsonElement produced, JsonElement consumed) = await RestartAllUnderAsync(
            ClientScript.LibrdkafkaAsync("consume_stream", Reading(topic, Count, 100)),
            ClientScript.LibrdkafkaAsync(
                "produce_stream", new { bootstrap = Cluster.Bootstrap, topic, count = Count, rate = 1000, idempotent = true }));
        AssertExactlyOnce(produced, Count);
        Assert.True(produced.Bool("inOrder"));
        Assert.Equal(Count, consumed.Int("distinct"));
        Assert.Empty(consumed.Texts("errors"));
    }

    [Fact]
    public async Task Rolling_restart_surfaces_no_error_to_kafka_python()
    {
        const int Count = 14_400;
        string topic = await CreateAsync("py-rolling");
        (JsonElement produced, JsonElement consumed) = await RestartAllUnderAsync(
            ClientScript.KafkaPythonAsync("consume_stream", Reading(topic, Count, 100)),
            ClientScript.KafkaPythonAsync("produce_stream", new { bootstrap = Cluster.Bootstrap, topic, count = Count, rate = 400 }));
        AssertNothingLost(produced, Count);
        Assert.Equal(Count, produced.Int("atReportedOffset"));
        Assert.InRange(consumed.Int("distinct"), Count, produced.Int("found"));
        Assert.Empty(consumed.Texts("errors"));
    }

    [Fact]
    public async Task Rolling_restart_surfaces_no_error_to_kafkajs()
    {
        const int Count = 28_800;
        string topic = await CreateAsync("js-rolling");
        (JsonElement produced, JsonElement consumed) = await RestartAllUnderAsync(
            ClientScript.KafkaJsAsync("consumeStream", Reading(topic, Count, 100)),
            ClientScript.KafkaJsAsync(
                "produceStream", new { bootstrap = Cluster.Bootstrap, topic, count = Count, batch = 20, everyMs = 25, idempotent = true }));
        AssertExactlyOnce(produced, Count);
        Assert.Equal(Count, consumed.Int("distinct"));
        Assert.Empty(consumed.Texts("errors"));
    }

    /// <summary>Each node in turn is stopped and started again while the one sends and the other reads.</summary>
    private async Task<(JsonElement Produced, JsonElement Consumed)> RestartAllUnderAsync(Task<ClientScript> consuming, Task<ClientScript> producing)
    {
        await using ClientScript consumer = await consuming;
        await using ClientScript producer = await producing;
        await producer.WaitForLineAsync("acknowledged");
        foreach (NodeUnderTest node in Cluster.Nodes)
        {
            Assert.Equal(0, await node.StopAsync(Cancellation));
            await node.StartAsync();
            await Cluster.WaitReadyAsync(Cancellation);
            await producer.WaitForNextLineAsync("acknowledged");
        }

        return (await producer.ResultAsync(120), await consumer.ResultAsync(120));
    }
}
