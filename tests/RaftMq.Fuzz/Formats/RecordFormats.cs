using System.Buffers.Binary;
using RaftMq.Fuzz.Engine;
using RaftMq.Fuzz.Mutation;
using RaftMq.Kafka.Wire.Compression;
using RaftMq.Records;
using RaftMq.Storage.Log;

namespace RaftMq.Fuzz.Formats;

/// <summary>Record batches as producers send them: what is found valid can be read record by record, by everybody, with the offsets it claims.</summary>
internal sealed class RecordBatchFormat : FuzzFormat
{
    public override string Name => "record-batches";

    public override IReadOnlyList<string> Parsers =>
    [
        "RaftMq.Records.RecordBatchValidator", "RaftMq.Records.RecordWalk", "RaftMq.Records.RecordReader", "RaftMq.Records.RecordField",
        "RaftMq.Records.RecordHeaderEnumerator", "RaftMq.Records.RecordBatchEnumerator", "RaftMq.Records.RecordBatchHeader::TryRead", "RaftMq.Records.Varint",
        "RaftMq.Storage.Log.StoredBatch",
    ];

    public static void MendBatches(Span<byte> bytes)
    {
        while (bytes.Length >= RecordBatchLayout.HeaderBytes)
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(bytes[RecordBatchLayout.BatchLength..]);
            if (length < RecordBatchLayout.HeaderBytes - RecordBatchLayout.LengthPrefixBytes || length > bytes.Length - RecordBatchLayout.LengthPrefixBytes)
            {
                length = bytes.Length - RecordBatchLayout.LengthPrefixBytes;
                BinaryPrimitives.WriteInt32BigEndian(bytes[RecordBatchLayout.BatchLength..], length);
            }

            RecordBatchPatch.WriteCrc(bytes[..(length + RecordBatchLayout.LengthPrefixBytes)]);
            bytes = bytes[(length + RecordBatchLayout.LengthPrefixBytes)..];
        }
    }

    public override IEnumerable<byte[]> Seeds()
    {
        yield return Samples.Batch(1);
        yield return Samples.Batch(7);
        yield return Samples.StampedBatch(4);
        yield return [.. Samples.Batch(2), .. Samples.StampedBatch(3)];
        yield return Samples.Batch(2, builder =>
        {
            builder.Transactional = true;
            builder.ProducerId = 9;
            builder.ProducerEpoch = 0;
            builder.BaseSequence = 0;
        });
        foreach (CompressionType type in Enum.GetValues<CompressionType>().Where(RecordCompression.IsAvailable))
        {
            yield return RecordCompression.Compress(Samples.Batch(5), type);
        }
    }

    public override void Run(byte[] input)
    {
        RecordRunVerdict run = RecordBatchValidator.ValidateRun(input);
        int walked = Walk(input);
        ReadDone();
        if (run is not RecordRunVerdict.Valid valid)
        {
            return;
        }

        Oracle.Holds(walked == valid.Batches.Count, "who steps over batches finds those that were found valid");
        int at = 0;
        foreach (RecordBatchHeader header in valid.Batches)
        {
            CheckBatch(header, input.AsSpan(at, header.SizeBytes));
            at += header.SizeBytes;
        }

        Oracle.Holds(at == input.Length, "valid batches fill the bytes");
    }

    public override void Repair(byte[] input, FuzzRandom random) => MendBatches(input);

    private static void CheckBatch(in RecordBatchHeader header, Span<byte> batch)
    {
        Oracle.Holds(StoredBatch.IsWhole(batch), "the store takes a valid batch for whole");
        byte[] written = new byte[RecordBatchLayout.HeaderBytes];
        header.Write(written);
        Oracle.Same(batch[..RecordBatchLayout.HeaderBytes], written, "a header is written as it was read");
        if (header.Compression != CompressionType.None)
        {
            return;
        }

        int records = 0;
        RecordReader reader = new(header, batch[RecordBatchLayout.HeaderBytes..]);
        while (reader.TryNext(out RecordView record))
        {
            Oracle.Holds(record.Offset == header.BaseOffset + records, "records' offsets follow each other");
            int headers = 0;
            RecordHeaderEnumerator each = record.Headers;
            while (each.TryNext(out _, out _, out _))
            {
                headers++;
            }

            Oracle.Holds(headers == record.HeaderCount, "a valid record has the headers that it counts");
            records++;
        }

        Oracle.Holds(reader.Fault is null && records == header.RecordCount, "a valid batch can be read whole");
    }

    /// <summary>As a consumer does, which believes nothing.</summary>
    private static int Walk(ReadOnlySpan<byte> bytes)
    {
        int batches = 0;
        RecordBatchEnumerator each = new(bytes);
        while (each.TryNext(out RecordBatchHeader header, out ReadOnlySpan<byte> batch))
        {
            batches++;
            RecordReader reader = new(header, batch[RecordBatchLayout.HeaderBytes..]);
            while (reader.TryNext(out RecordView record))
            {
                RecordHeaderEnumerator headers = record.Headers;
                while (headers.TryNext(out _, out _, out _))
                {
                    // Only that it ends.
                }
            }
        }

        return batches;
    }
}

