using Microsoft.Extensions.Logging;
using RaftMq.Server.Configuration;

namespace RaftMq.Server.Tests.Configuration;

public sealed class ConfigurationReaderTests
{
    private static readonly Dictionary<string, string> NoEnvironment = [];

    [Fact]
    public void Nothing_given_is_a_single_node_on_the_loopback()
    {
        ConfigurationResult.Accepted accepted = Accepted();

        Assert.Equal(0, accepted.Options.NodeId);
        Assert.Equal("raftmq-data/node-0", accepted.Options.DataFolder);
        Assert.Equal("kafka://localhost:9092", accepted.Options.Listeners.Single().ToString());
        Assert.Equal("127.0.0.1:7070", accepted.Options.PeersListen.ToString());
        Assert.Equal("localhost:8080", accepted.Options.HttpListen.ToString());
        Assert.Empty(accepted.Warnings);
    }

    [Fact]
    public void Command_line_wins_over_environment_and_environment_over_file()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("raftmq.json"), """
            {
              // Comments are allowed, objects and dots mean the same.
              "node": { "id": 1 },
              "num.partitions": 7,
              "rack": "from-file",
              "listeners": ["kafka://127.0.0.1:1000", "outside@kafka://127.0.0.1:1001"],
              "auto.create.topics.enable": false,
            }
            """);
        var environment = new Dictionary<string, string>
        {
            ["RAFTMQ_NODE_ID"] = "2",
            ["RAFTMQ_NUM_PARTITIONS"] = "8",
            ["OTHER"] = "x",
        };

        var accepted = (ConfigurationResult.Accepted)ConfigurationReader.Read(
            ["--config", folder.File("raftmq.json"), "--node.id=3", "--limits.record.batch.bytes", "2MiB", "--log.level", "debug"], environment);

        Assert.Equal(3, accepted.Options.NodeId);
        Assert.Equal(8, accepted.Options.DefaultPartitions);
        Assert.Equal("from-file", accepted.Options.Rack);
        Assert.Equal("raftmq-data/node-3", accepted.Options.DataFolder);
        Assert.Equal(["kafka", "outside"], accepted.Options.Listeners.Select(listener => listener.Name));
        Assert.False(accepted.Options.AutoCreateTopics);
        Assert.Equal(2 << 20, accepted.Options.Limits.RecordBatchBytes);
        Assert.Equal(LogLevel.Debug, accepted.Options.LogLevel);
    }

    [Fact]
    public void All_faults_are_reported_at_once_in_sentences()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("raftmq.json"), """{ "num.partitions": 0, "nodeid": 1, "default.replication.factor": 1.5 }""");

        IReadOnlyList<string> faults = Refused(
            "--config", folder.File("raftmq.json"), "--replica.lag.max", "10", "--peers.listen", "localhost", "stray", "--rack",
            "--listeners", "http://x:1");

        Assert.Equal(
            [
                "'stray' is not a setting: write --key value.",
                "--rack has no value.",
                $"default.replication.factor ({folder.File("raftmq.json")}): '1.5' is not a whole number.",
                "listeners (command line): 'http://x:1' has the scheme 'http'; there are kafka and kafkas (TLS).",
                $"There is no setting nodeid ({folder.File("raftmq.json")}). Did you mean node.id?",
                $"num.partitions ({folder.File("raftmq.json")}): '0' is out of range (1 to 10000).",
                "peers.listen (command line): 'localhost' is not host:port.",
                "replica.lag.max (command line): '10' is not a time (a number followed by us, ms, s, m, h or d).",
            ],
            faults);
    }

    [Theory]
    [InlineData("[]", "is not a JSON object")]
    [InlineData("""{"node.id":1,"node":{"id":2}}""", "gives node.id twice: '1' and '2'.")]
    [InlineData("""{"node.id":1,"rack":"a","rack":"a"}""", "gives rack twice: 'a' and 'a'.")]
    [InlineData("""{"node.id":"one"}""", "'one' is not a whole number")]
    [InlineData("""{"node.id":1000000}""", "out of range")]
    [InlineData("""{"node.id":99999999999}""", "too large")]
    public void Bad_file_is_refused(string text, string fault)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("raftmq.json"), text);

        Assert.Contains(fault, Assert.Single(Refused("--config", folder.File("raftmq.json"))));
    }

    /// <summary>Red before: "Expected depth to be zero …, LineNumber: 1 | BytePositionInLine: 0".</summary>
    [Theory]
    [InlineData("", 1, 1, "it ends before everything in it is closed")]
    [InlineData("{", 1, 2, "it ends before everything in it is closed")]
    [InlineData("{\n  \"rack\": \"a\",\n", 3, 1, "it ends before everything in it is closed")]
    [InlineData("{\n  \"rack\": \"a\"\n  \"node.id\": 1\n}", 3, 3, "'\"' can't stand there; a comma is missing before it")]
    [InlineData("{\n  \"räck\": }", 2, 11, "'}' can't stand there")]
    [InlineData("{\n  rack: 1}", 2, 3, "'r' can't stand there; names and texts stand in double quotes")]
    [InlineData("{\n  'rack': 1}", 2, 3, "''' can't stand there; names and texts stand in double quotes")]
    [InlineData("{\n  \"rack\": \"a\n}", 2, 13, "a text is not closed before its line ends")]
    [InlineData("{ \"node.id\": 1 }\n}", 2, 1, "'}' can't stand there")]
    [InlineData("{ \"node.id\": 01 }", 1, 15, "'1' can't stand there")]
    public void File_that_is_no_json_is_told_by_line_and_column(string text, int line, int column, string what)
    {
        using var folder = new TemporaryFolder();
        string file = folder.File("raftmq.json");
        File.WriteAllText(file, text);

        Assert.Equal($"{file} is not JSON: line {line}, column {column}: {what}.", Assert.Single(Refused("--config", file)));
    }

    [Fact]
    public void File_may_begin_with_a_byte_order_mark()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("raftmq.json"), """{ "node.id": 7 }""", new System.Text.UTF8Encoding(encoderShouldEmitUTF8Identifier: true));

        Assert.Equal(7, Accepted("--config", folder.File("raftmq.json")).Options.NodeId);
    }

    [Theory]
    [InlineData("/there/is/no.json can't be read: ", "--config", "/there/is/no.json")]
    [InlineData("--node.id is given twice: '1' and '2'.", "--node.id", "1", "--node.id=2")]
    [InlineData("--config is given twice: '/one.json' and '/two.json'.", "--config", "/one.json", "--config", "/two.json")]
    [InlineData("There is no setting node.idd (command line). Did you mean node.id?", "--node.idd", "1")]
    [InlineData("There is no setting journal.bytes (command line). Did you mean journal.file.bytes?", "--journal.bytes", "1")]
    [InlineData("There is no setting peers (command line).", "--peers", "1")]
    [InlineData("two are named kafka", "--listeners", "kafka://localhost:1,kafka://localhost:2")]
    [InlineData("the name peers is taken", "--listeners", "peers@kafka://localhost:1")]
    [InlineData("the name http is taken", "--listeners", "http@kafka://localhost:1")]
    [InlineData("nobody can connect to 0.0.0.0:1", "--http.advertised", "0.0.0.0:1")]
    [InlineData("peers.advertised: the other nodes can't connect to 0.0.0.0:1.", "--peers.advertised", "0.0.0.0:1")]
    [InlineData("listeners is empty", "--listeners", " ")]
    [InlineData("say under which clients reach it", "--listeners", "kafka://0.0.0.0:9092")]
    [InlineData("no listener named outside", "--advertised.listeners", "outside@example.org:9092")]
    [InlineData("clients can't connect to 0.0.0.0:9092", "--advertised.listeners", "kafka@0.0.0.0:9092")]
    [InlineData("tls.kafka.certificate is not given", "--listeners", "kafkas://localhost:9092")]
    [InlineData("belong together", "--tls.kafka.key", "/dev/null")]
    [InlineData("tls.peers.certificate, tls.peers.key and tls.peers.authority belong together", "--tls.peers.key", "/dev/null")]
    [InlineData("names node 1 twice", "--cluster.initial.nodes", "1@a:1,1@b:1")]
    [InlineData("does not name this node, 0", "--cluster.initial.nodes", "1@a:1,2@b:1")]
    [InlineData("takes cluster.seeds instead", "--cluster.initial.nodes", "1@a:1,2@b:1")]
    [InlineData("no node can be dialled at 0.0.0.0:1", "--cluster.seeds", "0.0.0.0:1")]
    [InlineData("no node can be dialled at a:0", "--cluster.seeds", "a:0")]
    [InlineData("'a' is not host:port", "--cluster.seeds", "a")]
    [InlineData("names only this node", "--cluster.seeds", "127.0.0.1:7070")]
    [InlineData("Give one of the two", "--cluster.seeds", "a:1", "--cluster.initial.nodes", "0@a:1,1@b:1")]
    [InlineData("is not id@host:port", "--cluster.initial.nodes", "a:1")]
    [InlineData("IPv6 address without brackets", "--http.listen", "::1:8080")]
    [InlineData("port between 0 and 65535", "--http.listen", "localhost:70000")]
    [InlineData("could never be sent", "--limits.record.batch.bytes", "50MiB", "--limits.request.frame.bytes", "1MiB")]
    [InlineData("is above limits.uncommitted.bytes.per.node", "--limits.uncommitted.bytes.per.group", "1GiB")]
    [InlineData("at least 4 files", "--journal.total.bytes", "100MiB")]
    [InlineData("multiple of 4096", "--journal.file.bytes", "2000001")]
    [InlineData("peers.advertised HOST:PORT", "--peers.listen", "0.0.0.0:7070")]
    [InlineData("http.listen (localhost:9092) and listener kafka (localhost:9092) can't share a port", "--http.listen", "localhost:9092")]
    [InlineData("http.listen (127.0.0.1:9092) and listener kafka (localhost:9092) can't share a port", "--http.listen", "127.0.0.1:9092")]
    [InlineData("http.listen (*:7070) and peers.listen (127.0.0.1:7070) can't share a port", "--http.listen", "*:7070")]
    [InlineData("peers.listen ([::1]:9092) and listener kafka (localhost:9092) can't share a port", "--peers.listen", "[::1]:9092")]
    [InlineData("listener b (10.0.0.1:9) and listener a (10.0.0.1:9) can't share a port", "--listeners", "a@kafka://10.0.0.1:9,b@kafka://10.0.0.1:9")]
    public void What_can_not_work_is_refused(string fault, params string[] arguments) =>
        Assert.Contains(Refused(arguments), text => text.Contains(fault, StringComparison.OrdinalIgnoreCase));

    [Theory]
    [InlineData("There is no setting for the environment variable RAFTMQ_NODE_IDD. Did you mean RAFTMQ_NODE_ID?", "RAFTMQ_NODE_IDD")]
    [InlineData("There is no setting for the environment variable RAFTMQ_NODEID. Did you mean RAFTMQ_NODE_ID?", "RAFTMQ_NODEID")]
    [InlineData("There is no setting for the environment variable RAFTMQ_LOGFORMAT. Did you mean RAFTMQ_LOG_FORMAT?", "RAFTMQ_LOGFORMAT")]
    [InlineData("There is no setting for the environment variable RAFTMQ_SOMETHING.", "RAFTMQ_SOMETHING")]
    [InlineData("The environment variables RAFTMQ_NODE_ID and RAFTMQ_node_id both give node.id: '1' and '2'.", "RAFTMQ_node_id", "RAFTMQ_NODE_ID")]
    public void Variable_that_can_not_be_used_is_named_in_its_own_form(string fault, params string[] variables)
    {
        Dictionary<string, string> environment = variables.ToDictionary(name => name, name => name.Any(char.IsAsciiLetterLower) ? "2" : "1");

        Assert.Equal(fault, Assert.Single(Assert.IsType<ConfigurationResult.Refused>(ConfigurationReader.Read([], environment)).Faults));
    }

    [Fact]
    public void Setting_that_is_given_twice_is_told_with_every_other_fault() => Assert.Equal(
        ["--rack is given twice: 'a' and 'b'.", "There is no setting no.such (command line)."],
        Refused("--rack", "a", "--no.such", "1", "--rack", "b"));

    [Fact]
    public void Same_port_of_another_address_and_free_ports_are_no_fault() =>
        Accepted("--listeners", "a@kafka://10.0.0.1:9092,b@kafka://10.0.0.2:9092,c@kafka://127.0.0.1:0", "--http.listen", "127.0.0.1:0");

    [Fact]
    public void Shared_port_is_told_together_with_every_other_fault()
    {
        IReadOnlyList<string> faults = Refused("--http.listen", "localhost:9092", "--no.such", "1", "--tls.kafka.key", "/dev/null");

        Assert.Equal(3, faults.Count);
    }

    [Fact]
    public void Plaintext_on_other_addresses_is_a_warning()
    {
        ConfigurationResult.Accepted accepted = Accepted(
            "--listeners", "kafka://10.0.0.1:9092", "--peers.listen", "10.0.0.1:7070", "--http.listen", "10.0.0.1:8080");

        Assert.Equal(3, accepted.Warnings.Count);
        Assert.Contains("Listener kafka serves 10.0.0.1:9092 without encryption", accepted.Warnings[0]);
    }

    [Theory]
    [InlineData("[::1]:9092", "::1", 9092)]
    [InlineData("localhost:0", "localhost", 0)]
    [InlineData("10.1.2.3:65535", "10.1.2.3", 65535)]
    public void Host_and_port_are_read_and_written(string text, string host, int port)
    {
        HostPort parsed = HostPort.Parse(text);

        Assert.Equal(new HostPort(host, port), parsed);
        Assert.Equal(text, parsed.ToString());
    }

    [Fact]
    public void Every_default_reads_back_as_itself()
    {
        foreach (SettingTable.Entry entry in SettingTable.All.Where(entry => entry.Default is not null))
        {
            string text = SettingText.Format(entry.Default, entry.Setting);
            if (text.Length > 0)
            {
                Assert.Equal(text, SettingText.Format(SettingText.Parse(entry.Type, entry.Setting, text), entry.Setting));
            }
        }
    }

    [Fact]
    public void Help_names_every_setting()
    {
        Assert.IsType<ConfigurationResult.HelpWanted>(ConfigurationReader.Read(["--help"], NoEnvironment));
        Assert.All(SettingTable.All, entry => Assert.Contains($"--{entry.Setting.Key}  (", ConfigurationHelp.Text()));
    }

    [Theory]
    [InlineData("--version")]
    [InlineData("--node.id", "x", "--version")]
    public void Version_is_told_whatever_else_is_given(params string[] arguments)
    {
        Assert.IsType<ConfigurationResult.VersionWanted>(ConfigurationReader.Read(arguments, NoEnvironment));
        Assert.Contains("--version", ConfigurationHelp.Text());
    }

    private static ConfigurationResult.Accepted Accepted(params string[] arguments) =>
        Assert.IsType<ConfigurationResult.Accepted>(ConfigurationReader.Read(arguments, NoEnvironment));

    private static IReadOnlyList<string> Refused(params string[] arguments) =>
        Assert.IsType<ConfigurationResult.Refused>(ConfigurationReader.Read(arguments, NoEnvironment)).Faults;
}
