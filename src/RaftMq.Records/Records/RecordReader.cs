namespace RaftMq.Records;

/// <summary>
/// Steps over the records of one batch. The records must be uncompressed: either the batch is, or the caller opened it and hands in
/// what came out.
/// </summary>
public ref struct RecordReader
{
    private readonly RecordBatchHeader header;
    private readonly ReadOnlySpan<byte> records;
    private int index;
    private int at;

    /// <param name="header">The batch's header.</param>
    /// <param name="records">What follows the header, uncompressed.</param>
    public RecordReader(in RecordBatchHeader header, ReadOnlySpan<byte> records)
    {
        this.header = header;
        this.records = records;
    }

    /// <summary>Why <see cref="TryNext"/> ended early; null while all is well and after the last record.</summary>
    public string? Fault { get; private set; }

    /// <returns>False after the last record and at the first one that does not hold together: see <see cref="Fault"/>.</returns>
    public bool TryNext(out RecordView record)
    {
        record = default;
        if (index == header.RecordCount || Fault is not null)
        {
            return false;
        }

        int start = at;
        if (!Varint.TryReadInt32(records, ref start, out int length) || length < 1 || length > records.Length - start)
        {
            Fault = "the record's length does not fit the batch";
            return false;
        }

        ReadOnlySpan<byte> body = records.Slice(start, length);
        int inside = 1;
        if (!Varint.TryReadInt64(body, ref inside, out long timestampDelta)
            || !Varint.TryReadInt32(body, ref inside, out int offsetDelta)
            || !RecordField.TryRead(body, ref inside, out bool hasKey, out ReadOnlySpan<byte> key)
            || !RecordField.TryRead(body, ref inside, out bool hasValue, out ReadOnlySpan<byte> value)
            || !Varint.TryReadInt32(body, ref inside, out int headerCount)
            || headerCount < 0
            || headerCount > body.Length - inside)
        {
            Fault = "the record's parts do not fit its length";
            return false;
        }

        long timestampMs = header.TimestampType == TimestampType.LogAppendTime
            ? header.MaxTimestampMs
            : header.BaseTimestampMs + timestampDelta;
        record = new RecordView(
            header.BaseOffset + offsetDelta, timestampMs, hasKey, key, hasValue, value, headerCount, body[inside..]);
        at = start + length;
        index++;
        return true;
    }
}
