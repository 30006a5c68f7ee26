using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Kafka.Wire.Tests.Codec;

public sealed class KafkaReaderTests
{
    [Theory]
    [InlineData("00000000" + "01" + "00000000" + "00", 12)] // nothing unknown
    [InlineData("00000000" + "01" + "00000000" + "02" + "05" + "03" + "010203" + "FF01" + "00", 12)] // two unknown tags
    [InlineData("00000000" + "01" + "00000000" + "01" + "FFFFFFFF0F" + "00", 12)] // the largest tag there is
    public void Unknown_tags_are_stepped_over(string tail, int version)
    {
        // MetadataResponse 12: throttle time, no brokers, null cluster id, controller, no topics, tags.
        byte[] bytes = Convert.FromHexString(tail[..10] + "00" + tail[10..18] + "01" + tail[18..]);
        (IKafkaMessage? read, string? fault, int remaining) = AnyMessage.Named("MetadataResponse").Read(bytes, version);
        Assert.True(read is not null, fault);
        Assert.Equal(0, remaining);
    }

    [Theory]
    [InlineData("01" + "00" + "03" + "0267" + "00", "ClusterId")] // size above what the field takes
    [InlineData("01" + "00" + "01" + "0267", "ClusterId")] // size below it
    [InlineData("01" + "00" + "7F", "FetchRequest")] // size above what is there
    [InlineData("40", "FetchRequest")] // 64 tags in no bytes
    [InlineData("FFFFFFFF1F", "FetchRequest")] // a number of 33 bits
    public void Lying_tags_are_refused(string tags, string field)
    {
        string fixedPart = "FFFFFFFF" + "00000000" + "00000000" + "00000000" + "00" + "00000000" + "00000000" + "01" + "01" + "01";
        (IKafkaMessage? read, string? fault, _) = AnyMessage.Named("FetchRequest").Read(Convert.FromHexString(fixedPart + tags), 12);
        Assert.Null(read);
        Assert.Contains(field, fault, StringComparison.Ordinal);
    }

    [Fact]
    public void Tagged_field_is_read_where_it_is_known()
    {
        string fixedPart = "FFFFFFFF" + "00000000" + "00000000" + "00000000" + "00" + "00000000" + "00000000" + "01" + "01" + "01";
        KafkaReader reader = new(Convert.FromHexString(fixedPart + "01" + "00" + "03" + "036364"));
        Assert.True(FetchRequest.TryRead(ref reader, 12, out FetchRequest? request));
        Assert.Equal("cd", request.ClusterId);
    }

