using System.Text.Json;
using RaftMq.Testing.Processes;

namespace RaftMq.Conformance.Failures;

/// <summary>Each node is stopped and started again, one after the other, and clients that send and read hear of no error.</summary>
public sealed class RollingRestartTests : FailureCase
{
    /// <summary>Sent at 400 a second for the 90 s that slow disks may make of the restarts; once those are over, the rest goes out at once.</summary>
    private const int Count = 36_000;
    private const int Rate = 400;
    private const int ReadingSeconds = 200;

    [Fact]
    public async Task Rolling_restart_surfaces_no_error_to_librdkafka()
    {
        string topic = await CreateAsync("rdk-rolling");
        (JsonElement produced, JsonElement consumed) = await RestartAllUnderAsync(
            ClientScript.LibrdkafkaAsync("consume_stream", Reading(topic, Count, ReadingSeconds)),
            ClientScript.LibrdkafkaAsync(
                "produce_stream",
                new { bootstrap = Cluster.Bootstrap, topic, count = Count, rate = Rate, idempotent = true, hurry = RestartsAreOver }));
        AssertExactlyOnce(produced, Count);
        Assert.True(produced.Bool("inOrder"));
        Assert.Equal(Count, consumed.Int("distinct"));
        Assert.Empty(consumed.Texts("errors"));
    }

    [Fact]
    public async Task Rolling_restart_surfaces_no_error_to_kafka_python()
    {
        string topic = await CreateAsync("py-rolling");
        (JsonElement produced, JsonElement consumed) = await RestartAllUnderAsync(
            ClientScript.KafkaPythonAsync("consume_stream", Reading(topic, Count, ReadingSeconds)),
            ClientScript.KafkaPythonAsync(
                "produce_stream", new { bootstrap = Cluster.Bootstrap, topic, count = Count, rate = Rate, hurry = RestartsAreOver }));
        AssertNothingLost(produced, Count);
        Assert.Equal(Count, produced.Int("atReportedOffset"));
        Assert.InRange(consumed.Int("distinct"), Count, produced.Int("found"));
        Assert.Empty(consumed.Texts("errors"));
    }

    [Fact]
    public async Task Rolling_restart_surfaces_no_error_to_kafkajs()
    {
        const int Batch = 20;
        string topic = await CreateAsync("js-rolling");
        (JsonElement produced, JsonElement consumed) = await RestartAllUnderAsync(
            ClientScript.KafkaJsAsync("consumeStream", Reading(topic, Count, ReadingSeconds)),
            ClientScript.KafkaJsAsync(
                "produceStream",
                new
                {
                    bootstrap = Cluster.Bootstrap,
                    topic,
                    count = Count,
                    batch = Batch,
                    everyMs = 1000 * Batch / Rate,
                    idempotent = true,
                    hurry = RestartsAreOver,
                }));
        AssertExactlyOnce(produced, Count);
        Assert.Equal(Count, consumed.Int("distinct"));
        Assert.Empty(consumed.Texts("errors"));
    }

    /// <summary>The file whose being there tells the senders so.</summary>
    private string RestartsAreOver => Path.Combine(Cluster.Folder, "restarts-are-over");

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

        await File.WriteAllTextAsync(RestartsAreOver, "", Cancellation);
        return (await producer.ResultAsync(120), await consumer.ResultAsync(120));
    }
}
