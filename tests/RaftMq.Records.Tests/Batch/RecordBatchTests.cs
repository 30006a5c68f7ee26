using System.Buffers.Binary;
using System.Text;

namespace RaftMq.Records.Tests.Batch;

public sealed class RecordBatchTests
{
    /// <summary>
    /// One record: key "k", value "value", header "h" = 01, at 1,700,000,000,000 ms. Put together by hand from the layout; the CRC is that of
    /// bytes 21 to the end by the bit by bit definition (as in <see cref="Crc32CTests"/>).
    /// </summary>
    private const string GoldenHex =
        "0000000000000000" // base offset 0
        + "00000042" // length 66: 49 of the header, 17 of the record
        + "FFFFFFFF" // leader epoch -1
        + "02" // magic
        + "CCCCCCCC" // CRC, filled in below
        + "0000" // attributes
        + "00000000" // last offset delta
        + "0000018BCFE56800" // base timestamp
        + "0000018BCFE56800" // max timestamp
        + "FFFFFFFFFFFFFFFF" + "FFFF" + "FFFFFFFF" // no producer id
        + "00000001" // one record
        + "20" // 16 bytes
        + "00" + "00" + "00" // attributes, timestamp delta, offset delta
        + "02" + "6B" // key
        + "0A" + "76616C7565" // value
        + "02" // one header
        + "02" + "68" + "02" + "01";

    [Fact]
    public void Builder_writes_the_bytes_of_the_layout()
    {
        byte[] expected = Convert.FromHexString(GoldenHex.Replace("CCCCCCCC", "00000000", StringComparison.Ordinal));
        BinaryPrimitives.WriteUInt32BigEndian(expected.AsSpan(17), BitByBit(expected.AsSpan(21)));

        RecordBatchBuilder builder = new();
        builder.Append(1_700_000_000_000, "k"u8.ToArray(), "value"u8.ToArray(), [new RecordHeader("h", [1])]);

        Assert.Equal(Convert.ToHexString(expected), Convert.ToHexString(builder.ToArray()));
        Assert.Equal(expected.Length, builder.SizeBytes);
    }

    [Fact]
    public void Valid_batch_is_read_back_as_built()
    {
        byte[] batch = Sample(out _);
        var valid = Assert.IsType<RecordBatchVerdict.Valid>(RecordBatchValidator.Validate(batch));
        Assert.Equal(batch.Length, valid.Header.SizeBytes);
        Assert.Equal(3, valid.Header.RecordCount);
        Assert.Equal(77, valid.Header.ProducerId);
        Assert.Equal(5, valid.Header.ProducerEpoch);
        Assert.Equal(int.MaxValue, valid.Header.BaseSequence);
        Assert.Equal(1, valid.Header.LastSequence);
        Assert.Equal(1_000, valid.Header.BaseTimestampMs);
        Assert.Equal(2_000, valid.Header.MaxTimestampMs);

        RecordReader reader = new(valid.Header, batch.AsSpan(RecordBatchLayout.HeaderBytes));
        Assert.True(reader.TryNext(out RecordView first));
        Assert.False(first.HasKey);
        Assert.Equal("a", Encoding.UTF8.GetString(first.Value));
        Assert.True(reader.TryNext(out RecordView second));
        Assert.True(second.HasKey && second.Key.IsEmpty);
        Assert.False(second.HasValue);
        Assert.Equal(2_000, second.TimestampMs);
        Assert.True(reader.TryNext(out RecordView third));
        Assert.Equal(500, third.TimestampMs);
        Assert.Equal(2, third.HeaderCount);
        RecordHeaderEnumerator headers = third.Headers;
        Assert.True(headers.TryNext(out ReadOnlySpan<byte> key, out bool hasValue, out _));
        Assert.Equal("x", Encoding.UTF8.GetString(key));
        Assert.False(hasValue);
        Assert.True(headers.TryNext(out key, out hasValue, out ReadOnlySpan<byte> value));
        Assert.Equal("ü", Encoding.UTF8.GetString(key));
        Assert.True(hasValue);
        Assert.Equal(300, value.Length);
        Assert.False(headers.TryNext(out _, out _, out _));
        Assert.False(reader.TryNext(out _));
        Assert.Null(reader.Fault);
    }

    [Fact]
    public void A_batch_cut_at_any_length_is_corrupt()
    {
        byte[] batch = Sample(out _);
        for (int length = 0; length < batch.Length; length++)
        {
            Assert.IsType<RecordBatchVerdict.Corrupt>(RecordBatchValidator.Validate(batch.AsSpan(0, length)));
            Assert.IsType<RecordRunVerdict.Refused>(RecordBatchValidator.ValidateRun(batch.AsSpan(0, length)));
            RecordBatchEnumerator batches = new(batch.AsSpan(0, length));
            Assert.False(batches.TryNext(out _, out _));
        }
    }

