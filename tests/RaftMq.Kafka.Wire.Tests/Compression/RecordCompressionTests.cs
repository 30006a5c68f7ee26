using System.Text;
using RaftMq.Kafka.Wire.Compression;
using RaftMq.Records;

namespace RaftMq.Kafka.Wire.Tests.Compression;

public sealed class RecordCompressionTests
{
    private const int mebibyte = 1024 * 1024;

    /// <summary>200 bytes of text, as the tools named below compressed it.</summary>
    private static readonly byte[] text = Encoding.ASCII.GetBytes(
        string.Concat(Enumerable.Repeat("The quick brown fox jumps over the lazy dog. ", 6))[..200]);

    public static TheoryData<CompressionType> Types => [CompressionType.Gzip, CompressionType.Snappy, CompressionType.Lz4, CompressionType.Zstd];

    [Theory]

    // gzip 1.12
    [InlineData(CompressionType.Gzip, "1F8B08000000000000030BC94855282CCD4CCE56482ACA2FCF5348CBAF50C82ACD2D2856C82F4B2D5228014AE72456552AA4E4A7EB29840C5EC5004A990C48C8000000")]

    // npm snappyjs 0.7, a bare block
    [InlineData(CompressionType.Snappy, "C801C054686520717569636B2062726F776E20666F78206A756D7073206F76657220746865206C617A7920646F672E2054686520FE2D00FE2D005A2D00")]

    // The same block in the frame of snappy-java: magic, versions 1 and 1, one block of 60 bytes.
    [InlineData(CompressionType.Snappy, "82534E4150505900" + "00000001" + "00000001" + "0000003D" + "C801C054686520717569636B2062726F776E20666F78206A756D7073206F76657220746865206C617A7920646F672E2054686520FE2D00FE2D005A2D00")]

    // lz4 1.9.4, as it comes: independent blocks, content checksum
    [InlineData(CompressionType.Lz4, "04224D186440A738000000FF1E54686520717569636B2062726F776E20666F78206A756D7073206F76657220746865206C617A7920646F672E202D00835020666F782000000000609BE8AF")]

    // lz4 -BD -BX --content-size: linked blocks, both checksums, size
    [InlineData(CompressionType.Lz4, "04224D187C40C8000000000000002C38000000FF1E54686520717569636B2062726F776E20666F78206A756D7073206F76657220746865206C617A7920646F672E202D00835020666F7820FC8CFAF300000000609BE8AF")]

    // zstd 1.5.4, with and without the size in the head
    [InlineData(CompressionType.Zstd, "28B52FFD24C8B50100D40254686520717569636B2062726F776E20666F78206A756D7073206F76657220746865206C617A7920646F672E200100C5404A9501CB97DAB5")]
    [InlineData(CompressionType.Zstd, "28B52FFD0458B50100D40254686520717569636B2062726F776E20666F78206A756D7073206F76657220746865206C617A7920646F672E200100C5404A9501CB97DAB5")]
    public void What_other_tools_compressed_is_opened(CompressionType type, string hex)
    {
        Assert.True(RecordCompression.IsAvailable(type));
        Assert.True(RecordCompression.TryOpen(Batch(type, Convert.FromHexString(hex)), mebibyte, out ReadOnlyMemory<byte> records, out string? fault), fault);
        Assert.Equal(Encoding.ASCII.GetString(text), Encoding.ASCII.GetString(records.Span));
    }

