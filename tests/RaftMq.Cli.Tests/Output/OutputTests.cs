using System.Text.Json;
using RaftMq.Cli.Admin;
using RaftMq.Cli.Brokers;
using RaftMq.Cli.Commands;
using RaftMq.Cli.Output;

namespace RaftMq.Cli.Tests.Output;

public sealed class OutputTests
{
    private static readonly TopicDescription Topic = new(
        "orders", Internal: false,
        [new PartitionDescription(0, 1, [0, 1, 2], [1, 2], 5, 17), new PartitionDescription(1, null, [0, 1, 2], [])]);

    private static readonly NodeAnswer[] Nodes = [Node(0, alive: true), Node(1, alive: false)];

    [Fact]
    public async Task A_described_topic_shows_leader_replicas_in_sync_set_and_offsets()
    {
        string[] lines = await LinesAsync(output => TopicDescribeCommand.WriteAsync(output, Topic, json: false));
        Assert.Equal(["0", "1", "0,1,2", "1,2", "5", "17"], Words(lines[2]));
        Assert.Equal(["1", "none", "0,1,2", "none", "none"], Words(lines[3]));
    }

    [Fact]
    public async Task A_described_topic_shows_the_settings_that_are_its_own_and_as_json_all()
    {
        TopicDescription topic = Topic with
        {
            Settings = [new TopicSetting("min.insync.replicas", "2", IsDefault: false), new TopicSetting("retention.ms", "604800000", IsDefault: true)],
        };
        Assert.Equal("settings: min.insync.replicas=2", (await LinesAsync(output => TopicDescribeCommand.WriteAsync(output, topic, json: false)))[1]);
        TopicDescription usual = topic with { Settings = [topic.Settings[1]] };
        Assert.Equal("settings: all as by default", (await LinesAsync(output => TopicDescribeCommand.WriteAsync(output, usual, json: false)))[1]);
        using JsonDocument document = await JsonAsync(output => TopicDescribeCommand.WriteAsync(output, topic, json: true));
        Assert.Equal(2, document.RootElement.GetProperty("settings").GetArrayLength());
    }

    [Fact]
    public async Task A_described_topic_as_json_keeps_its_names()
    {
        using JsonDocument document = await JsonAsync(output => TopicDescribeCommand.WriteAsync(output, Topic, json: true));
        JsonElement first = document.RootElement.GetProperty("partitions")[0];
        Assert.Equal(1, first.GetProperty("leader").GetInt32());
        Assert.Equal(2, first.GetProperty("inSync").GetArrayLength());
        Assert.Equal(17, first.GetProperty("endOffset").GetInt64());
        Assert.Equal(JsonValueKind.Null, document.RootElement.GetProperty("partitions")[1].GetProperty("leader").ValueKind);
    }

    /// <summary>Red before: the JSON said less than the table.</summary>
    [Fact]
    public async Task A_list_of_topics_as_json_says_how_many_partitions_have_no_leader()
    {
        using JsonDocument document = await JsonAsync(output => TopicListCommand.WriteAsync(output, [Topic], json: true));
        Assert.Equal(1, document.RootElement[0].GetProperty("withoutLeader").GetInt32());
        Assert.Equal(["orders", "2", "3", "1"], Words((await LinesAsync(output => TopicListCommand.WriteAsync(output, [Topic], json: false)))[1]));
    }

    /// <summary>Red before: Kafka's and the peers' ports had http:// before them.</summary>
    [Fact]
    public async Task Only_listeners_for_http_have_a_url()
    {
        var cluster = new ClusterAnswer("c", 0, 1, [Nodes[0]], []);
        using JsonDocument document = await JsonAsync(output => ClusterStatusCommand.WriteAsync(output, cluster, Report([Fine(0)]), json: true));
        Assert.Equal(
            [("kafka", null), ("peers", null), ("http", "http://localhost:8080/")],
            document.RootElement.GetProperty("nodes")[0].GetProperty("listeners").EnumerateArray()
                .Select(listener => (listener.GetProperty("name").GetString(), listener.GetProperty("url").GetString())));
    }

    [Fact]
    public async Task A_group_shows_lag_by_partition_and_in_sum()
    {
        var group = new GroupDescription(
            "g", "Stable", "consumer", [new GroupMember("m", null, "c", "/127.0.0.1")],
            [new GroupPosition("t", 0, 5, 8, 3), new GroupPosition("t", 1, 5, null, null), new GroupPosition("t", 2, 1, 2, 1), new GroupPosition("t", 3, null, 9, null)]);
        string[] lines = await LinesAsync(output => GroupDescribeCommand.WriteAsync(output, group, json: false));
        Assert.Contains("1 member, lag 4 and 1 partition without a committed offset", lines[0], StringComparison.Ordinal);
        Assert.Equal(["t", "0", "5", "8", "3"], Words(lines[2]));
        Assert.Equal(["t", "1", "5", "?", "?"], Words(lines[3]));
        Assert.Equal(["t", "3", "none", "9", "?"], Words(lines[5]));
        using JsonDocument document = await JsonAsync(output => GroupDescribeCommand.WriteAsync(output, group, json: true));
        Assert.Equal(4, document.RootElement.GetProperty("lag").GetInt64());
    }