    [Theory]
    [InlineData("7FFFFFFF")]
    [InlineData("80000000")]
    [InlineData("FFFFFFFE")]
    [InlineData("00000003")]
    public void A_lying_count_is_refused_before_anything_is_allocated(string count)
    {
        byte[] bytes = Convert.FromHexString(count + "00017400");
        long before = GC.GetAllocatedBytesForCurrentThread();
        KafkaReader reader = new(bytes);
        Assert.False(MetadataRequest.TryRead(ref reader, 0, out _));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000);
        Assert.Equal(WireFault.Length, reader.Fault);
        Assert.StartsWith("MetadataRequest.Topics", reader.FaultText, StringComparison.Ordinal);
    }

    /// <summary>Three bytes an element: without a limit 3 MB of zeros would become a million objects, and 100 MiB thirty times that.</summary>
    [Fact]
    public void More_elements_than_a_message_may_have_are_refused()
    {
        byte[] bytes = new byte[20 + (KafkaReader.ElementsMax * 9)];
        using KafkaWriter writer = new();
        writer.WriteNullableString(null, flexible: false, nullAllowed: true);
        writer.WriteInt16(1);
        writer.WriteInt32(0);
        writer.WriteInt32(KafkaReader.ElementsMax + 1);
        writer.Written.CopyTo(bytes);
        KafkaReader reader = new(bytes);
        Assert.False(ProduceRequest.TryRead(ref reader, 3, out _));
        Assert.Equal(WireFault.TooMany, reader.Fault);
    }

    [Fact]
    public void Text_that_is_not_UTF8_is_refused()
    {
        KafkaReader reader = new(Convert.FromHexString("0002C328"));
        Assert.False(FindCoordinatorRequest.TryRead(ref reader, 0, out _));
        Assert.Equal(WireFault.Text, reader.Fault);
    }

    [Fact]
    public void Null_where_the_version_has_none_is_refused()
    {
        KafkaReader reader = new(Convert.FromHexString("FFFF"));
        Assert.False(FindCoordinatorRequest.TryRead(ref reader, 0, out _));
        Assert.Equal(WireFault.Null, reader.Fault);
        reader = new KafkaReader(Convert.FromHexString("FFFFFFFF"));
        Assert.False(MetadataRequest.TryRead(ref reader, 0, out _));
        reader = new KafkaReader(Convert.FromHexString("FFFFFFFF"));
        Assert.True(MetadataRequest.TryRead(ref reader, 1, out MetadataRequest? all));
        Assert.Null(all.Topics);
    }

    [Fact]
    public void Records_read_are_the_frames_own_bytes()
    {
        byte[] records = [1, 2, 3, 4, 5];
        ProduceRequest request = new()
        {
            Topics = [new() { Name = "t", Partitions = [new() { Records = new RecordBytes(records) }] }],
        };
        foreach (int version in new[] { 3, 9 })
        {
            byte[] frame = AnyMessage.Write(request, version);
            KafkaReader reader = new(frame);
            Assert.True(ProduceRequest.TryRead(ref reader, version, out ProduceRequest? read));
            ReadOnlyMemory<byte> slice = read.Topics[0].Partitions[0].Records.Memory;
            Assert.Equal(records, slice.ToArray());
            Assert.True(slice.Span.Overlaps(frame));
        }
    }

    [Fact]
    public void Records_are_written_by_reference()
    {
        byte[] first = [1, 2, 3];
        byte[] second = [4, 5];
        FetchResponse response = new()
        {
            Topics = [new() { Name = "t", Partitions = [new() { Records = new RecordBytes([first, second]) }, new() { Index = 1 }] }],
        };
        using KafkaWriter writer = new();
        response.Write(writer, 12);
        List<ReadOnlyMemory<byte>> segments = [];
        writer.AppendSegments(segments);
        Assert.Equal(4, segments.Count);
        Assert.True(segments[1].Equals(first.AsMemory()));
        Assert.True(segments[2].Equals(second.AsMemory()));
        Assert.Equal(writer.Length, segments.Sum(s => s.Length));
        Assert.False(writer.IsContiguous);
        Assert.Throws<InvalidOperationException>(() => writer.Written);
    }

    [Fact]
    public void Names_of_one_connection_are_made_once_and_never_mixed_up()
    {
        NameCache names = new();
        Random random = new(5);
        string[] topics = [.. Enumerable.Range(0, 300).Select(i => $"topic-{i}")];
        for (int i = 0; i < 3_000; i++)
        {
            string name = topics[random.Next(topics.Length)];
            KafkaReader reader = new(AnyMessage.Write(new FindCoordinatorRequest { Key = name }, 0), names);
            Assert.True(FindCoordinatorRequest.TryRead(ref reader, 0, out FindCoordinatorRequest? read));
            Assert.Equal(name, read.Key);
        }

        byte[] bytes = AnyMessage.Write(new FindCoordinatorRequest { Key = "one" }, 0);
        KafkaReader once = new(bytes, names);
        Assert.True(FindCoordinatorRequest.TryRead(ref once, 0, out FindCoordinatorRequest? a));
        KafkaReader twice = new(bytes, names);
        Assert.True(FindCoordinatorRequest.TryRead(ref twice, 0, out FindCoordinatorRequest? b));
        Assert.Same(a.Key, b.Key);
    }
}
