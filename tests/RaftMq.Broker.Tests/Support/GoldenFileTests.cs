using Xunit.Sdk;

namespace RaftMq.Broker.Tests.Support;

/// <summary>The golden files themselves: one that let a change pass would be worth nothing.</summary>
public sealed class GoldenFileTests
{
    private static readonly GoldenFile Golden = GoldenFile.Parse(
        "sample-v1.txt", ["# A sample.", "", "== one", "01    u8   version", "-     nothing", "0203  u16  number"]);

    [Theory]
    [InlineData(new byte[] { 1, 2, 4 }, "u16  number")]
    [InlineData(new byte[] { 2, 2, 3 }, "u8   version")]
    [InlineData(new byte[] { 1, 2 }, "u16  number")]
    [InlineData(new byte[] { 1, 2, 3, 0 }, "behind the end")]
    public void A_change_is_refused_by_the_field_it_is_in_and_asks_for_a_new_version(byte[] written, string field)
    {
        string message = Assert.Throws<FailException>(() => Golden.AssertUnchanged("one", written)).Message;

        Assert.Contains(field, message, StringComparison.Ordinal);
        Assert.Contains("new version number", message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_bytes_pass() => Golden.AssertUnchanged("one", [1, 2, 3]);
}
