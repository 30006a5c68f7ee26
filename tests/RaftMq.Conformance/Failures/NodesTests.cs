using System.Text.Json;
using RaftMq.Testing.Processes;

namespace RaftMq.Conformance.Failures;

/// <summary>Nodes come and go while clients send and read.</summary>
public sealed class NodesTests : FailureCase
{
    private const int CannotStart = 69;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_fourth_node_joins_and_the_first_one_is_drained_and_removed_under_load()
    {
        const int Count = 36_000;
        string topic = await CreateAsync("rdk-nodes");
        await using ClientScript consumer = await ClientScript.LibrdkafkaAsync("consume_stream", Reading(topic, Count, 100));
        await using ClientScript producer = await ClientScript.LibrdkafkaAsync(
            "produce_stream", new { bootstrap = Cluster.Bootstrap, topic, count = Count, rate = 1000, idempotent = true });
        await producer.WaitForLineAsync("acknowledged");

        NodeUnderTest joins = Cluster.AddNode();
        await joins.StartAsync();
        await WaitsToJoinAsync(joins);
        await Cluster.CommandAsync(Cancellation, "node", "add", "4");
        await Cluster.WaitReadyAsync(Cancellation);

        await Cluster.CommandAsync(Cancellation, "node", "drain", "1");
        await Cluster.EventuallyAsync("node 1 to be drained", async () => await StateAsync(1) is "drained" ? null : await StateAsync(1), s_patience, Cancellation);
        await producer.WaitForNextLineAsync("acknowledged");
        await Cluster.CommandAsync(Cancellation, "node", "remove", "1");
        NodeUnderTest gone = Cluster.Node(1);
        Assert.Equal(CannotStart, await gone.EndsAsync(s_patience, Cancellation));
        Assert.Contains(gone.Process!.Output, line => line.StartsWith("Node 1 was removed from the cluster", StringComparison.Ordinal));

        JsonElement produced = await producer.ResultAsync(120);
        AssertExactlyOnce(produced, Count);
        Assert.True(produced.Bool("inOrder"));
        JsonElement consumed = await consumer.ResultAsync(120);
        Assert.Equal(Count, consumed.Int("distinct"));
        Assert.Empty(consumed.Texts("errors"));

        await gone.StartAsync();
        Assert.Equal(CannotStart, await gone.EndsAsync(s_patience, Cancellation));
        Assert.Contains("removed, with folder", await Cluster.CommandAsync(Cancellation, "node", "list"), StringComparison.Ordinal);
        Assert.Contains("healthy", await Cluster.CommandAsync(Cancellation, "cluster", "status"), StringComparison.Ordinal);
    }

    private Task WaitsToJoinAsync(NodeUnderTest node) => Cluster.EventuallyAsync(
        "node 4 to wait", async () => await node.HealthAsync(Cancellation) is var health && health.Contains("raftmq node add 4", StringComparison.Ordinal) ? null : health,
        s_patience, Cancellation);

    private async Task<string?> StateAsync(int node)
    {
        JsonElement nodes = JsonSerializer.Deserialize<JsonElement>(await Cluster.GetTextAsync(Cluster.Node(2), "/v1/nodes", Cancellation));
        return nodes.GetProperty("nodes").EnumerateArray().First(one => one.GetProperty("id").GetInt32() == node).GetProperty("state").GetString();
    }
}