    /// <summary>Base offset and leader epoch are outside the CRC on purpose; everything else must be noticed.</summary>
    [Fact]
    public void A_flipped_bit_anywhere_under_the_CRC_is_noticed()
    {
        byte[] batch = Sample(out _);
        for (int bit = 0; bit < batch.Length * 8; bit++)
        {
            int at = bit / 8;
            byte[] flipped = (byte[])batch.Clone();
            flipped[at] ^= (byte)(1 << (bit % 8));
            RecordBatchVerdict verdict = RecordBatchValidator.Validate(flipped);
            if (at is < 8 or (>= 12 and < 16))
            {
                Assert.IsType<RecordBatchVerdict.Valid>(verdict);
            }
            else
            {
                Assert.IsNotType<RecordBatchVerdict.Valid>(verdict);
            }
        }
    }

    /// <summary>With the CRC made right again, as a faulty or hostile client would: never an exception, and never out of bounds.</summary>
    [Fact]
    public void A_flipped_byte_with_a_right_CRC_is_judged_without_an_exception()
    {
        byte[] batch = Sample(out _);
        int refused = 0;
        for (int at = RecordBatchLayout.Attributes; at < batch.Length; at++)
        {
            foreach (int flip in new[] { 0x01, 0x80, 0xFF, 0x7F })
            {
                byte[] flipped = (byte[])batch.Clone();
                flipped[at] ^= (byte)flip;
                RecordBatchPatch.WriteCrc(flipped);
                if (RecordBatchValidator.Validate(flipped) is RecordBatchVerdict.Valid valid)
                {
                    if (valid.Header.Compression == CompressionType.None)
                    {
                        RecordReader reader = new(valid.Header, flipped.AsSpan(RecordBatchLayout.HeaderBytes));
                        int count = 0;
                        while (reader.TryNext(out RecordView record))
                        {
                            RecordHeaderEnumerator headers = record.Headers;
                            int headerCount = 0;
                            while (headers.TryNext(out _, out _, out _))
                            {
                                headerCount++;
                            }

                            Assert.Equal(record.HeaderCount, headerCount);
                            count++;
                        }

                        Assert.Null(reader.Fault);
                        Assert.Equal(valid.Header.RecordCount, count);
                    }
                }
                else
                {
                    refused++;
                }
            }
        }

        Assert.True(refused > 50);
    }

