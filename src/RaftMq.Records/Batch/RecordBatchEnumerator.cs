namespace RaftMq.Records;

/// <summary>
/// Steps over the batches of fetched or stored bytes. A last batch that is cut short ends the run quietly, as a fetch answer may end
/// inside a batch; <see cref="Rest"/> tells how much was left.
/// </summary>
public ref struct RecordBatchEnumerator
{
    private ReadOnlySpan<byte> rest;

    public RecordBatchEnumerator(ReadOnlySpan<byte> bytes)
    {
        rest = bytes;
    }

    /// <summary>The bytes not stepped over.</summary>
    public readonly ReadOnlySpan<byte> Rest => rest;

    /// <param name="header">The header, its sizes checked, its CRC not.</param>
    /// <param name="batch">The whole batch.</param>
    /// <returns>False at the end, at a batch cut short, and at a length no batch can have.</returns>
    public bool TryNext(out RecordBatchHeader header, out ReadOnlySpan<byte> batch)
    {
        batch = default;
        if (!RecordBatchHeader.TryRead(rest, out header)
            || header.BatchLengthBytes < RecordBatchLayout.HeaderBytes - RecordBatchLayout.LengthPrefixBytes
            || header.BatchLengthBytes > rest.Length - RecordBatchLayout.LengthPrefixBytes)
        {
            return false;
        }

        batch = rest[..header.SizeBytes];
        rest = rest[header.SizeBytes..];
        return true;
    }
}
