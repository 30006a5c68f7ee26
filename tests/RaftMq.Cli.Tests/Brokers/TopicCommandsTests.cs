using System.Globalization;
using RaftMq.Testing.Processes;

namespace RaftMq.Cli.Tests.Brokers;

/// <summary>Commands against a real node.</summary>
public sealed class TopicCommandsTests : IAsyncLifetime
{
    private TestCluster cluster = null!;

    public async ValueTask InitializeAsync() =>
        cluster = await TestCluster.StartAsync(new TestClusterOptions { Nodes = 1 }, TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync() => await cluster.DisposeAsync();

    [Fact]
    public async Task Lines_without_a_key_are_refused_with_their_number_and_taken_when_that_is_wanted()
    {
        Assert.Equal(
            (ExitCodes.Done, "created t\n"), await RunAsync("topic", "create", "t", "--partitions", "1", "--config", "retention.ms=1000000"));

        (int code, string said) = await ProduceAsync("k1:v1\nk2:v2\nno key\nk4:v4\n", "--key-separator", ":");
        Assert.Equal(ExitCodes.Failed, code);
        Assert.StartsWith("Line 3 has no key: ':' is not in it. The 2 lines before it are acknowledged", said, StringComparison.Ordinal);
        Assert.Equal((ExitCodes.Done, "k1|v1\nk2|v2\n"), await RunAsync("consume", "t", "--exit", "--key-separator", "|"));

        Assert.Equal((ExitCodes.Done, "1 records acknowledged\n"), await ProduceAsync("no key\n", "--key-separator", ":", "--keys-optional"));
        Assert.Equal((ExitCodes.Done, "v1\nv2\nno key\n"), await RunAsync("consume", "t", "--exit"));

        Assert.Contains("settings: retention.ms=1000000\n", (await RunAsync("topic", "describe", "t")).Said, StringComparison.Ordinal);
        Assert.Contains("\"name\": \"min.insync.replicas\"", (await RunAsync("topic", "describe", "t", "--json")).Said, StringComparison.Ordinal);
    }

    private Task<(int Code, string Said)> ProduceAsync(string lines, params string[] options)
    {
        Console.SetIn(new StringReader(lines));
        return RunAsync(["produce", "t", .. options]);
    }

    private async Task<(int Code, string Said)> RunAsync(params string[] arguments)
    {
        var said = new StringWriter(CultureInfo.InvariantCulture);
        int code = await CommandTree.RunAsync([.. arguments, "--bootstrap", cluster.Bootstrap], said, said);
        return (code, said.ToString());
    }
}