    [Theory]
    [InlineData(RecordBatchLayout.RecordCount + 3, 0, "record count")]
    [InlineData(RecordBatchLayout.LastOffsetDelta + 3, 3, "last offset delta")]
    [InlineData(RecordBatchLayout.Attributes, 1, "attributes")]
    [InlineData(RecordBatchLayout.Attributes + 1, 5, "attributes")]
    [InlineData(RecordBatchLayout.Attributes + 1, BatchAttributes.Control, "control")]
    [InlineData(RecordBatchLayout.Attributes + 1, BatchAttributes.LogAppendTime, "append time")]
    [InlineData(RecordBatchLayout.ProducerEpoch, 0x80, "producer id")]
    [InlineData(RecordBatchLayout.BaseSequence, 0x80, "producer id")]
    [InlineData(RecordBatchLayout.ProducerId, 0x80, "producer id")]
    [InlineData(RecordBatchLayout.HeaderBytes + 3, 2, "offset does not follow")]
    public void A_batch_no_broker_may_store_is_invalid(int at, byte value, string reason)
    {
        byte[] batch = Sample(out _);
        batch[at] = value;
        RecordBatchPatch.WriteCrc(batch);
        var invalid = Assert.IsType<RecordBatchVerdict.Invalid>(RecordBatchValidator.Validate(batch));
        Assert.Contains(reason, invalid.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_record_count_above_the_records_there_names_the_missing_one()
    {
        byte[] batch = Sample(out _);
        batch[RecordBatchLayout.RecordCount + 3] = 4;
        batch[RecordBatchLayout.LastOffsetDelta + 3] = 3;
        RecordBatchPatch.WriteCrc(batch);
        Assert.Equal(3, Assert.IsType<RecordBatchVerdict.Invalid>(RecordBatchValidator.Validate(batch)).RecordIndex);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public void Other_magic_is_named(byte magic)
    {
        byte[] batch = Sample(out _);
        batch[RecordBatchLayout.Magic] = magic;
        Assert.Equal(new RecordBatchVerdict.UnsupportedMagic(magic), RecordBatchValidator.Validate(batch));
    }

    [Fact]
    public void A_run_of_batches_is_valid_only_as_a_whole()
    {
        byte[] batch = Sample(out _);
        byte[] three = [.. batch, .. batch, .. batch];
        var valid = Assert.IsType<RecordRunVerdict.Valid>(RecordBatchValidator.ValidateRun(three));
        Assert.Equal(3, valid.Batches.Count);

        three[(2 * batch.Length) + 40] ^= 1;
        var refused = Assert.IsType<RecordRunVerdict.Refused>(RecordBatchValidator.ValidateRun(three));
        Assert.Equal(2, refused.BatchIndex);
        Assert.IsType<RecordBatchVerdict.Corrupt>(refused.Verdict);

        RecordBatchEnumerator batches = new(three.AsSpan(0, three.Length - 1));
        Assert.True(batches.TryNext(out _, out _));
        Assert.True(batches.TryNext(out _, out ReadOnlySpan<byte> second));
        Assert.Equal(batch.Length, second.Length);
        Assert.False(batches.TryNext(out _, out _));
        Assert.Equal(batch.Length - 1, batches.Rest.Length);
    }

    [Fact]
    public void Broker_fields_are_filled_in_without_breaking_the_CRC()
    {
        byte[] batch = Sample(out _);
        RecordBatchPatch.SetBaseOffset(batch, 123_456_789_012);
        RecordBatchPatch.SetPartitionLeaderEpoch(batch, 42);
        var valid = Assert.IsType<RecordBatchVerdict.Valid>(RecordBatchValidator.Validate(batch));
        Assert.Equal(123_456_789_012, valid.Header.BaseOffset);
        Assert.Equal(123_456_789_015, valid.Header.NextOffset);
        Assert.Equal(42, valid.Header.PartitionLeaderEpoch);

        RecordBatchPatch.SetLogAppendTime(batch, 9_999);
        Assert.True(RecordBatchHeader.TryRead(batch, out RecordBatchHeader header));
        Assert.Equal(TimestampType.LogAppendTime, header.TimestampType);
        Assert.Equal(RecordBatchPatch.ComputeCrc(batch), header.Crc);
        RecordReader reader = new(header, batch.AsSpan(RecordBatchLayout.HeaderBytes));
        Assert.True(reader.TryNext(out RecordView record));
        Assert.Equal(9_999, record.TimestampMs);
        Assert.Equal(123_456_789_012, record.Offset);
    }

    [Fact]
    public void Random_batches_come_back_as_they_were_built()
    {
        Random random = new(4711);
        RecordBatchBuilder builder = new(initialBytes: 16);
        for (int round = 0; round < 300; round++)
        {
            builder.Clear();
            int count = random.Next(1, 40);
            var records = new List<(long Time, byte[]? Key, byte[]? Value, RecordHeader[] Headers)>();
            for (int i = 0; i < count; i++)
            {
                RecordHeader[] headers = [.. Enumerable.Range(0, random.Next(3)).Select(
                    h => new RecordHeader($"h{h}", random.Next(3) == 0 ? null : Bytes(random, 20)))];
                records.Add((random.NextInt64(), random.Next(4) == 0 ? null : Bytes(random, 70), random.Next(5) == 0 ? null : Bytes(random, 3000), headers));
                builder.Append(records[^1].Time, records[^1].Key, records[^1].Value, headers);
            }

            ReadOnlyMemory<byte> batch = builder.Build();
            var valid = Assert.IsType<RecordBatchVerdict.Valid>(RecordBatchValidator.Validate(batch.Span));
            RecordReader reader = new(valid.Header, batch.Span[RecordBatchLayout.HeaderBytes..]);
            foreach ((long time, byte[]? key, byte[]? value, RecordHeader[] headers) in records)
            {
                Assert.True(reader.TryNext(out RecordView record));
                Assert.Equal(time, record.TimestampMs);
                Assert.Equal(key, record.HasKey ? record.Key.ToArray() : null);
                Assert.Equal(value, record.HasValue ? record.Value.ToArray() : null);
                RecordHeaderEnumerator enumerator = record.Headers;
                foreach (RecordHeader header in headers)
                {
                    Assert.True(enumerator.TryNext(out ReadOnlySpan<byte> headerKey, out bool hasValue, out ReadOnlySpan<byte> headerValue));
                    Assert.Equal(header.Key, Encoding.UTF8.GetString(headerKey));
                    Assert.Equal(header.Value, hasValue ? headerValue.ToArray() : null);
                }
            }

            Assert.False(reader.TryNext(out _));
        }
    }

    private static byte[] Sample(out RecordBatchBuilder builder)
    {
        builder = new RecordBatchBuilder { ProducerId = 77, ProducerEpoch = 5, BaseSequence = int.MaxValue };
        builder.Append(1_000, null, "a"u8.ToArray());
        builder.Append(2_000, [], null);
        builder.Append(500, "k"u8.ToArray(), "v"u8.ToArray(), [new RecordHeader("x", null), new RecordHeader("ü", new byte[300])]);
        return builder.ToArray();
    }

    private static byte[] Bytes(Random random, int max)
    {
        byte[] bytes = new byte[random.Next(max)];
        random.NextBytes(bytes);
        return bytes;
    }

    private static uint BitByBit(ReadOnlySpan<byte> bytes)
    {
        uint running = ~0u;
        foreach (byte next in bytes)
        {
            running ^= next;
            for (int bit = 0; bit < 8; bit++)
            {
                running = (running & 1) != 0 ? (running >> 1) ^ 0x82F63B78u : running >> 1;
            }
        }

        return ~running;
    }
}
