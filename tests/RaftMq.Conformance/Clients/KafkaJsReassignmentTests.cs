using System.Text.Json;
using RaftMq.Conformance.Failures;
using RaftMq.Testing.Processes;

namespace RaftMq.Conformance.Clients;

/// <summary>kafkajs moves replicas. A cluster of its own: a node of it is down at first, so that the movement can be seen.</summary>
public sealed class KafkaJsReassignmentTests : FailureCase
{
    [Fact]
    public async Task Moves_replicas_and_lists_what_moves()
    {
        string topic = ConformanceSettings.NewTopic("js-reassign");
        NodeUnderTest comes = Cluster.Node(3);
        Assert.Equal(0, await comes.StopAsync(Cancellation));
        await using ClientScript client = await ClientScript.KafkaJsAsync(
            "reassign", new { bootstrap = Cluster.Bootstrap, topic, from = new[] { 1, 2 }, to = new[] { 2, 3 }, unknown = 77 });
        await client.WaitForLineAsync("moves");
        await comes.StartAsync();

        JsonElement result = await client.ResultAsync();
        Assert.Equal("""[{"partition":0,"replicas":[2,3,1],"addingReplicas":[3],"removingReplicas":[1]}]""", result.GetProperty("moving").GetRawText());
        Assert.Equal(0, result.Int("others"));
        Assert.Equal("INVALID_REPLICA_ASSIGNMENT", result.Text("refused"));
        Assert.Equal("[2,3]", result.GetProperty("after").GetRawText());
        Assert.Equal("""["before","while","after"]""", result.GetProperty("found").GetRawText());
    }
}
