namespace RaftMq.Records;

/// <summary>Steps over one uncompressed record and checks that its parts fill it exactly.</summary>
internal static class RecordWalk
{
    /// <summary>Moves behind the record at <paramref name="at"/>, which must have the given offset delta.</summary>
    /// <returns>What is wrong with it, or null. After a fault <paramref name="at"/> has no meaning.</returns>
    public static string? Fault(ReadOnlySpan<byte> records, ref int at, int offsetDelta)
    {
        if (!Varint.TryReadInt32(records, ref at, out int length) || length < 0 || length > records.Length - at)
        {
            return "the record's length does not fit the batch";
        }

        ReadOnlySpan<byte> record = records.Slice(at, length);
        at += length;

        // Attributes of a record have no meaning yet and are not looked at, as other brokers do.
        int inside = 1;
        if (record.IsEmpty || !Varint.TryReadInt64(record, ref inside, out _) || !Varint.TryReadInt32(record, ref inside, out int delta))
        {
            return "the record ends inside its timestamp or offset";
        }

        if (delta != offsetDelta)
        {
            return "the record's offset does not follow from the one before";
        }

        if (!TrySkipNullable(record, ref inside))
        {
            return "the key's length does not fit the record";
        }

        if (!TrySkipNullable(record, ref inside))
        {
            return "the value's length does not fit the record";
        }

        // A header is two bytes at least, so a lying count ends at the record's end without further checks.
        if (!Varint.TryReadInt32(record, ref inside, out int headers) || headers < 0)
        {
            return "the header count is not a count";
        }

        for (int i = 0; i < headers; i++)
        {
            if (!TrySkip(record, ref inside) || !TrySkipNullable(record, ref inside))
            {
                return "a header does not fit the record";
            }
        }

        return inside == record.Length ? null : "bytes follow the record's last header";
    }

    private static bool TrySkip(ReadOnlySpan<byte> record, ref int at)
    {
        if (!Varint.TryReadInt32(record, ref at, out int length) || length < 0 || length > record.Length - at)
        {
            return false;
        }

        at += length;
        return true;
    }

    private static bool TrySkipNullable(ReadOnlySpan<byte> record, ref int at)
    {
        if (!Varint.TryReadInt32(record, ref at, out int length) || length < -1 || length > record.Length - at)
        {
            return false;
        }

        at += Math.Max(length, 0);
        return true;
    }
}
