using System.Text.Json;

namespace RaftMq.Cli.Tests.Admin;

/// <summary><c>raftmq cluster balance</c>, and what <c>cluster status</c> says of a balance.</summary>
public sealed class ClusterBalanceTests : IAsyncLifetime
{
    private const string Moves =
        """
        {"topic":"t","partition":0,"from":[0,1],"to":[2,1],"copies":[2]},
        {"topic":"t","partition":1,"from":[0,1],"to":[1,0],"copies":[]},
        {"topic":"u","partition":0,"from":[0,1],"to":[0,2],"copies":[2]}
        """;

    private readonly FakeNode node = new();

    public ValueTask InitializeAsync()
    {
        node.Answers["/v1/cluster"] =
            $$"""
            {"clusterId":"c","controllerLeader":0,"featureLevel":1,"topics":[],"balancing":true,"nodes":[
              {"id":0,"alive":true,"featureMin":1,"featureMax":1,"listeners":[{"name":"http","host":"127.0.0.1","port":{{node.Port}}}]}]}
            """;
        node.Answers["/v1/status"] =
            """
            {"node":0,"ready":true,"recordsPerSecond":0,"leading":1,"following":2,"damaged":[],"diskFreeBytes":99999999999,"replicas":[
              {"topic":"t","partition":0,"sizeBytes":3145728},{"topic":"t","partition":0,"sizeBytes":2097152},{"topic":"t","partition":1,"sizeBytes":7},
              {"topic":"u","partition":0,"sizeBytes":2097152},{"topic":null,"partition":0,"sizeBytes":9}]}
            """;
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => node.DisposeAsync();

    [Fact]
    public async Task The_plan_shows_what_would_move_and_what_it_copies()
    {
        Balance(underWay: false, Moves);

        (int code, string said) = await RunAsync("balance", "--plan");

        Assert.Equal(ExitCodes.Done, code);
        string[] lines = said.Split('\n');
        Assert.Equal(["t/0", "0,1", "2,1", "2", "3", "MiB"], lines[1].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(["t/1", "0,1", "1,0", "0", "MiB"], lines[2].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal("2 replicas to copy, about 5 MiB; 2 partitions get another leader", lines[4]);
    }

    [Fact]
    public async Task A_size_that_nobody_tells_is_not_made_up()
    {
        Balance(underWay: false, Moves.Replace("\"u\"", "\"w\"", StringComparison.Ordinal));

        (_, string said) = await RunAsync("balance", "--plan", "--json");

        using var document = JsonDocument.Parse(said);
        Assert.Equal(2, document.RootElement.GetProperty("replicas").GetInt32());
        Assert.Equal(JsonValueKind.Null, document.RootElement.GetProperty("bytes").ValueKind);
        Assert.Equal(3_145_728, document.RootElement.GetProperty("moves")[0].GetProperty("bytes").GetInt64());
    }

    [Fact]
    public async Task Even_placement_is_told_and_so_is_what_stands_in_the_way()
    {
        Balance(underWay: false, "", "node 2 is down: start it.");

        (int code, string said) = await RunAsync("balance", "--plan");

        Assert.Equal((ExitCodes.Done, "placement is even: nothing to do\nit would be refused now: node 2 is down: start it.\n"), (code, said));
    }

    [Fact]
    public async Task The_wish_is_sent_only_without_plan()
    {
        Balance(underWay: false, Moves);
        await RunAsync("balance", "--plan");
        Assert.DoesNotContain("POST /v1/balance", node.Asked);

        (int code, string said) = await RunAsync("balance");
        Assert.Contains("POST /v1/balance", node.Asked);
        Assert.Equal(ExitCodes.Done, code);
        Assert.StartsWith("placement is being balanced: 2 replicas to copy, about 5 MiB; 2 partitions get another leader", said, StringComparison.Ordinal);

        await RunAsync("balance", "--cancel");
        Assert.Contains("DELETE /v1/balance", node.Asked);
        (code, said) = await RunAsync("balance", "--cancel", "--plan");
        Assert.Equal(ExitCodes.Usage, code);
        Assert.Contains("one of them", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_says_what_is_left_and_what_it_waits_for_and_is_healthy_all_the_same()
    {
        Balance(underWay: true, Moves, "node 2 is down: start it.");

        (int code, string said) = await RunAsync("status");

        Assert.Equal(ExitCodes.Done, code);
        Assert.Contains(
            "a balance is under way: 2 replicas to copy, about 5 MiB; 2 partitions get another leader; it waits: node 2 is down: start it.\nhealthy",
            said, StringComparison.Ordinal);
    }

    private void Balance(bool underWay, string moves, string? obstacle = null) => node.Answers["/v1/balance"] =
        $$"""{"underWay":{{(underWay ? "true" : "false")}},"obstacles":[{{(obstacle is null ? "" : $"\"{obstacle}\"")}}],"moves":[{{moves}}]}""";

    private async Task<(int Code, string Said)> RunAsync(params string[] command)
    {
        var output = new StringWriter();
        var error = new StringWriter();
        int code = await CommandTree.RunAsync(["cluster", .. command, "--admin", $"127.0.0.1:{node.Port}"], output, error);
        return (code, output.ToString() + error);
    }
}
