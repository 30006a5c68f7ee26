using System.Text.Json;
using RaftMq.Kafka.Wire;
using RaftMq.Testing;
using RaftMq.Testing.Processes;

namespace RaftMq.Conformance.Failures;

/// <summary>Clients go on while nodes die and come back. Each case has a cluster of its own.</summary>
public sealed class FailoverTests : IAsyncLifetime
{
    private TestCluster cluster = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => cluster = await TestCluster.StartAsync(new TestClusterOptions(), Cancellation);

    public async ValueTask DisposeAsync()
    {
        ClusterCase.ShowIfFailed(cluster);
        await cluster.DisposeAsync();
    }

    [Fact]
    public async Task Leader_killed_in_the_middle_costs_idempotent_librdkafka_nothing()
    {
        const int Count = 6000;
        string topic = await CreateAsync("rdk-kill");
        await using ClientScript consumer = await ClientScript.LibrdkafkaAsync(
            "consume_stream", new { bootstrap = cluster.Bootstrap, topic, group = "g-" + topic, count = Count, seconds = 60 });
        JsonElement produced = await ProduceWhileTheLeaderDiesAsync(topic, ClientScript.LibrdkafkaAsync(
            "produce_stream", new { bootstrap = cluster.Bootstrap, topic, count = Count, rate = 1500, idempotent = true }));
        JsonElement consumed = await consumer.ResultAsync();
        AssertExactlyOnce(produced, Count);
        Assert.True(produced.Bool("inOrder"));
        Assert.Equal(Count, produced.Int("atReportedOffset"));

        // Records may come twice to a group when its coordinator dies between delivery and commit; none may stay away.
        Assert.Equal(Count, consumed.Int("distinct"));
    }

    [Fact]
    public async Task Leader_killed_in_the_middle_loses_no_acknowledged_record_of_kafka_python()
    {
        const int Count = 2000;
        string topic = await CreateAsync("py-kill");
        JsonElement produced = await ProduceWhileTheLeaderDiesAsync(topic, ClientScript.KafkaPythonAsync(
            "produce_stream", new { bootstrap = cluster.Bootstrap, topic, count = Count, rate = 500 }));
        AssertNothingLost(produced, Count);
        Assert.Equal(Count, produced.Int("atReportedOffset"));
    }

    [Fact]
    public async Task Leader_killed_in_the_middle_loses_no_acknowledged_record_of_kafkajs()
    {
        const int Count = 2000;
        string topic = ConformanceSettings.NewTopic("js-kill");
        AssertNothingLost(
            await ProduceWhileTheLeaderDiesAsync(topic, ClientScript.KafkaJsAsync(
                "produceStream", new { bootstrap = cluster.Bootstrap, topic, count = Count, batch = 20, everyMs = 20 })),
            Count);
    }

    [Fact]
    public async Task Leader_killed_in_the_middle_costs_idempotent_kafkajs_nothing()
    {
        const int Count = 2000;
        string topic = ConformanceSettings.NewTopic("js-idem-kill");
        AssertExactlyOnce(
            await ProduceWhileTheLeaderDiesAsync(topic, ClientScript.KafkaJsAsync(
                "produceStream", new { bootstrap = cluster.Bootstrap, topic, count = Count, batch = 20, everyMs = 20, idempotent = true })),
            Count);
    }

    [Fact]
    public async Task Rolling_restart_surfaces_no_error()
    {
        const int Count = 15000;
        string topic = await CreateAsync("rdk-rolling");
        await using ClientScript consumer = await ClientScript.LibrdkafkaAsync(
            "consume_stream", new { bootstrap = cluster.Bootstrap, topic, group = "g-" + topic, count = Count, seconds = 100 });
        await using ClientScript producer = await ClientScript.LibrdkafkaAsync(
            "produce_stream", new { bootstrap = cluster.Bootstrap, topic, count = Count, rate = 1000, idempotent = true });
        await producer.WaitForLineAsync("acknowledged");
        foreach (NodeUnderTest node in cluster.Nodes)
        {
            Assert.Equal(0, await node.StopAsync(Cancellation));
            await node.StartAsync();
            await cluster.WaitReadyAsync(Cancellation);
            await producer.WaitForNextLineAsync("acknowledged");
        }

        JsonElement produced = await producer.ResultAsync(120);
        JsonElement consumed = await consumer.ResultAsync(120);
        AssertExactlyOnce(produced, Count);
        Assert.True(produced.Bool("inOrder"));
        Assert.Equal(Count, consumed.Int("distinct"));
    }

