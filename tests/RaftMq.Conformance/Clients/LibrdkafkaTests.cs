using System.Text.Json;
using RaftMq.Records;

namespace RaftMq.Conformance.Clients;

/// <summary>librdkafka through Debian's python3-confluent-kafka, on a healthy cluster.</summary>
public sealed class LibrdkafkaTests(SharedCluster shared) : ClusterCase(shared.Cluster)
{
    private readonly string authorityFile = shared.AuthorityFile;

    [Theory]
    [InlineData("none", CompressionType.None)]
    [InlineData("gzip", CompressionType.Gzip)]
    [InlineData("snappy", CompressionType.Snappy)]
    [InlineData("lz4", CompressionType.Lz4)]
    [InlineData("zstd", CompressionType.Zstd)]
    public Task Produces_and_consumes_with_every_compression(string compression, CompressionType stored)
    {
        Dictionary<string, string> config = new() { ["compression.type"] = compression, ["linger.ms"] = "20" };
        return AssertRoundTripAsync(
            "rdk-" + compression, stored, 500,
            topic => RunAsync("round_trip", new { bootstrap = Bootstrap, topic, count = 500, size = 400, config }));
    }

    [Fact]
    public async Task Idempotent_producer_numbers_its_batches_and_all_are_stored_once()
    {
        Dictionary<string, object> config = new() { ["enable.idempotence"] = true };
        List<RecordBatchHeader> batches = await AssertRoundTripAsync(
            "rdk-idempotent", CompressionType.None, 2000,
            topic => RunAsync("round_trip", new { bootstrap = Bootstrap, topic, count = 2000, size = 100, config }));
        Assert.All(batches, batch => Assert.True(batch.HasProducerId));
        Assert.Single(batches.Select(batch => batch.ProducerId).Distinct());
    }

    [Fact]
    public async Task Keys_values_and_headers_come_back_as_they_were()
    {
        string topic = ConformanceSettings.NewTopic("rdk-shapes");
        await CreateForOldRecordsAsync(topic);
        JsonElement result = await RunAsync("shapes", new { bootstrap = Bootstrap, topic });
        Assert.Equal(6, result.Int("found"));
        Assert.All(result.Bools("same"), Assert.True);
        Assert.True(result.Bool("timestamps"));
    }

    [Theory]
    [InlineData("range")]
    [InlineData("roundrobin")]
    [InlineData("cooperative-sticky")]
    public async Task Group_members_join_share_leave_and_go_on_at_the_committed_offsets(string strategy)
    {
        string topic = ConformanceSettings.NewTopic("rdk-group");
        await Probe.CreateTopicAsync(topic);
        JsonElement result = await RunAsync("group", new { bootstrap = Bootstrap, topic, group = "g-" + topic, strategy });
        Assert.InRange(result.Int("shared"), 1, 400);
        Assert.Equal(100, result.Int("resumed"));

        // A cooperative member may see one refused commit while the group rebalances; it commits again.
        Assert.DoesNotContain(result.Texts("errors"), error => error is not ("REBALANCE_IN_PROGRESS" or "ILLEGAL_GENERATION" or "_NO_OFFSET" or "_ASSIGNMENT_LOST"));
    }

    [Fact]
    public async Task Static_member_that_returns_gets_its_partitions_without_a_rebalance()
    {
        string topic = ConformanceSettings.NewTopic("rdk-static");
        await Probe.CreateTopicAsync(topic);
        JsonElement result = await RunAsync("static_member", new { bootstrap = Bootstrap, topic, group = "g-" + topic });
        Assert.True(result.Bool("sameAgain"));
        Assert.Equal(0, result.Int("rebalancesOfOther"));
        Assert.Empty(result.Texts("errors"));
    }

    [Fact]
    public async Task Static_id_taken_by_another_process_fences_the_first_one()
    {
        string topic = ConformanceSettings.NewTopic("rdk-fenced");
        await Probe.CreateTopicAsync(topic);
        JsonElement result = await RunAsync("fenced_static", new { bootstrap = Bootstrap, topic, group = "g-" + topic });
        Assert.Contains("_FATAL", result.Texts("errors"));
    }

    [Fact]
    public async Task Seeks_by_offset_and_by_time()
    {
        string topic = ConformanceSettings.NewTopic("rdk-seek");
        await CreateForOldRecordsAsync(topic);
        JsonElement result = await RunAsync("seek", new { bootstrap = Bootstrap, topic });
        Assert.Equal(40, result.Int("assigned"));
        Assert.Equal(77, result.Int("sought"));
        Assert.Equal(55, result.Int("exact"));
        Assert.Equal(56, result.Int("between"));
        Assert.Equal(0, result.Int("before"));
        Assert.Equal(-1, result.Int("after"));
        Assert.Equal(55, result.Int("readAtTime"));
        Assert.Equal([0, 100], result.Ints("marks"));
    }

