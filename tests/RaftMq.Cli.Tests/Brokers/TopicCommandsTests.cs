using System.Globalization;
using System.Text;
using RaftMq.Cli.LocalCluster;
using RaftMq.Testing.Processes;

namespace RaftMq.Cli.Tests.Brokers;

/// <summary>Commands against a real node.</summary>
public sealed class TopicCommandsTests : IAsyncLifetime
{
    private TestCluster cluster = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() =>
        cluster = await TestCluster.StartAsync(new TestClusterOptions { Nodes = 1 }, Cancellation);

    public async ValueTask DisposeAsync() => await cluster.DisposeAsync();

    [Fact]
    public async Task Lines_without_a_key_are_refused_with_their_number_and_taken_when_that_is_wanted()
    {
        Assert.Equal(
            (ExitCodes.Done, "created t\n"), await RunAsync("topic", "create", "t", "--partitions", "1", "--config", "retention.ms=1000000", "--config", "max.message.bytes=1024"));

        (int code, string said) = await ProduceAsync("k1:v1\nk2:v2\nno key\nk4:v4\n", "--key-separator", ":");
        Assert.Equal(ExitCodes.Failed, code);
        Assert.StartsWith("Line 3 has no key: ':' is not in it. The 2 lines before it are acknowledged", said, StringComparison.Ordinal);
        Assert.Equal((ExitCodes.Done, "k1|v1\nk2|v2\n"), await RunAsync("consume", "t", "--exit", "--key-separator", "|"));

        Assert.Equal((ExitCodes.Done, "1 record acknowledged\n"), await ProduceAsync("no key\n", "--key-separator", ":", "--keys-optional"));
        Assert.Equal((ExitCodes.Done, "v1\nv2\nno key\n"), await RunAsync("consume", "t", "--exit"));

        (code, said) = await ProduceAsync($"short\n{new string('x', 1000)}\n");
        Assert.Equal(ExitCodes.Failed, code);
        Assert.Equal(
            "Line 2 is too long: its batch of 1070 bytes is larger than t takes, which is 1024 (max.message.bytes). "
            + "The line before it is acknowledged; it and what follows were not sent.\n", said);

        Assert.Contains("settings: max.message.bytes=1024, retention.ms=1000000\n", (await RunAsync("topic", "describe", "t")).Said, StringComparison.Ordinal);
        Assert.Contains("\"name\": \"min.insync.replicas\"", (await RunAsync("topic", "describe", "t", "--json")).Said, StringComparison.Ordinal);
    }

    /// <summary>Red before: <c>produce</c> ended with 4 and gave no reason.</summary>
    [Theory]
    [InlineData("bad name!")]
    [InlineData("x/y")]
    [InlineData("..")]
    public async Task A_name_that_no_topic_can_have_is_told_alike_by_all_who_would_make_it(string name)
    {
        string sentence = $"'{name}' is no topic name: that has 1 to 249 letters of a to z, digits, '.', '_' or '-', and is not '.' or '..' "
            + "(INVALID_TOPIC_EXCEPTION).\n";
        Assert.Equal((ExitCodes.Failed, $"{name} was not created: {sentence}"), await RunAsync("topic", "create", name));
        Assert.Equal((ExitCodes.Failed, $"{name} can't be written: {sentence}"), await RunAsync(Stream.Null, ["produce", name]));
    }

    /// <summary>By the processes and pipes that a user has. Red before: what is not UTF-8 became replacement characters, and \r was gone.</summary>
    [Fact]
    public async Task Every_byte_that_is_no_line_end_comes_back_and_goes_through_the_copy_of_a_topic()
    {
        byte[] value = [.. Enumerable.Range(0, 256).Select(number => (byte)number).Where(number => number != '\n')];
        byte[] key = [.. value.Where(number => number != '\t')];
        byte[] input = [.. key, (byte)'\t', .. value, .. "\r\nk\tlone \r and crlf\r\n"u8];
        await File.WriteAllBytesAsync(Path.Combine(cluster.Folder, "in"), input, Cancellation);

        await ShellAsync(
            "raftmq produce t --key-separator '\\t' < in",
            "raftmq consume t --exit --key-separator '\\t' > out",
            "raftmq consume t --exit --key-separator '\\t' | raftmq produce t-2 --key-separator '\\t'",
            "raftmq consume t-2 --exit --key-separator '\\t' > copy",
            "printf 'without\\rend' | raftmq produce plain",
            "raftmq consume plain --exit > plain");

        Assert.Equal(input, await WrittenAsync("out"));
        Assert.Equal(input, await WrittenAsync("copy"));
        Assert.Equal("without\rend\n"u8.ToArray(), await WrittenAsync("plain"));
    }

    private Task<(int Code, string Said)> ProduceAsync(string lines, params string[] options) =>
        RunAsync(new MemoryStream(Encoding.UTF8.GetBytes(lines)), ["produce", "t", .. options]);

    private Task<(int Code, string Said)> RunAsync(params string[] arguments) => RunAsync(Stream.Null, arguments);

    /// <returns>The exit code, and the text or the records that it wrote.</returns>
    private async Task<(int Code, string Said)> RunAsync(Stream input, string[] arguments)
    {
        var said = new StringWriter(CultureInfo.InvariantCulture);
        using var records = new MemoryStream();
        int code = await CommandTree.RunAsync(
            [.. arguments, "--bootstrap", cluster.Bootstrap], said, said, new StandardStreams(() => input, () => records));
        return (code, said + Encoding.UTF8.GetString(records.ToArray()));
    }

    /// <summary>Topics are made with one partition, so that records come back in their order.</summary>
    private async Task ShellAsync(params string[] commands)
    {
        string[] topics = ["t", "t-2", "plain"];
        foreach (string topic in topics)
        {
            Assert.Equal(ExitCodes.Done, (await RunAsync("topic", "create", topic, "--partitions", "1")).Code);
        }

        string raftmq = $"raftmq() {{ '{Repository.CommandProgram}' \"$@\" --bootstrap {cluster.Bootstrap}; }}";
        string script = string.Join('\n', ["set -e -o pipefail", $"cd '{cluster.Folder}'", raftmq, .. commands]);
        var environment = new Dictionary<string, string> { ["DOTNET_ROOT"] = ServerProgram.DotnetRoot() };
        await using ChildProcess shell = await ChildProcess.StartAsync("bash", ["-c", script], environment);
        Assert.True(await shell.WaitForExitAsync(TimeSpan.FromSeconds(60), Cancellation) == 0, shell.Tail());
    }

    private Task<byte[]> WrittenAsync(string file) => File.ReadAllBytesAsync(Path.Combine(cluster.Folder, file), Cancellation);
}