    /// <summary>
    /// 5 s without a quorum; 60 s in the long form. The leader steps down when it has seen that nobody follows it; what it was sent before
    /// and what it is sent then waits for a leader, and nobody becomes one.
    /// </summary>
    [Fact]
    public async Task Produce_without_a_quorum_is_not_acknowledged_and_works_again_with_one()
    {
        long withoutMs = LongForm.Rounds(5_000, 60_000);
        string topic = await CreateAsync("quorum");
        await using KafkaProbe probe = new(cluster);
        NodeUnderTest leader = await cluster.WaitForLeaderAsync(topic, 0, Cancellation);
        Assert.Equal(KafkaError.None, (await probe.ProduceAsync(topic, 0, 5000, leader.Id)).Error);
        await Task.WhenAll(cluster.Nodes.Where(node => node != leader).Select(node => node.KillAsync(Cancellation)));
        long from = Environment.TickCount64;
        Assert.Equal(KafkaError.RequestTimedOut, (await probe.ProduceAsync(topic, 0, timeoutMs: 100, leader.Id)).Error);
        while (Environment.TickCount64 - from < withoutMs)
        {
            Assert.Equal(KafkaError.RequestTimedOut, (await probe.ProduceAsync(topic, 0, timeoutMs: 500, leader.Id)).Error);
            await Task.Delay(100, Cancellation);
        }

        foreach (NodeUnderTest other in cluster.Nodes.Where(node => node != leader))
        {
            await other.StartAsync();
        }

        await cluster.WaitReadyAsync(Cancellation);
        await cluster.EventuallyAsync(
            "a send to go through",
            async () => (await probe.ProduceAsync(topic, 0, 5000, (await cluster.WaitForLeaderAsync(topic, 0, Cancellation)).Id)).Error
                is var now and not KafkaError.None ? now.ToString() : null,
            TimeSpan.FromSeconds(20), Cancellation);
    }

    private static void AssertExactlyOnce(JsonElement produced, int count)
    {
        AssertNothingLost(produced, count);
        Assert.Equal(count, produced.Int("found"));
    }

    private static void AssertNothingLost(JsonElement produced, int count)
    {
        Assert.Empty(produced.Texts("errors"));
        Assert.Equal(count, produced.Int("delivered"));
        Assert.Equal(count, produced.Int("distinct"));
    }

    private async Task<string> CreateAsync(string what)
    {
        string topic = ConformanceSettings.NewTopic(what);
        await using KafkaProbe probe = new(cluster);
        await probe.CreateTopicAsync(topic);
        return topic;
    }

    /// <summary>Kills the leader of the topic's first partition once the producer is under way, sees another lead, and starts it again.</summary>
    private async Task<JsonElement> ProduceWhileTheLeaderDiesAsync(string topic, Task<ClientScript> starting)
    {
        await using ClientScript producer = await starting;
        await producer.WaitForLineAsync("acknowledged");
        NodeUnderTest leader = await cluster.WaitForLeaderAsync(topic, 0, Cancellation);
        await leader.KillAsync(Cancellation);
        await cluster.WaitForLeaderAsync(topic, 0, Cancellation, not: leader.Id);
        await producer.WaitForNextLineAsync("acknowledged");
        await leader.StartAsync();
        await cluster.WaitReadyAsync(Cancellation);
        return await producer.ResultAsync();
    }
}