    [Fact]
    public async Task Administers_topics_and_is_refused_by_name()
    {
        string topic = ConformanceSettings.NewTopic("rdk-admin");
        JsonElement result = await RunAsync("administer", new { bootstrap = Bootstrap, topic });
        Assert.Equal("ok", result.Text("create"));
        Assert.Equal("TOPIC_ALREADY_EXISTS", result.Text("createAgain"));
        Assert.Equal("ok", result.Text("validateOnly"));
        Assert.Equal("TOPIC_EXCEPTION", result.Text("badName"));
        Assert.Equal("INVALID_REPLICATION_FACTOR", result.Text("badReplication"));
        Assert.Equal("INVALID_CONFIG", result.Text("badConfig"));
        Assert.Equal("INVALID_CONFIG", result.Text("compact"));
        Assert.Equal(2, result.Int("partitions"));
        Assert.Equal([1, 2, 3], result.Ints("replicas"));
        Assert.Empty(result.Texts("notCreated"));
        Assert.Equal("3600000", result.Text("retention"));
        Assert.Equal("ok", result.Text("alter"));
        Assert.Equal("7200000", result.Text("retentionAfter"));
        Assert.Equal("ok", result.Text("grow"));
        Assert.Equal("INVALID_PARTITIONS", result.Text("shrink"));
        Assert.Equal(5, result.Int("toAllPartitions"));
        Assert.Equal(3, result.Int("brokers"));
        Assert.Equal("ok", result.Text("delete"));
        Assert.Equal("UNKNOWN_TOPIC_OR_PART", result.Text("deleteAgain"));
    }

    [Fact]
    public async Task Topic_made_again_under_its_name_starts_empty()
    {
        JsonElement result = await RunAsync(
            "recreate", new { bootstrap = Bootstrap, topic = ConformanceSettings.NewTopic("rdk-again") });
        Assert.All(result.GetProperty("rounds").EnumerateArray(), round => Assert.Equal("[0,20,[],20]", round.GetRawText().Replace(" ", "", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Too_large_a_record_is_refused_and_the_next_one_goes_through()
    {
        string topic = ConformanceSettings.NewTopic("rdk-large");
        await Probe.CreateTopicAsync(topic, partitions: 1);
        JsonElement result = await RunAsync("too_large", new { bootstrap = Bootstrap, topic });
        Assert.Equal(1, result.Int("under"));
        Assert.Equal(["MSG_SIZE_TOO_LARGE"], result.Texts("errors"));
        Assert.Equal(2, result.Int("delivered"));
    }

    [Fact]
    public async Task Transactional_producer_is_refused_for_good_within_five_seconds()
    {
        JsonElement result = await RunAsync(
            "transactional", new { bootstrap = Bootstrap, topic = ConformanceSettings.NewTopic("rdk-transactional") });
        Assert.NotNull(result.Text("error"));
        Assert.False(result.Bool("retriable"));
        Assert.InRange(result.Number("seconds"), 0, 5);
    }

    [Fact]
    public async Task First_record_creates_its_topic_with_four_partitions_and_three_replicas()
    {
        JsonElement result = await RunAsync("auto_create", new { bootstrap = Bootstrap, topic = ConformanceSettings.NewTopic("rdk-new") });
        Assert.Equal(1, result.Int("delivered"));
        Assert.Equal(4, result.Int("partitions"));
        Assert.Equal(3, result.Int("replicas"));
    }

    [Fact]
    public async Task Consumer_that_must_not_create_topics_is_told_that_there_is_none()
    {
        JsonElement result = await RunAsync("unknown_topic", new { bootstrap = Bootstrap, topic = ConformanceSettings.NewTopic("rdk-none") });
        Assert.Equal("UNKNOWN_TOPIC_OR_PART", result.Text("error"));
        Assert.False(result.Bool("exists"));
    }

    [Fact]
    public async Task Offset_past_the_end_is_an_error_where_no_reset_is_wanted()
    {
        string topic = ConformanceSettings.NewTopic("rdk-far");
        await Probe.CreateTopicAsync(topic, partitions: 1);
        JsonElement result = await RunAsync("out_of_range", new { bootstrap = Bootstrap, topic });
        Assert.Equal("_AUTO_OFFSET_RESET", result.Text("error"));
    }

    [Fact]
    public async Task Speaks_tls_and_checks_the_certificate()
    {
        Dictionary<string, string> config = new() { ["security.protocol"] = "ssl", ["ssl.ca.location"] = authorityFile };
        await AssertRoundTripAsync(
            "rdk-tls", CompressionType.None, 500,
            topic => RunAsync("round_trip", new { bootstrap = TlsBootstrap, topic, count = 500, size = 400, config, reading = config }));
        Assert.Contains("_SSL", (await RunAsync("untrusted", new { bootstrap = TlsBootstrap })).Texts("errors"));
    }

    private static Task<JsonElement> RunAsync(string name, object arguments) =>
        ClientScript.ResultOfAsync(ClientScript.LibrdkafkaAsync(name, arguments));
}
