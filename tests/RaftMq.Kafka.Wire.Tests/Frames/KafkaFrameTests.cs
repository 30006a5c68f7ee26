using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Kafka.Wire.Tests.Frames;

public sealed class KafkaFrameTests
{
    [Theory]
    [InlineData("", FrameVerdict.Incomplete, 0)]
    [InlineData("000000", FrameVerdict.Incomplete, 0)]
    [InlineData("0000000201", FrameVerdict.Incomplete, 2)]
    [InlineData("000000020102", FrameVerdict.Complete, 2)]
    [InlineData("00000002010203", FrameVerdict.Complete, 2)]
    [InlineData("00000064", FrameVerdict.Incomplete, 100)]
    [InlineData("00000065", FrameVerdict.TooLarge, 101)]
    [InlineData("FFFFFFFF", FrameVerdict.NotAFrame, -1)]
    [InlineData("47455420", FrameVerdict.TooLarge, 0x47455420)]
    public void Length_prefix_is_judged_before_anything_is_received(string hex, FrameVerdict expected, int expectedBytes)
    {
        Assert.Equal(expected, KafkaFrameReader.Measure(Convert.FromHexString(hex), frameBytesMax: 100, out int frameBytes));
        Assert.Equal(expectedBytes, frameBytes);
    }

    /// <summary>Request header 1 and 2 of ApiVersions, put together from the protocol's description of headers.</summary>
    [Theory]
    [InlineData(0, "0000000C" + "0012" + "0000" + "00000007" + "0002" + "6D65")]
    [InlineData(3, "00000010" + "0012" + "0003" + "00000007" + "0002" + "6D65" + "00" + "01" + "01" + "00")]
    public void Request_frame_has_the_documented_bytes(int version, string hex)
    {
        byte[] expected = Convert.FromHexString(hex);

        using KafkaWriter writer = new();
        KafkaFrameWriter.WriteRequest(writer, new ApiVersionsRequest(), version, correlationId: 7, clientId: "me");
        Assert.Equal(Convert.ToHexString(expected), Convert.ToHexString(writer.ToArray()));

        KafkaReader reader = new(expected.AsMemory(4));
        Assert.True(KafkaFrameReader.TryReadRequestHeader(ref reader, out RequestHeader header));
        Assert.Equal(new RequestHeader(ApiKey.ApiVersions, (short)version, 7, "me"), header);
        Assert.True(ApiVersionsRequest.TryRead(ref reader, version, out _));
        Assert.Equal(0, reader.Remaining);
    }

    [Fact]
    public void A_version_from_the_future_gives_enough_to_refuse_it()
    {
        KafkaReader reader = new(Convert.FromHexString("0012" + "0063" + "00000009" + "FFFFFFFFFFFF"));
        Assert.True(KafkaFrameReader.TryReadRequestHeader(ref reader, out RequestHeader header));
        Assert.Equal(new RequestHeader(ApiKey.ApiVersions, 99, 9, null), header);

        using KafkaWriter writer = new();
        ApiVersionsResponse refusal = new() { Error = KafkaError.UnsupportedVersion };
        KafkaFrameWriter.WriteResponse(writer, refusal, version: 0, header.CorrelationId);
        Assert.Equal("0000000A" + "00000009" + "0023" + "00000000", Convert.ToHexString(writer.ToArray()));
    }

    [Fact]
    public void A_header_cut_at_any_length_is_refused()
    {
        using KafkaWriter writer = new();
        KafkaFrameWriter.WriteRequest(writer, new MetadataRequest(), 12, 1, "client");
        byte[] frame = writer.ToArray()[4..];
        for (int length = 0; length < 17; length++)
        {
            KafkaReader reader = new(frame.AsMemory(0, length));
            Assert.False(KafkaFrameReader.TryReadRequestHeader(ref reader, out _));
            Assert.StartsWith("RequestHeader", reader.FaultText, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Response_header_has_tags_in_flexible_versions_except_for_ApiVersions()
    {
        using KafkaWriter writer = new();
        KafkaFrameWriter.WriteResponse(writer, new HeartbeatResponse(), 4, 5);
        Assert.Equal("0000000C" + "00000005" + "00" + "00000000" + "0000" + "00", Convert.ToHexString(writer.ToArray()));
        writer.Clear();
        KafkaFrameWriter.WriteResponse(writer, new HeartbeatResponse(), 3, 5);
        Assert.Equal("0000000A" + "00000005" + "00000000" + "0000", Convert.ToHexString(writer.ToArray()));
        writer.Clear();
        KafkaFrameWriter.WriteResponse(writer, new ApiVersionsResponse(), 3, 5);
        Assert.Equal("0000000C" + "00000005" + "0000" + "01" + "00000000" + "00", Convert.ToHexString(writer.ToArray()));
    }

    [Fact]
    public void Two_frames_in_one_writer_have_their_own_lengths_also_behind_records()
    {
        using KafkaWriter writer = new();
        FetchResponse fetch = new()
        {
            Topics = [new() { Name = "t", Partitions = [new() { Records = new RecordBytes(new byte[1000]) }] }],
        };
        KafkaFrameWriter.WriteResponse(writer, fetch, 12, 1);
        int first = writer.Length;
        KafkaFrameWriter.WriteResponse(writer, new HeartbeatResponse(), 3, 2);
        byte[] both = writer.ToArray();
        Assert.Equal(FrameVerdict.Complete, KafkaFrameReader.Measure(both, 10_000, out int bytes));
        Assert.Equal(first - 4, bytes);
        Assert.Equal(FrameVerdict.Complete, KafkaFrameReader.Measure(both.AsSpan(first), 10_000, out bytes));
        Assert.Equal(both.Length - first - 4, bytes);
    }
}