/// <summary>Compressed batches where they are opened: for a search by time, and by clients.</summary>
internal sealed class CompressedBatchFormat : FuzzFormat
{
    /// <summary>As the broker's and the client's limits, only lower.</summary>
    private const int RecordBytesMax = 256 << 10;

    public override string Name => "compressed-batches";

    public override IReadOnlyList<string> Parsers =>
    [
        "RaftMq.Kafka.Wire.Compression.RecordCompression::TryOpen", "RaftMq.Kafka.Wire.Compression.GzipCodec", "RaftMq.Kafka.Wire.Compression.Lz4Frame",
        "RaftMq.Kafka.Wire.Compression.Lz4Block", "RaftMq.Kafka.Wire.Compression.SnappyCodec", "RaftMq.Kafka.Wire.Compression.ZstdLibrary",
        "RaftMq.Kafka.Wire.Compression.OpenedBytes", "RaftMq.Kafka.Wire.Compression.XxHash32",
    ];

    /// <summary>A few bytes may come to many, up to the limit; the buffer doubles on its way there.</summary>
    public override long AllocatedBytesMax(int inputBytes) => (64L * inputBytes) + (4 * RecordBytesMax);

    public override IReadOnlyList<byte[]> Tokens => [[0x04, 0x22, 0x4D, 0x18], [0x28, 0xB5, 0x2F, 0xFD], [0x1F, 0x8B, 8], [0x82, (byte)'S', (byte)'N', (byte)'A', (byte)'P', (byte)'P', (byte)'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1]];

    public override IEnumerable<byte[]> Seeds()
    {
        foreach (CompressionType type in Enum.GetValues<CompressionType>().Where(RecordCompression.IsAvailable))
        {
            foreach (int valueBytes in new[] { 1, 300 })
            {
                RecordBatchBuilder builder = new();
                builder.Append(5, [1, 2, 3], new byte[valueBytes]);
                builder.Append(6, null, [.. Enumerable.Range(0, valueBytes).Select(i => (byte)(i * 7))]);
                yield return RecordCompression.Compress(builder.ToArray(), type);
            }
        }

        yield return Lz4WithChecksums();
        yield return JavaSnappy();
    }

    public override void Run(byte[] input)
    {
        if (input.Length < RecordBatchLayout.HeaderBytes)
        {
            return;
        }

        bool opened = RecordCompression.TryOpen(input, RecordBytesMax, out ReadOnlyMemory<byte> records, out string? fault);
        ReadDone();
        Oracle.Holds(opened == fault is null, "a refusal says why");
        RecordBatchHeader.TryRead(input, out RecordBatchHeader header);
        Oracle.Holds(!opened || header.Compression == CompressionType.None || records.Length <= RecordBytesMax, "no more comes out than is allowed");
        if (opened)
        {
            RecordReader reader = new(header, records.Span);
            while (reader.TryNext(out _))
            {
                // Only that it ends.
            }
        }
    }

    /// <summary>The frame's check of its own head, where there is one.</summary>
    public override void Repair(byte[] input, FuzzRandom random)
    {
        const int frameAt = RecordBatchLayout.HeaderBytes;
        if (input.Length >= frameAt + 7 && (CompressionType)(input[RecordBatchLayout.Attributes + 1] & 7) == CompressionType.Lz4)
        {
            int descriptorBytes = 2 + ((input[frameAt + 4] & 8) != 0 ? 8 : 0);
            if (input.Length > frameAt + 4 + descriptorBytes)
            {
                input[frameAt + 4 + descriptorBytes] = (byte)(XxHash32.Compute(input.AsSpan(frameAt + 4, descriptorBytes)) >> 8);
            }
        }
    }

    /// <summary>A frame with all that may stand in one: size and checksums.</summary>
    private static byte[] Lz4WithChecksums()
    {
        byte[] content = new byte[50];
        List<byte> frame = [0x04, 0x22, 0x4D, 0x18, 0x40 | 0x20 | 0x10 | 0x08 | 0x04, 0x40, 50, 0, 0, 0, 0, 0, 0, 0];
        frame.Add((byte)(XxHash32.Compute([.. frame.Skip(4)]) >> 8));
        frame.AddRange(BitConverter.GetBytes(0x80000000u | (uint)content.Length));
        frame.AddRange(content);
        frame.AddRange(BitConverter.GetBytes(XxHash32.Compute(content)));
        frame.AddRange(BitConverter.GetBytes(0u));
        frame.AddRange(BitConverter.GetBytes(XxHash32.Compute(content)));
        return Wrapped([.. frame], CompressionType.Lz4);
    }

    private static byte[] JavaSnappy()
    {
        byte[] block = RecordCompression.Compress(Samples.Batch(3), CompressionType.Snappy)[RecordBatchLayout.HeaderBytes..];
        byte[] length = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, block.Length);
        return Wrapped(
            [0x82, (byte)'S', (byte)'N', (byte)'A', (byte)'P', (byte)'P', (byte)'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1, .. length, .. block, .. length, .. block],
            CompressionType.Snappy);
    }

    private static byte[] Wrapped(byte[] body, CompressionType type)
    {
        byte[] batch = [.. Samples.Batch(1).AsSpan(0, RecordBatchLayout.HeaderBytes), .. body];
        batch[RecordBatchLayout.Attributes + 1] = (byte)type;
        RecordBatchFormat.MendBatches(batch);
        return batch;
    }
}
