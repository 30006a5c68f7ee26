namespace RaftMq.Records;

/// <summary>
/// Judges batches as producers send them, in one pass over the bytes. Uncompressed records are walked one by one; compressed ones are
/// passed on as they came, so of them only the header and the CRC are checked.
/// </summary>
public static class RecordBatchValidator
{
    /// <summary>Judges the bytes of one partition of a produce request.</summary>
    public static RecordRunVerdict ValidateRun(ReadOnlySpan<byte> bytes)
    {
        RecordBatchVerdict first = Validate(bytes);
        if (first is not RecordBatchVerdict.Valid { Header: var header })
        {
            return new RecordRunVerdict.Refused(0, first);
        }

        if (header.SizeBytes == bytes.Length)
        {
            return new RecordRunVerdict.Valid([header]);
        }

        List<RecordBatchHeader> batches = [header];
        bytes = bytes[header.SizeBytes..];
        while (!bytes.IsEmpty)
        {
            RecordBatchVerdict next = Validate(bytes);
            if (next is not RecordBatchVerdict.Valid { Header: var nextHeader })
            {
                return new RecordRunVerdict.Refused(batches.Count, next);
            }

            batches.Add(nextHeader);
            bytes = bytes[nextHeader.SizeBytes..];
        }

        return new RecordRunVerdict.Valid(batches);
    }

    /// <summary>Judges the batch that starts at the first byte. What lies behind it is not looked at.</summary>
    public static RecordBatchVerdict Validate(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > RecordBatchLayout.Magic
            && (sbyte)bytes[RecordBatchLayout.Magic] is var magic and not RecordBatchLayout.CurrentMagic)
        {
            return new RecordBatchVerdict.UnsupportedMagic(magic);
        }

        if (!RecordBatchHeader.TryRead(bytes, out RecordBatchHeader header))
        {
            return new RecordBatchVerdict.Corrupt(
                $"{bytes.Length} bytes are less than the {RecordBatchLayout.HeaderBytes} of a batch header");
        }

        if (header.BatchLengthBytes < RecordBatchLayout.HeaderBytes - RecordBatchLayout.LengthPrefixBytes
            || header.BatchLengthBytes > bytes.Length - RecordBatchLayout.LengthPrefixBytes)
        {
            return new RecordBatchVerdict.Corrupt(
                $"batch length {header.BatchLengthBytes} does not fit the {bytes.Length} bytes that are there");
        }

        ReadOnlySpan<byte> batch = bytes[..header.SizeBytes];
        uint crc = RecordBatchPatch.ComputeCrc(batch);
        if (crc != header.Crc)
        {
            return new RecordBatchVerdict.Corrupt($"CRC is {crc:x8}, the batch says {header.Crc:x8}");
        }

        return JudgeHeader(in header)
            ?? (RecordBatchVerdict?)JudgeRecords(in header, batch[RecordBatchLayout.HeaderBytes..])
            ?? new RecordBatchVerdict.Valid(header);
    }

    private static RecordBatchVerdict.Invalid? JudgeHeader(in RecordBatchHeader header)
    {
        if (header.RecordCount <= 0)
        {
            return Invalid($"record count is {header.RecordCount}");
        }

        if (header.LastOffsetDelta != header.RecordCount - 1)
        {
            return Invalid($"last offset delta {header.LastOffsetDelta} does not fit {header.RecordCount} records");
        }

        if ((header.Attributes & ~BatchAttributes.Known) != 0 || header.Compression > CompressionType.Zstd)
        {
            return Invalid($"attributes 0x{(ushort)header.Attributes:x4} have no meaning");
        }

        if ((header.Attributes & (BatchAttributes.Control | BatchAttributes.DeleteHorizon)) != 0)
        {
            return Invalid("control batches and delete horizons are written by brokers only");
        }

        if (header.TimestampType == TimestampType.LogAppendTime)
        {
            return Invalid("log append time is given by brokers only");
        }

        if (header.HasProducerId ? header.ProducerEpoch < 0 || header.BaseSequence < 0 : header.ProducerId != -1)
        {
            return Invalid(
                $"producer id {header.ProducerId}, epoch {header.ProducerEpoch} and sequence {header.BaseSequence} do not go together");
        }

        if (header.IsTransactional && !header.HasProducerId)
        {
            return Invalid("a transactional batch needs a producer id");
        }

        return null;
    }

    private static RecordBatchVerdict.Invalid? JudgeRecords(in RecordBatchHeader header, ReadOnlySpan<byte> records)
    {
        if (header.Compression != CompressionType.None)
        {
            return records.IsEmpty ? Invalid("no compressed bytes") : null;
        }

        int at = 0;
        for (int index = 0; index < header.RecordCount; index++)
        {
            if (RecordWalk.Fault(records, ref at, index) is { } fault)
            {
                return new RecordBatchVerdict.Invalid(fault, index);
            }
        }

        return at == records.Length ? null : Invalid($"{records.Length - at} bytes follow the last record");
    }

    private static RecordBatchVerdict.Invalid Invalid(string reason) => new(reason, RecordIndex: null);
}
