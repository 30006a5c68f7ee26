namespace RaftMq.Records;

/// <summary>Steps over the headers of one record.</summary>
public ref struct RecordHeaderEnumerator
{
    private readonly ReadOnlySpan<byte> bytes;
    private int left;
    private int at;

    internal RecordHeaderEnumerator(ReadOnlySpan<byte> bytes, int count)
    {
        this.bytes = bytes;
        left = count;
    }

    /// <param name="key">UTF-8.</param>
    /// <param name="hasValue">False for a null value.</param>
    /// <param name="value">Empty for a null value.</param>
    /// <returns>False after the last.</returns>
    public bool TryNext(out ReadOnlySpan<byte> key, out bool hasValue, out ReadOnlySpan<byte> value)
    {
        value = default;
        hasValue = false;
        if (left == 0 || !RecordField.TryRead(bytes, ref at, out bool hasKey, out key) || !hasKey)
        {
            key = default;
            return false;
        }

        left--;
        return RecordField.TryRead(bytes, ref at, out hasValue, out value);
    }
}
