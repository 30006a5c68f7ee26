using System.Text.Json;
using RaftMq.Kafka.Wire;
using RaftMq.Testing;
using RaftMq.Testing.Processes;

namespace RaftMq.Conformance.Failures;

/// <summary>Clients go on when the node that leads dies, and when most do.</summary>
public sealed class FailoverTests : FailureCase
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Leader_killed_in_the_middle_costs_idempotent_librdkafka_nothing()
    {
        const int Count = 6000;
        string topic = await CreateAsync("rdk-kill");
        await using ClientScript consumer = await ClientScript.LibrdkafkaAsync(
            "consume_stream", new { bootstrap = Cluster.Bootstrap, topic, group = "g-" + topic, count = Count, seconds = 60 });
        JsonElement produced = await ProduceWhileTheLeaderDiesAsync(topic, ClientScript.LibrdkafkaAsync(
            "produce_stream", new { bootstrap = Cluster.Bootstrap, topic, count = Count, rate = 1500, idempotent = true }));
        JsonElement consumed = await consumer.ResultAsync();
        AssertExactlyOnce(produced, Count);
        Assert.True(produced.Bool("inOrder"));
        Assert.Equal(Count, produced.Int("atReportedOffset"));

        // Records may come twice to a group when its coordinator dies between delivery and commit; none may stay away.
        Assert.Equal(Count, consumed.Int("distinct"));
    }

    [Fact]
    public async Task Leader_killed_in_the_middle_costs_idempotent_kcat_nothing()
    {
        const int Count = 3000;
        string topic = await CreateAsync("kcat-kill");
        string numbers = $"import time\nfor n in range({Count}):\n  print('%d:%d' % (n, n), flush=True)\n  time.sleep(0.001)";
        await using ChildProcess consumer = await ShellAsync($"timeout 60 kcat -C -q -u -b {Cluster.Bootstrap} -t {topic} -f '%p/%o %s\\n' -c {Count}");
        await using ChildProcess producer = await ShellAsync(
            $"/usr/bin/python3 -c \"{numbers}\" | kcat -P -vv -b {Cluster.Bootstrap} -t {topic} -K : -X acks=all -X enable.idempotence=true -X linger.ms=5");
        const string Delivered = "% Message delivered to partition ";
        await producer.WaitForLineAsync(Delivered, s_patience, Cancellation);
        await KillLeaderAsync(topic, () => producer.WaitForLineAsync(Delivered, s_patience, Cancellation, from: producer.Output.Count));
        Assert.True(await producer.WaitForExitAsync(s_patience, Cancellation) == 0, producer.Tail());
        Assert.Equal(Count, producer.Output.Count(line => line.StartsWith(Delivered, StringComparison.Ordinal)));
        Assert.DoesNotContain(producer.Output, line => line.StartsWith("% Delivery failed", StringComparison.Ordinal));
        Assert.True(await consumer.WaitForExitAsync(s_patience, Cancellation) == 0, consumer.Tail());
        await using ChildProcess reader = await ShellAsync($"kcat -C -q -b {Cluster.Bootstrap} -t {topic} -e -f '%p/%o %s\\n'");
        Assert.Equal(0, await reader.WaitForExitAsync(s_patience, Cancellation));
        Assert.Equal(Count, reader.Output.Select(line => line[line.IndexOf(' ', StringComparison.Ordinal)..]).Distinct().Count());
        Assert.Equal(Count, reader.Output.Count);
        Assert.Equal(reader.Output.Order(StringComparer.Ordinal), consumer.Output.Where(line => line[0] != '%').Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Leader_killed_in_the_middle_loses_no_acknowledged_record_of_kafka_python()
    {
        const int Count = 2000;
        string topic = await CreateAsync("py-kill");
        await using ClientScript consumer = await ClientScript.KafkaPythonAsync("consume_stream", Reading(topic, Count, 60));
        JsonElement produced = await ProduceWhileTheLeaderDiesAsync(topic, ClientScript.KafkaPythonAsync(
            "produce_stream", new { bootstrap = Cluster.Bootstrap, topic, count = Count, rate = 500 }));
        AssertNothingLost(produced, Count);
        Assert.Equal(Count, produced.Int("atReportedOffset"));

        // A record that was sent again may lie there twice, and is read twice.
        JsonElement consumed = await consumer.ResultAsync();
        Assert.InRange(consumed.Int("distinct"), Count, produced.Int("found"));
    }

    [Fact]
    public async Task Leader_killed_in_the_middle_loses_no_acknowledged_record_of_kafkajs()
    {
        const int Count = 2000;
        string topic = ConformanceSettings.NewTopic("js-kill");
        AssertNothingLost(
            await ProduceWhileTheLeaderDiesAsync(topic, ClientScript.KafkaJsAsync(
                "produceStream", new { bootstrap = Cluster.Bootstrap, topic, count = Count, batch = 20, everyMs = 20 })),
            Count);
    }

    [Fact]
    public async Task Leader_killed_in_the_middle_costs_idempotent_kafkajs_nothing()
    {
        const int Count = 2000;
        string topic = ConformanceSettings.NewTopic("js-idem-kill");
        await using ClientScript consumer = await ClientScript.KafkaJsAsync("consumeStream", Reading(topic, Count, 60));
        AssertExactlyOnce(
            await ProduceWhileTheLeaderDiesAsync(topic, ClientScript.KafkaJsAsync(
                "produceStream", new { bootstrap = Cluster.Bootstrap, topic, count = Count, batch = 20, everyMs = 20, idempotent = true })),
            Count);
        Assert.Equal(Count, (await consumer.ResultAsync()).Int("distinct"));
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
        await using KafkaProbe probe = new(Cluster);
        NodeUnderTest leader = await Cluster.WaitForLeaderAsync(topic, 0, Cancellation);
        Assert.Equal(KafkaError.None, (await probe.ProduceAsync(topic, 0, 5000, leader.Id)).Error);
        await Task.WhenAll(Cluster.Nodes.Where(node => node != leader).Select(node => node.KillAsync(Cancellation)));
        long from = Environment.TickCount64;
        Assert.Equal(KafkaError.RequestTimedOut, (await probe.ProduceAsync(topic, 0, timeoutMs: 100, leader.Id)).Error);
        while (Environment.TickCount64 - from < withoutMs)
        {
            Assert.Equal(KafkaError.RequestTimedOut, (await probe.ProduceAsync(topic, 0, timeoutMs: 500, leader.Id)).Error);
            await Task.Delay(100, Cancellation);
        }

        foreach (NodeUnderTest other in Cluster.Nodes.Where(node => node != leader))
        {
            await other.StartAsync();
        }

        await Cluster.WaitReadyAsync(Cancellation);
        await Cluster.EventuallyAsync(
            "a send to go through",
            async () => (await probe.ProduceAsync(topic, 0, 5000, (await Cluster.WaitForLeaderAsync(topic, 0, Cancellation)).Id)).Error
                is var now and not KafkaError.None ? now.ToString() : null,
            TimeSpan.FromSeconds(20), Cancellation);
    }

    private static Task<ChildProcess> ShellAsync(string script) => ChildProcess.StartAsync("bash", ["-c", "set -e -o pipefail\n" + script]);

    /// <summary>Kills the leader of the topic's first partition once the producer is under way, sees another lead, and starts it again.</summary>
    private async Task<JsonElement> ProduceWhileTheLeaderDiesAsync(string topic, Task<ClientScript> starting)
    {
        await using ClientScript producer = await starting;
        await producer.WaitForLineAsync("acknowledged");
        await KillLeaderAsync(topic, () => producer.WaitForNextLineAsync("acknowledged"));
        return await producer.ResultAsync();
    }

    /// <summary>Kills the leader of the topic's first partition, sees another lead and sends go on, and starts it again.</summary>
    private async Task KillLeaderAsync(string topic, Func<Task> goesOn)
    {
        NodeUnderTest leader = await Cluster.WaitForLeaderAsync(topic, 0, Cancellation);
        await leader.KillAsync(Cancellation);
        await Cluster.WaitForLeaderAsync(topic, 0, Cancellation, not: leader.Id);
        await goesOn();
        await leader.StartAsync();
        await Cluster.WaitReadyAsync(Cancellation);
    }
}