    /// <summary>Five bytes that announce as much as may come out: nothing is made for it before it comes.</summary>
    [Fact]
    public void A_snappy_block_that_announces_more_than_it_can_hold_allocates_nothing()
    {
        byte[] batch = Batch(CompressionType.Snappy, [0x80, 0x80, 0x80, 0x20, 0]);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.False(RecordCompression.TryOpen(batch, 64 * mebibyte, out _, out string? fault));
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 100_000);
        Assert.Contains("damaged", fault, StringComparison.Ordinal);
    }

    /// <summary>A copy of 64 bytes in three, again and again, is the densest block there is.</summary>
    [Fact]
    public void The_densest_snappy_block_is_opened()
    {
        const int copies = 1_000;
        List<byte> block = [];
        uint announced = 64 + (64 * copies);
        for (; announced >= 0x80; announced >>= 7)
        {
            block.Add((byte)(announced | 0x80));
        }

        block.Add((byte)announced);
        block.AddRange([60 << 2, 63, .. new byte[64]]);
        for (int i = 0; i < copies; i++)
        {
            block.AddRange([(63 << 2) | 2, 1, 0]);
        }

        Assert.True(RecordCompression.TryOpen(Batch(CompressionType.Snappy, [.. block]), mebibyte, out ReadOnlyMemory<byte> records, out string? fault), fault);
        Assert.Equal(64 * (copies + 1), records.Length);
    }

    /// <summary>The head of a frame may ask for a window of 128 MiB; what is opened here never needs one, so nothing is made for it.</summary>
    [Fact]
    public void A_zstd_frame_with_a_large_window_is_opened_without_one()
    {
        // Magic, no size and no single segment, a window of 128 MiB, one last raw block of three bytes.
        byte[] frame = [0x28, 0xB5, 0x2F, 0xFD, 0x00, 17 << 3, 0x19, 0x00, 0x00, 1, 2, 3];
        Assert.True(RecordCompression.TryOpen(Batch(CompressionType.Zstd, frame), mebibyte, out ReadOnlyMemory<byte> records, out string? fault), fault);
        Assert.Equal([1, 2, 3], records.ToArray());
        byte[] larger = [.. frame];
        larger[5] = 21 << 3; // 2 GiB, which as a stream the library refuses.
        Assert.True(RecordCompression.TryOpen(Batch(CompressionType.Zstd, larger), mebibyte, out records, out fault), fault);
        Assert.Equal([1, 2, 3], records.ToArray());
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Every_kind_of_content_comes_back(CompressionType type)
    {
        Random random = new(9);
        foreach (int size in new[] { 1, 4, 5, 12, 13, 14, 60, 61, 64, 255, 256, 257, 1_000, 65_535, 65_536, 65_537, 70_000, 300_000 })
        {
            foreach (byte[] content in Contents(size, random))
            {
                RecordBatchBuilder builder = new();
                builder.Append(1, null, content);
                byte[] plain = builder.ToArray();
                byte[] compressed = RecordCompression.Compress(plain, type);
                var valid = Assert.IsType<RecordBatchVerdict.Valid>(RecordBatchValidator.Validate(compressed));
                Assert.Equal(type, valid.Header.Compression);
                Assert.True(RecordCompression.TryOpen(compressed, 2 * mebibyte, out ReadOnlyMemory<byte> records, out string? fault), fault);
                Assert.True(records.Span.SequenceEqual(plain.AsSpan(RecordBatchLayout.HeaderBytes)), $"{type}, {size}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Text_becomes_smaller(CompressionType type)
    {
        RecordBatchBuilder builder = new();
        builder.Append(1, null, Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(Encoding.ASCII.GetString(text), 500))));
        byte[] plain = builder.ToArray();
        Assert.InRange(RecordCompression.Compress(plain, type).Length, 1, plain.Length / 10);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Cut_or_flipped_bytes_are_refused_or_opened_but_never_throw(CompressionType type)
    {
        RecordBatchBuilder builder = new();
        builder.Append(1, null, text);
        byte[] batch = RecordCompression.Compress(builder.ToArray(), type);
        int refused = 0;
        for (int at = RecordBatchLayout.HeaderBytes; at < batch.Length; at++)
        {
            refused += RecordCompression.TryOpen(batch.AsMemory(0, at), mebibyte, out _, out string? fault) ? 0 : 1;
            Assert.True(fault is null || fault.StartsWith(type.ToString(), StringComparison.Ordinal));
            for (int bit = 0; bit < 8; bit++)
            {
                batch[at] ^= (byte)(1 << bit);
                RecordCompression.TryOpen(batch, mebibyte, out _, out _);
                batch[at] ^= (byte)(1 << bit);
            }
        }

        Assert.True(refused > 20);
    }

    /// <summary>A megabyte of zeros fits a few bytes; so would a gigabyte.</summary>
    [Theory]
    [MemberData(nameof(Types))]
    public void More_than_the_limit_is_not_opened(CompressionType type)
    {
        RecordBatchBuilder builder = new();
        builder.Append(1, null, new byte[mebibyte]);
        byte[] plain = builder.ToArray();
        byte[] batch = RecordCompression.Compress(plain, type);
        int size = plain.Length - RecordBatchLayout.HeaderBytes;
        Assert.True(RecordCompression.TryOpen(batch, size, out _, out _));
        Assert.False(RecordCompression.TryOpen(batch, size - 1, out _, out string? fault));
        Assert.Contains("allowed", fault, StringComparison.Ordinal);
    }

    /// <summary>From the xxHash repository's published sanity values, and the empty value everyone knows.</summary>
    [Fact]
    public void Frame_checksum_has_its_known_values()
    {
        Assert.Equal(0x02CC5D05u, XxHash32.Compute([]));
        Assert.Equal(0x550D7456u, XxHash32.Compute("a"u8));
        Assert.Equal(0x32D153FFu, XxHash32.Compute("abc"u8));
        Assert.Equal(0xAFE89B60u, XxHash32.Compute(text));
    }

    private static IEnumerable<byte[]> Contents(int size, Random random)
    {
        byte[] noise = new byte[size];
        random.NextBytes(noise);
        yield return noise;
        yield return new byte[size];
        yield return [.. Enumerable.Range(0, size).Select(i => text[i % text.Length])];
        yield return [.. Enumerable.Range(0, size).Select(i => (i / 700 % 2) == 0 ? noise[i] : noise[i % 300])];
    }

    private static byte[] Batch(CompressionType type, byte[] body)
    {
        byte[] batch = [.. new RecordBatchBuilder().ToArray().AsSpan(0, RecordBatchLayout.HeaderBytes), .. body];
        batch[RecordBatchLayout.Attributes + 1] = (byte)type;
        return batch;
    }
}
