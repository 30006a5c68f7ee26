using RaftMq.Records;

namespace RaftMq.Kafka.Wire.Compression;

/// <summary>
/// Opens and makes compressed batches, for clients and tools. A broker passes batches on as they came and never needs this to serve Kafka.
/// </summary>
public static class RecordCompression
{
    /// <summary>Whether batches of this type can be opened and made on this machine: zstd needs the system's library.</summary>
    public static bool IsAvailable(CompressionType type) =>
        type is >= CompressionType.None and < CompressionType.Zstd || (type == CompressionType.Zstd && ZstdLibrary.IsPresent);

    /// <summary>Gives the records of a batch uncompressed, as <see cref="RecordReader"/> wants them.</summary>
    /// <param name="batch">The whole batch, its sizes checked.</param>
    /// <param name="recordBytesMax">What they may come to: a few compressed bytes can ask for gigabytes.</param>
    /// <param name="records">A slice of the batch if it is not compressed.</param>
    /// <param name="fault">Why not; null on success.</param>
    public static bool TryOpen(
        ReadOnlyMemory<byte> batch, int recordBytesMax, out ReadOnlyMemory<byte> records, out string? fault)
    {
        records = default;
        if (!RecordBatchHeader.TryRead(batch.Span, out RecordBatchHeader header))
        {
            fault = "the batch is shorter than its header";
            return false;
        }

        ReadOnlyMemory<byte> stored = batch[RecordBatchLayout.HeaderBytes..];
        if (header.Compression == CompressionType.None)
        {
            records = stored;
            fault = null;
            return true;
        }

        OpenedBytes opened = new(stored.Length, recordBytesMax);
        fault = header.Compression switch
        {
            CompressionType.Gzip => GzipCodec.Open(stored, opened),
            CompressionType.Snappy => SnappyCodec.Open(stored.Span, opened),
            CompressionType.Lz4 => Lz4Frame.Open(stored.Span, opened),
            CompressionType.Zstd => ZstdLibrary.Open(stored.Span, opened),
            _ => $"compression {(int)header.Compression} has no meaning",
        };
        if (fault is not null)
        {
            fault = $"{header.Compression}: {fault}";
            return false;
        }

        records = opened.Written;
        return true;
    }

    /// <summary>Makes a compressed batch of an uncompressed one, as a producer does.</summary>
    /// <exception cref="NotSupportedException">The type is not available: see <see cref="IsAvailable"/>.</exception>
    public static byte[] Compress(ReadOnlySpan<byte> batch, CompressionType type)
    {
        if (!RecordBatchHeader.TryRead(batch, out RecordBatchHeader header) || header.Compression != CompressionType.None)
        {
            throw new ArgumentException("An uncompressed batch is needed.", nameof(batch));
        }

        ReadOnlySpan<byte> records = batch[RecordBatchLayout.HeaderBytes..];
        byte[] body = type switch
        {
            CompressionType.None => records.ToArray(),
            CompressionType.Gzip => GzipCodec.Compress(records),
            CompressionType.Snappy => SnappyCodec.Compress(records),
            CompressionType.Lz4 => Lz4Frame.Compress(records),
            CompressionType.Zstd => ZstdLibrary.Compress(records),
            _ => throw new NotSupportedException($"Compression {(int)type} has no meaning."),
        };
        byte[] compressed = new byte[RecordBatchLayout.HeaderBytes + body.Length];
        RecordBatchHeader changed = header with
        {
            BatchLengthBytes = compressed.Length - RecordBatchLayout.LengthPrefixBytes,
            Attributes = (short)((header.Attributes & ~BatchAttributes.CompressionMask) | (int)type),
        };
        changed.Write(compressed);
        body.CopyTo(compressed.AsSpan(RecordBatchLayout.HeaderBytes));
        RecordBatchPatch.WriteCrc(compressed);
        return compressed;
    }
}
