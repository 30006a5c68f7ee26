using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Tests.Client;

namespace RaftMq.Cli.Tests;

public sealed class CommandTreeTests
{
    [Theory]
    [InlineData("nonsense")]
    [InlineData("up", "--nodes", "0")]
    [InlineData("up", "--base-port", "80")]
    [InlineData("partition", "transfer", "t/0")]
    [InlineData("partition", "move", "t/0")]
    [InlineData("partition", "move", "t/0", "--to", "1,2", "--cancel")]
    [InlineData("partition", "move", "t/0", "--to", "1,x")]
    [InlineData("partition", "move", "t", "--to", "1")]
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

    /// <summary>Red before: the whole help came with it, unknown options of commands with an argument were taken for that, and numbers that are none ended in a stack trace.</summary>
    [Theory]
    [InlineData("", "raftmq needs a command: up, topic, partition, cluster, node, group, produce, consume, doctor, sim or bench; see raftmq --help.")]
    [InlineData("topic", "raftmq topic needs a command: create, list, describe or delete; see raftmq topic --help.")]
    [InlineData("nonsense", "raftmq has no command 'nonsense'; see raftmq --help.")]
    [InlineData("topc list", "raftmq has no command 'topc', the nearest is topic; see raftmq --help.")]
    [InlineData("topic lst --json", "raftmq topic has no command 'lst', the nearest is list; see raftmq topic --help.")]
    [InlineData("--jsn", "raftmq has no option --jsn; see raftmq --help.")]
    [InlineData("topic list --jsn", "raftmq topic list has no option --jsn, the nearest is --json; see raftmq topic list --help.")]
    [InlineData("topic list --boot h:1", "raftmq topic list has no option --boot, the nearest is --bootstrap; see raftmq topic list --help.")]
    [InlineData("consume t --bootstrp h:1", "raftmq consume has no option --bootstrp, the nearest is --bootstrap; see raftmq consume --help.")]
    [InlineData("consume --bootstrp=h:1", "raftmq consume has no option --bootstrp, the nearest is --bootstrap; see raftmq consume --help.")]
    [InlineData("topic delete --colour", "raftmq topic delete has no option --colour; see raftmq topic delete --help.")]
    [InlineData("topic create", "raftmq topic create lacks its argument <topic>; see raftmq topic create --help.")]
    [InlineData("topic create a b", "raftmq topic create has no place for 'b'; see raftmq topic create --help.")]
    [InlineData("up --nodes", "--nodes lacks its value; see raftmq up --help.")]
    [InlineData("up --nodes x", "--nodes takes a number, not 'x'; see raftmq up --help.")]
    [InlineData("up --nodes 9", "--nodes is between 1 and 7; see raftmq up --help.")]
    [InlineData("up --nodes 1 --nodes 2", "--nodes is given more than once; see raftmq up --help.")]
    [InlineData("nonsense --help", "raftmq has no command 'nonsense'; see raftmq --help.")]
    [InlineData("help topc", "raftmq has no command 'topc', the nearest is topic; see raftmq --help.")]
    [InlineData("help topic lst", "raftmq topic has no command 'lst', the nearest is list; see raftmq topic --help.")]
    [InlineData("sim --seed 1 --seconds 10", "--seconds is between 50 and 86400; see raftmq sim --help.")]
    [InlineData("sim", "raftmq sim lacks the option --seed; see raftmq sim --help.")]
    [InlineData("partition transfer t/0 --to -1", "--to is between 0 and 2147483647; see raftmq partition transfer --help.")]
    [InlineData("sim --seed x", "--seed takes a number, not 'x'; see raftmq sim --help.")]
    [InlineData("sim --seed 1 --journal big", "--journal takes small, tiny or usual, not 'big'; see raftmq sim --help.")]
    [InlineData("consume t --count 0", "--count is at least 1; see raftmq consume --help.")]
    [InlineData("consume t --count -1", "--count is at least 1; see raftmq consume --help.")]
    [InlineData("consume t --partition -1", "--partition is at least 0; see raftmq consume --help.")]
    [InlineData("produce t --partition -1", "--partition is at least 0; see raftmq produce --help.")]
    [InlineData("topic create t --partitions -3", "--partitions is at least 1; see raftmq topic create --help.")]
    [InlineData("topic create t --partitions 0", "--partitions is at least 1; see raftmq topic create --help.")]
    [InlineData("topic create t --replicas -2", "--replicas is at least 1; see raftmq topic create --help.")]
    [InlineData("topic create t --replicas 0", "--replicas is at least 1; see raftmq topic create --help.")]
    [InlineData("topic create t --replicas 40000", "--replicas does not take the number 40000; see raftmq topic create --help.")]
    [InlineData("bench produce --acks 2", "--acks takes -1, 0, 1 or all, not '2'; see raftmq bench produce --help.")]
    [InlineData("bench produce --window many", "--window takes a number, not 'many'; see raftmq bench produce --help.")]
    [InlineData("bench produce --acks 1 --idempotence on", "--idempotence on needs --acks all; see raftmq bench produce --help.")]
    [InlineData(
        "topic list --bootstrap http://h:8080",
        "'http://h:8080' is not a list of host:port: Kafka addresses have neither a scheme as http:// nor a path; see raftmq topic list --help.")]
    [InlineData("consume t --from yesterday", "'yesterday' is not beginning, end or an offset; see raftmq consume --help.")]
    public async Task A_wrong_command_line_is_told_in_one_sentence(string line, string sentence)
    {
        var output = new StringWriter();
        var error = new StringWriter();
        Assert.Equal(ExitCodes.Usage, await CommandTree.RunAsync(line.Split(' ', StringSplitOptions.RemoveEmptyEntries), output, error));
        Assert.Equal(sentence + "\n", error.ToString());
        Assert.Empty(output.ToString());
    }

