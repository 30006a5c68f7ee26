using System.Text.Json;
using RaftMq.Records;

namespace RaftMq.Conformance.Clients;

/// <summary>kafka-python, Debian's python3-kafka: older versions of the protocol, spoken by code of its own.</summary>
public sealed class KafkaPythonTests(SharedCluster shared) : ClusterCase(shared.Cluster)
{
    private readonly string authorityFile = shared.AuthorityFile;

    [Theory]
    [InlineData(null, CompressionType.None)]
    [InlineData("gzip", CompressionType.Gzip)]
    [InlineData("snappy", CompressionType.Snappy)]
    [InlineData("lz4", CompressionType.Lz4)]
    [InlineData("zstd", CompressionType.Zstd)]
    public Task Produces_and_consumes_with_every_compression(string? compression, CompressionType stored) => AssertRoundTripAsync(
        "py-" + (compression ?? "none"), stored, 300,
        topic => RunAsync("round_trip", new { bootstrap = Bootstrap, topic, count = 300, size = 400, compression }));

    [Fact]
    public async Task Group_members_join_share_leave_and_go_on_at_the_committed_offsets()
    {
        string topic = ConformanceSettings.NewTopic("py-group");
        await Probe.CreateTopicAsync(topic);
        JsonElement result = await RunAsync("group", new { bootstrap = Bootstrap, topic, group = "g-" + topic });
        Assert.InRange(result.Int("shared"), 1, 300);
        Assert.Equal(100, result.Int("resumed"));
        Assert.Equal(500, result.Int("committed"));
        Assert.Equal("Empty", result.Text("state"));
        Assert.Single(result.Texts("listed"));
        Assert.Equal(["NoError"], result.Texts("deleted"));
        Assert.Empty(result.Texts("listedAfter"));
    }

    [Fact]
    public async Task Seeks_by_offset_and_by_time()
    {
        string topic = ConformanceSettings.NewTopic("py-seek");
        await CreateForOldRecordsAsync(topic);
        JsonElement result = await RunAsync("seek", new { bootstrap = Bootstrap, topic });
        Assert.Equal(77, result.Int("sought"));
        Assert.Equal(0, result.Int("beginning"));
        Assert.Equal(55, result.Int("exact"));
        Assert.Equal(56, result.Int("between"));
        Assert.Null(result.Text("after"));
        Assert.Equal([0, 100], result.Ints("marks"));
    }

    [Fact]
    public async Task Administers_topics()
    {
        JsonElement result = await RunAsync("administer", new { bootstrap = Bootstrap, topic = ConformanceSettings.NewTopic("py-admin") });
        Assert.Equal("ok", result.Text("create"));
        Assert.Equal("TopicAlreadyExistsError", result.Text("createAgain"));
        Assert.Equal(2, result.Int("partitions"));
        Assert.Equal("3600000", result.Text("retention"));
        Assert.Equal("ok", result.Text("alter"));
        Assert.Equal("ok", result.Text("grow"));
        Assert.Equal("ok", result.Text("delete"));
        Assert.Equal("UnknownTopicOrPartitionError", result.Text("deleteAgain"));
    }

    [Fact]
    public async Task Too_large_a_record_is_refused_and_the_next_one_goes_through()
    {
        string topic = ConformanceSettings.NewTopic("py-large");
        await Probe.CreateTopicAsync(topic, partitions: 1);
        JsonElement result = await RunAsync("too_large", new { bootstrap = Bootstrap, topic });
        Assert.Equal("MessageSizeTooLargeError", result.Text("error"));
        Assert.True(result.Bool("after"));
    }

    [Fact]
    public async Task Speaks_tls_and_checks_the_certificate()
    {
        await AssertRoundTripAsync(
            "py-tls", CompressionType.None, 300,
            topic => RunAsync(
                "round_trip",
                new { bootstrap = TlsBootstrap, topic, count = 300, size = 400, compression = (string?)null, authority = authorityFile }));
        Assert.Equal("SSLCertVerificationError", (await RunAsync("untrusted", new { bootstrap = TlsBootstrap })).Text("error"));
    }

    private static Task<JsonElement> RunAsync(string name, object arguments) =>
        ClientScript.ResultOfAsync(ClientScript.KafkaPythonAsync(name, arguments));
}
