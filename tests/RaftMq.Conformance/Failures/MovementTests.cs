using System.Text.Json;
using RaftMq.Testing.Processes;

namespace RaftMq.Conformance.Failures;

/// <summary>Replicas move from node to node while clients send and read.</summary>
public sealed class MovementTests : FailureCase
{
    private const int Count = 30_000;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    /// <summary>The node that gets the replicas is down at first, so that there is something to look at.</summary>
    [Fact]
    public async Task Partitions_move_under_load_and_status_shows_it_until_they_are_there()
    {
        string topic = await CreateAsync("rdk-moves");
        NodeUnderTest joins = await JoinAsync();
        await using ClientScript consumer = await ClientScript.LibrdkafkaAsync("consume_stream", Reading(topic, Count, 100));
        await using ClientScript producer = await ProducerAsync(topic);
        await producer.WaitForLineAsync("acknowledged");
        await consumer.WaitForLineAsync("taken");
        Assert.Equal(0, await joins.StopAsync(Cancellation));

        // With another leader, with the same, and with one replica less.
        await Cluster.CommandAsync(Cancellation, "partition", "move", $"{topic}/0", "--to", "4,2,3");
        await Cluster.CommandAsync(Cancellation, "partition", "move", $"{topic}/1", "--to", "1,4,3");
        await Cluster.CommandAsync(Cancellation, "partition", "move", $"{topic}/2", "--to", "3,4");
        await producer.WaitForNextLineAsync("acknowledged");
        string[] shown = [$"{topic}/0 moves to nodes 4,2,3: node 4 lacks", $"{topic}/1 moves to nodes 1,4,3: node 4 lacks", "node 4 is down"];
        await Cluster.EventuallyAsync(
            "movements that wait for node 4",
            async () => await StatusAsync() is var waiting && shown.All(part => waiting.Contains(part, StringComparison.Ordinal)) ? null : waiting,
            s_patience, Cancellation);

        await joins.StartAsync();
        await ReplicasAsync(topic, 0, "4,2,3");
        await ReplicasAsync(topic, 1, "1,4,3");
        await ReplicasAsync(topic, 2, "3,4");
        await AssertNothingLostAsync(producer, consumer);
        await Cluster.EventuallyAsync(
            "a healthy cluster without movements", async () => await StatusAsync() is var now && IsHealthy(now) ? null : now, s_patience, Cancellation);
        await Cluster.EventuallyAsync(
            "the preferred leader to lead",
            async () => await Cluster.LeaderAsync(topic, 0, Cancellation) is var leader && leader == 4 ? null : $"node {leader} leads",
            s_patience, Cancellation);
    }

    [Fact]
    public async Task An_empty_fourth_node_gets_its_part_under_load()
    {
        string topic = await CreateAsync("rdk-balance");
        await using ClientScript consumer = await ClientScript.LibrdkafkaAsync("consume_stream", Reading(topic, Count, 100));
        await using ClientScript producer = await ProducerAsync(topic);
        await producer.WaitForLineAsync("acknowledged");
        await consumer.WaitForLineAsync("taken");
        await JoinAsync();
        Assert.Equal(0, await ReplicasOnAsync(4));
        Assert.Contains("to copy", await Cluster.CommandAsync(Cancellation, "cluster", "balance", "--plan"), StringComparison.Ordinal);
        Assert.Equal(0, await ReplicasOnAsync(4));

        Assert.Contains("is being balanced", await Cluster.CommandAsync(Cancellation, "cluster", "balance"), StringComparison.Ordinal);
        await Cluster.EventuallyAsync(
            "placement to be even", async () => await Cluster.CommandAsync(Cancellation, "cluster", "balance", "--plan") is var plan
                && plan.Contains("nothing to do", StringComparison.Ordinal) && !await IsBalancingAsync() ? null : plan,
            s_patience, Cancellation);
        int[] replicas = [await ReplicasOnAsync(1), await ReplicasOnAsync(2), await ReplicasOnAsync(3), await ReplicasOnAsync(4)];
        Assert.True(replicas.Max() - replicas.Min() <= 1, string.Join(' ', replicas));

        await AssertNothingLostAsync(producer, consumer);
        await Cluster.EventuallyAsync(
            "a healthy cluster", async () => await StatusAsync() is var now && IsHealthy(now) ? null : now, s_patience, Cancellation);
        Assert.Contains("nothing to do", await Cluster.CommandAsync(Cancellation, "cluster", "balance"), StringComparison.Ordinal);
    }

    private async Task<NodeUnderTest> JoinAsync()
    {
        NodeUnderTest joins = Cluster.AddNode();
        await joins.StartAsync();
        await Cluster.CommandAsync(Cancellation, "node", "add", "4");
        await Cluster.WaitReadyAsync(Cancellation);
        return joins;
    }

    private Task<ClientScript> ProducerAsync(string topic) => ClientScript.LibrdkafkaAsync(
        "produce_stream", new { bootstrap = Cluster.Bootstrap, topic, count = Count, rate = 1000, idempotent = true });

    private static async Task AssertNothingLostAsync(ClientScript producer, ClientScript consumer)
    {
        JsonElement produced = await producer.ResultAsync(120);
        AssertExactlyOnce(produced, Count);
        Assert.True(produced.Bool("inOrder"));
        JsonElement consumed = await consumer.ResultAsync(120);
        Assert.Equal(Count, consumed.Int("distinct"));
        Assert.Empty(consumed.Texts("errors"));
    }

    /// <summary>Waits until the partition is on these nodes and does not move any more.</summary>
    private Task ReplicasAsync(string topic, int partition, string nodes) => Cluster.EventuallyAsync(
        $"{topic}/{partition} on {nodes}",
        async () =>
        {
            JsonElement one = (await Cluster.GetAsync($"/v1/topics/{topic}", Cancellation)).GetProperty("partitions")[partition];
            return !one.GetProperty("moving").GetBoolean() && string.Join(',', one.GetProperty("replicas").EnumerateArray()) == nodes ? null : one.ToString();
        },
        s_patience, Cancellation);

    private async Task<int> ReplicasOnAsync(int node) => (await Cluster.GetAsync("/v1/nodes", Cancellation)).GetProperty("nodes").EnumerateArray()
        .First(one => one.GetProperty("id").GetInt32() == node).GetProperty("replicas").GetInt32();

    private async Task<bool> IsBalancingAsync() => (await Cluster.GetAsync("/v1/cluster", Cancellation)).GetProperty("balancing").GetBoolean();

    private static bool IsHealthy(string status) =>
        status.Contains("healthy", StringComparison.Ordinal) && !status.Contains(" moves to nodes ", StringComparison.Ordinal);

    /// <summary>Also when it ends with 1.</summary>
    private async Task<string> StatusAsync()
    {
        try
        {
            return await Cluster.CommandAsync(Cancellation, "cluster", "status");
        }
        catch (InvalidOperationException unhealthy)
        {
            return unhealthy.Message;
        }
    }
}