    [Theory]
    [InlineData("topic", "create", "--help")]
    [InlineData("topic", "--help")]
    [InlineData("sim", "-h")]
    public async Task Help_of_a_command_needs_none_of_its_arguments(params string[] args)
    {
        var output = new StringWriter();
        Assert.Equal(ExitCodes.Done, await CommandTree.RunAsync(args, output, TextWriter.Null));
        Assert.Contains("Usage:", output.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("help", "--help")]
    [InlineData("help topic", "topic --help")]
    [InlineData("help topic create", "topic create --help")]
    public async Task Help_before_a_command_is_help_behind_it(string line, string same)
    {
        var output = new StringWriter();
        var expected = new StringWriter();
        Assert.Equal(ExitCodes.Done, await CommandTree.RunAsync(line.Split(' '), output, TextWriter.Null));
        Assert.Equal(ExitCodes.Done, await CommandTree.RunAsync(same.Split(' '), expected, TextWriter.Null));
        Assert.Contains("Usage:", output.ToString(), StringComparison.Ordinal);
        Assert.Equal(expected.ToString(), output.ToString());
    }

    [Fact]
    public async Task The_version_is_told()
    {
        var output = new StringWriter();
        Assert.Equal(ExitCodes.Done, await CommandTree.RunAsync(["--version"], output, TextWriter.Null));
        Assert.Matches(@"^[0-9]+\.[0-9]+\.[0-9]+(\+[0-9a-f]+)?\n$", output.ToString());
    }

    [Fact]
    public async Task A_trace_that_can_not_be_written_is_a_sentence()
    {
        var error = new StringWriter();
        Assert.Equal(
            ExitCodes.Failed, await CommandTree.RunAsync(["sim", "--seed", "1", "--trace", "/proc/none/trace"], TextWriter.Null, error));
        Assert.StartsWith("The file /proc/none/trace can't be written: ", error.ToString(), StringComparison.Ordinal);
    }

    /// <summary>What its help says of the faults is what the summary counts.</summary>
    [Fact]
    public async Task Help_of_the_simulator_explains_faults_and_sizes()
    {
        var output = new StringWriter();
        await CommandTree.RunAsync(["sim", "--help"], output, TextWriter.Null);
        string said = string.Join(' ', output.ToString().Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries));
        foreach (string word in new[] { "crashes", "power cuts", "networks", "full", "clocks", "retried duplicates", "sends held", "128 KiB", "64 KiB", "31 s" })
        {
            Assert.Contains(word, said, StringComparison.Ordinal);
        }
    }