    [Fact]
    public async Task A_cluster_with_a_node_down_is_not_healthy_and_says_so_with_its_exit_code()
    {
        var cluster = new ClusterAnswer("c", 0, 1, Nodes, [new TopicAnswer("t", "1", false, [new PartitionAnswer(0, null, null, [0, 1], [])])]);
        var output = new StringWriter();
        Assert.Equal(ExitCodes.Failed, await ClusterStatusCommand.WriteAsync(output, cluster, Report([]), json: false));
        Assert.Contains("node 1 is down", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("t/0 has no leader", output.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(":8080", output.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(":7070", output.ToString(), StringComparison.Ordinal);
    }

    /// <summary>Red before: a line for each partition, and none of them said which node it is.</summary>
    [Fact]
    public async Task Partitions_with_the_same_trouble_are_one_line_and_as_json_each_for_itself()
    {
        PartitionAnswer Lacking(int partition, params int[] inSync) => new(partition, 0, 1, [0, 1, 2], inSync);
        var cluster = new ClusterAnswer(
            "c", 0, 1, [Node(0, alive: true), Node(1, alive: true), Node(2, alive: false)],
            [
                new TopicAnswer("a", "1", false, [.. Enumerable.Range(0, 22).Select(n => Lacking(n, 0, 1)), Lacking(22, 0), new PartitionAnswer(23, null, null, [0, 1, 2], [])]),
                new TopicAnswer("b", "2", false, [Lacking(0, 2, 0), Lacking(1, 0, 1, 2), Lacking(2, 0, 1), new PartitionAnswer(3, null, null, [0, 1], [])]),
                new TopicAnswer("__offsets", "3", true, [Lacking(0, 1, 0)]),
            ]);
        ClusterReport report = Report([Fine(0), Fine(1)]);
        string[] lines = await LinesAsync(output => ClusterStatusCommand.WriteAsync(output, cluster, report, json: false));
        Assert.Equal(
            [
                "node 2 is down",
                "2 partitions have no leader: a/23, b/3",
                "b/0 lacks node 1",
                "a/22 lacks nodes 1 and 2",
                "24 partitions lack node 2: a/0, a/1, a/2 and 21 more",
            ], lines[5..]);
        using JsonDocument document = await JsonAsync(output => ClusterStatusCommand.WriteAsync(output, cluster, report, json: true));
        string[] all = [.. document.RootElement.GetProperty("faults").EnumerateArray().Select(fault => fault.GetString()!)];
        Assert.Equal(29, all.Length);
        Assert.Contains("a/7 has 2 of 3 replicas in sync, it lacks node 2", all);
        Assert.Contains("a/22 has 1 of 3 replicas in sync, it lacks nodes 1 and 2", all);
    }

    [Fact]
    public async Task A_healthy_cluster_ends_with_0()
    {
        var cluster = new ClusterAnswer("c", 0, 1, [Nodes[0]], []);
        ClusterReport report = Report([Fine(0)]);
        using JsonDocument document = await JsonAsync(
            async output => Assert.Equal(ExitCodes.Done, await ClusterStatusCommand.WriteAsync(output, cluster, report, json: true)));
        Assert.True(document.RootElement.GetProperty("healthy").GetBoolean());
    }

    public static TheoryData<string> NodeTroubles => ["silent", "full disk", "little room", "full journal", "damage", "damage in part", "not ready"];

    [Theory]
    [MemberData(nameof(NodeTroubles))]
    public async Task A_node_in_trouble_makes_the_cluster_not_healthy(string trouble)
    {
        (ClusterReport report, string sentence) = trouble switch
        {
            "silent" => (new ClusterReport([], new Dictionary<int, string> { [0] = "does not answer at h:1" }), "node 0 does not answer at h:1"),
            "full disk" => (Report([Fine(0) with { ReplicasWithoutRoom = 3 }]), "node 0: the disk is full, 3 replicas find no room"),
            "little room" => (Report([Fine(0) with { DiskRoom = "low", DiskNote = "the disk fills up: 5 MiB are free" }]), "node 0: the disk fills up: 5 MiB are free; make room"),
            "full journal" => (Report([Fine(0) with { JournalFull = true }]), "node 0: the journal is full"),
            "damage" => (Report([Fine(0) with { Damaged = [new DamageAnswer("t-0", "bits", Running: false, "f is fetched")] }]), "node 0: t-0 is damaged and did not start: bits; repair: f is fetched"),
            "damage in part" => (Report([Fine(0) with { Damaged = [new DamageAnswer("t-0", "bits", Running: true)] }]), "node 0: t-0 is damaged in part, the rest is served: bits"),
            _ => (Report([Fine(0) with { Ready = false, NotReadyBecause = "another folder" }]), "node 0 is not ready: another folder"),
        };
        var output = new StringWriter();

        Assert.Equal(ExitCodes.Failed, await ClusterStatusCommand.WriteAsync(output, new ClusterAnswer("c", 0, 1, [Nodes[0]], []), report, json: false));

        Assert.Contains(sentence, output.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("healthy", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_consumed_record_is_a_line_with_its_key_where_that_is_wanted()
    {
        var record = new ConsumedRecord(2, 17, 1000, "k"u8.ToArray(), "v"u8.ToArray());
        Assert.Equal("v\n"u8.ToArray(), await PrintedAsync(record, keySeparator: null));
        Assert.Equal("k|v\n"u8.ToArray(), await PrintedAsync(record, "|"u8.ToArray()));
        Assert.Equal(
            ["""{"partition":2,"offset":17,"timestampMs":1000,"key":"k","value":"v"}"""],
            await LinesAsync(output => Json.WriteLineAsync(output, RecordLine.Of(record))));
    }

    /// <summary>Red before: each byte that is no UTF-8 became the three of a replacement character.</summary>
    [Fact]
    public async Task A_line_has_the_bytes_of_the_record_as_they_are_and_nothing_for_what_is_null()
    {
        byte[] bytes = [.. Enumerable.Range(0, 256).Select(value => (byte)value)];
        var record = new ConsumedRecord(2, 17, 1000, bytes, bytes);
        byte[] whole = await PrintedAsync(record, "|"u8.ToArray());
        Assert.Equal([.. bytes, (byte)'|', .. bytes, (byte)'\n'], whole);
        byte[] nothing = await PrintedAsync(record with { Key = null, Value = null }, "|"u8.ToArray());
        Assert.Equal("|\n"u8.ToArray(), nothing);
    }

    /// <summary>Red before: what is not UTF-8 became replacement characters, from which nobody gets the bytes back.</summary>
    [Fact]
    public async Task Bytes_that_are_no_text_are_base64_in_fields_of_their_own()
    {
        var record = new ConsumedRecord(2, 17, 1000, [0xFF, 0], "text �"u8.ToArray());
        Assert.Equal(
            ["""{"partition":2,"offset":17,"timestampMs":1000,"key":null,"value":"text �","keyBase64":"/wA="}"""],
            await LinesAsync(output => Json.WriteLineAsync(output, RecordLine.Of(record))));
        Assert.Equal(
            ["""{"partition":2,"offset":17,"timestampMs":1000,"key":null,"value":null,"valueBase64":"w6k8w+8="}"""],
            await LinesAsync(output => Json.WriteLineAsync(
                output, RecordLine.Of(record with { Key = null, Value = [0xC3, 0xA9, 0x3C, 0xC3, 0xEF] }))));
    }

    [Theory]
    [InlineData("a/b/3", "a/b", 3)]
    [InlineData("t/0", "t", 0)]
    public void A_partition_is_written_as_topic_and_number(string text, string topic, int partition) =>
        Assert.Equal((topic, partition), PartitionTransferCommand.Parse(text));

    [Theory]
    [InlineData("t")]
    [InlineData("/1")]
    [InlineData("t/")]
    [InlineData("t/-1")]
    public void Anything_else_is_not_a_partition(string text) =>
        Assert.Equal(ExitCodes.Usage, Assert.Throws<CommandFailedException>(() => PartitionTransferCommand.Parse(text)).ExitCode);

    private static NodeAnswer Node(int id, bool alive) => new(
        id, null, alive, 1, 1, [new ListenerAnswer("kafka", "localhost", 9092 + id), new ListenerAnswer("peers", "127.0.0.1", 7070 + id),
            new ListenerAnswer("http", "localhost", 8080 + (10 * id))]);

    private static StatusAnswer Fine(int node) => new(node, Ready: true, 12_345.6, 4, 8, [], DiskFreeBytes: 20L << 30);

    private static ClusterReport Report(IReadOnlyList<StatusAnswer> statuses) => new(statuses, new Dictionary<int, string>());

    private static string[] Words(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static async Task<byte[]> PrintedAsync(ConsumedRecord record, byte[]? keySeparator)
    {
        await using var output = new MemoryStream();
        await new RecordPrinter(output, keySeparator).WriteAsync(record, TestContext.Current.CancellationToken);
        return output.ToArray();
    }

    private static async Task<string[]> LinesAsync(Func<TextWriter, Task> write)
    {
        var output = new StringWriter();
        await write(output);
        return [.. output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.TrimEnd('\r'))];
    }

    private static async Task<JsonDocument> JsonAsync(Func<TextWriter, Task> write)
    {
        var output = new StringWriter();
        await write(output);
        return JsonDocument.Parse(output.ToString());
    }
}
