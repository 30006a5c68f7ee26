namespace RaftMq.Cli.Tests;

public sealed class CommandTreeTests
{
    [Theory]
    [InlineData("nonsense")]
    [InlineData("up", "--nodes", "0")]
    [InlineData("up", "--base-port", "80")]
    [InlineData("partition", "transfer", "t/0")]
    [InlineData("sim")]
    [InlineData("sim", "--seed", "1", "--nodes", "9")]
    [InlineData("bench", "produce", "--record-bytes", "31")]
    [InlineData("bench", "produce", "--acks", "2")]
    [InlineData("bench", "produce", "--acks", "1", "--idempotence", "on")]
    [InlineData("bench", "produce", "--requests-in-flight", "6")]
    [InlineData("consume", "t", "--from", "yesterday", "--bootstrap", "127.0.0.1:1")]
    [InlineData("topic", "list", "--bootstrap", "host:99999")]
    [InlineData("topic", "create", "t", "--config", "novalue", "--bootstrap", "127.0.0.1:1")]
    public async Task A_wrong_command_line_ends_with_2(params string[] args)
    {
        var error = new StringWriter();
        Assert.Equal(ExitCodes.Usage, await CommandTree.RunAsync(args, TextWriter.Null, error));
        Assert.NotEmpty(error.ToString());
    }

    [Theory]
    [InlineData("topic", "list", "--bootstrap", "127.0.0.1:1")]
    [InlineData("group", "describe", "g", "--bootstrap", "127.0.0.1:1")]
    [InlineData("bench", "produce", "--bootstrap", "127.0.0.1:1")]
    [InlineData("cluster", "status", "--admin", "127.0.0.1:1")]
    [InlineData("partition", "transfer", "t/0", "--to", "1", "--admin", "127.0.0.1:1")]
    public async Task A_cluster_that_does_not_answer_ends_with_3(params string[] args)
    {
        var error = new StringWriter();
        Assert.Equal(ExitCodes.Unreachable, await CommandTree.RunAsync(args, TextWriter.Null, error));
        Assert.NotEmpty(error.ToString());
    }

    [Theory]
    [InlineData("topic", "list")]
    [InlineData("group", "list")]
    [InlineData("consume", "t")]
    public async Task All_addresses_that_were_tried_are_named(params string[] args)
    {
        var error = new StringWriter();
        Assert.Equal(ExitCodes.Unreachable, await CommandTree.RunAsync([.. args, "--bootstrap", "127.0.0.1:1,127.0.0.1:2"], TextWriter.Null, error));
        Assert.StartsWith("no broker answers at 127.0.0.1:1, 127.0.0.1:2: ", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_is_not_a_fault()
    {
        var output = new StringWriter();
        Assert.Equal(ExitCodes.Done, await CommandTree.RunAsync(["--help"], output, TextWriter.Null));
        foreach (string command in new[] { "up", "topic", "partition", "cluster", "group", "produce", "consume", "sim", "bench" })
        {
            Assert.Contains(command, output.ToString(), StringComparison.Ordinal);
        }
    }
}