    /// <summary>Red before: <c>&lt;Small|Tiny|Usual&gt;</c>.</summary>
    [Fact]
    public async Task Sizes_of_the_simulator_are_small_letters_and_taken_in_any()
    {
        var output = new StringWriter();
        await CommandTree.RunAsync(["sim", "--help"], output, TextWriter.Null);
        Assert.Contains("--journal <usual|small|tiny>", output.ToString(), StringComparison.Ordinal);
        foreach (string typed in new[] { "tiny", "Tiny", "TINY" })
        {
            Assert.Empty(CommandTree.Build(StandardStreams.OfProcess).Parse(["sim", "--seed", "1", "--journal", typed]).Errors);
        }
    }

    /// <summary>A topic may be called like an option; behind -- it can be said.</summary>
    [Fact]
    public async Task Behind_two_dashes_nothing_is_an_option()
    {
        var error = new StringWriter();
        Assert.Equal(
            ExitCodes.Unreachable, await CommandTree.RunAsync(["topic", "delete", "--bootstrap", "127.0.0.1:1", "--", "--jsn"], TextWriter.Null, error));
    }

    [Theory]
    [InlineData("topic", "list", "--bootstrap", "127.0.0.1:1")]
    [InlineData("group", "describe", "g", "--bootstrap", "127.0.0.1:1")]
    [InlineData("bench", "produce", "--bootstrap", "127.0.0.1:1")]
    [InlineData("cluster", "status", "--admin", "127.0.0.1:1")]
    [InlineData("partition", "transfer", "t/0", "--to", "1", "--admin", "127.0.0.1:1")]
    [InlineData("partition", "move", "t/0", "--to", "1", "--admin", "127.0.0.1:1")]
    public async Task A_cluster_that_does_not_answer_ends_with_3(params string[] args)
    {
        var error = new StringWriter();
        Assert.Equal(ExitCodes.Unreachable, await CommandTree.RunAsync(args, TextWriter.Null, error));
        Assert.NotEmpty(error.ToString());
    }

    [Theory]
    [InlineData("topic list --bootstrap 0.0.0.0:1", "0.0.0.0:1: ")]
    [InlineData("topic list --bootstrap [::]:1", "[::]:1: ")]
    [InlineData("topic list --bootstrap 0:1", "0:1: ")]
    [InlineData("cluster status --admin 0.0.0.0:1", "No node answers at 0.0.0.0:1 (HTTP, see --admin): ")]
    public async Task An_address_to_listen_at_is_a_sentence(string line, string begin) => await IsUnreachableAsync(line, begin);

    /// <summary>Red before: a stack trace.</summary>
    [Fact]
    public async Task A_name_that_is_too_long_is_a_sentence()
    {
        string host = new('h', 300);
        await IsUnreachableAsync($"topic list --bootstrap {host}:1", $"{host}:1: ");
    }

    /// <summary>Red before: a request in HTTP was sent to it, of which a node warns.</summary>
    [Fact]
    public async Task A_broker_that_answered_is_not_asked_whether_it_speaks_http()
    {
        await using var broker = new ScriptedBroker((header, _) => header.Key == ApiKey.ApiVersions ? ScriptedBroker.ServesAll(header) : null);
        var error = new StringWriter();

        int code = await CommandTree.RunAsync(["topic", "list", "--bootstrap", broker.Endpoint.ToString()], TextWriter.Null, error);

        Assert.Equal((ExitCodes.Unreachable, $"{broker.Endpoint}: the broker closed the connection\n"), (code, error.ToString()));
        Assert.Equal(1, broker.Connections);
    }

    [Theory]
    [InlineData("topic", "list")]
    [InlineData("group", "list")]
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

    private static async Task IsUnreachableAsync(string line, string begin)
    {
        var error = new StringWriter();
        Assert.Equal(ExitCodes.Unreachable, await CommandTree.RunAsync(line.Split(' '), TextWriter.Null, error));
        Assert.StartsWith(begin, error.ToString(), StringComparison.Ordinal);
        Assert.Single(error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }
}
