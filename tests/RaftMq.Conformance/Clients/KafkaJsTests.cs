using System.Text.Json;
using RaftMq.Records;

namespace RaftMq.Conformance.Clients;

/// <summary>kafkajs, the pure JavaScript client.</summary>
public sealed class KafkaJsTests(SharedCluster shared) : ClusterCase(shared.Cluster)
{
    private readonly string authorityFile = shared.AuthorityFile;

    /// <summary>zstd is left out: it has no codec in pure JavaScript.</summary>
    [Theory]
    [InlineData("None", CompressionType.None)]
    [InlineData("GZIP", CompressionType.Gzip)]
    [InlineData("Snappy", CompressionType.Snappy)]
    [InlineData("LZ4", CompressionType.Lz4)]
    public async Task Produces_and_consumes_with_every_compression_it_has(string compression, CompressionType stored)
    {
        string topic = ConformanceSettings.NewTopic("js-" + compression);
        JsonElement result = await RunAsync(
            "roundTrip", new { bootstrap = Bootstrap, topic, count = 300, size = 400, compression, idempotent = false });
        AssertThere(result);
        await AssertStoredAsAsync(topic, stored, 300);
    }

    [Fact]
    public async Task Idempotent_producer_numbers_its_batches_and_all_are_stored_once()
    {
        string topic = ConformanceSettings.NewTopic("js-idempotent");
        JsonElement result = await RunAsync(
            "roundTrip", new { bootstrap = Bootstrap, topic, count = 300, size = 100, compression = "None", idempotent = true });
        AssertThere(result);
        List<RecordBatchHeader> batches = await AssertStoredAsAsync(topic, CompressionType.None, 300);
        Assert.All(batches, batch => Assert.True(batch.HasProducerId));
    }

    [Fact]
    public async Task Keys_values_and_headers_come_back_as_they_were()
    {
        JsonElement result = await RunAsync("shapes", new { bootstrap = Bootstrap, topic = ConformanceSettings.NewTopic("js-shapes") });
        Assert.Equal(5, result.Int("found"));
        Assert.All(result.Bools("same"), Assert.True);
        Assert.Equal("""[["1","2"],""]""", result.GetProperty("headers").GetRawText());
    }

    [Fact]
    public async Task Group_members_join_share_leave_and_go_on_at_the_committed_offsets()
    {
        string topic = ConformanceSettings.NewTopic("js-group");
        JsonElement result = await RunAsync("group", new { bootstrap = Bootstrap, topic, group = "g-" + topic });
        Assert.InRange(result.Int("shared"), 1, 400);
        Assert.Equal(100, result.Int("resumed"));
        Assert.Equal(500, result.Int("committed"));
        Assert.Equal("Empty", result.Text("state"));
        Assert.Equal(1, result.Int("listed"));
        Assert.Equal(0, result.Int("after"));
    }

    [Fact]
    public async Task Administers_topics_and_deletes_records()
    {
        JsonElement result = await RunAsync("administer", new { bootstrap = Bootstrap, topic = ConformanceSettings.NewTopic("js-admin") });
        Assert.True(result.Bool("created"));
        Assert.False(result.Bool("createdAgain"));
        Assert.Equal("3600000", result.Text("retention"));
        Assert.Equal(["12", "20"], result.Texts("marks"));
        Assert.Equal(Enumerable.Range(12, 8).Select(number => $"{number}"), result.Texts("left"));
        Assert.Equal(3, result.Int("brokers"));
        Assert.True(result.Bool("listed"));
    }

    [Fact]
    public async Task Seeks_by_offset_and_by_time()
    {
        JsonElement result = await RunAsync("seek", new { bootstrap = Bootstrap, topic = ConformanceSettings.NewTopic("js-seek") });
        Assert.Equal("55", result.Text("exact"));
        Assert.Equal("56", result.Text("between"));

        // kafkajs turns "no such time" into the end offset.
        Assert.Equal("100", result.Text("after"));
        Assert.Equal(77, result.Int("sought"));
    }

    [Fact]
    public async Task Too_large_a_record_is_refused_and_the_next_one_goes_through()
    {
        JsonElement result = await RunAsync("tooLarge", new { bootstrap = Bootstrap, topic = ConformanceSettings.NewTopic("js-large") });
        Assert.Equal("MESSAGE_TOO_LARGE", result.Text("type"));
        Assert.Equal(0, result.Int("after"));
    }

    [Fact]
    public async Task Transactional_producer_is_refused_for_good_within_five_seconds()
    {
        JsonElement result = await RunAsync(
            "transactional", new { bootstrap = Bootstrap, topic = ConformanceSettings.NewTopic("js-transactional") });
        Assert.NotNull(result.Text("error"));
        Assert.False(result.Bool("retriable"));
        Assert.InRange(result.Number("seconds"), 0, 5);
    }

    [Fact]
    public async Task Speaks_tls_and_checks_the_certificate()
    {
        string topic = ConformanceSettings.NewTopic("js-tls");
        AssertThere(await RunAsync(
            "roundTrip",
            new { bootstrap = TlsBootstrap, topic, count = 300, size = 400, compression = "None", idempotent = false, authority = authorityFile }));
        Assert.Contains("certificate", (await RunAsync("untrusted", new { bootstrap = TlsBootstrap })).Text("error"), StringComparison.Ordinal);
    }

    private static void AssertThere(JsonElement result)
    {
        Assert.Equal(0, result.Int("errors"));
        Assert.Equal(300, result.Int("found"));
        Assert.Equal(300, result.Int("keys"));
        Assert.Equal(300, result.Int("right"));
    }

    private static Task<JsonElement> RunAsync(string name, object arguments) =>
        ClientScript.ResultOfAsync(ClientScript.KafkaJsAsync(name, arguments));
}
