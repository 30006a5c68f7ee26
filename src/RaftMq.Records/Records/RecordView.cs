namespace RaftMq.Records;

/// <summary>One record where it lies. Valid as long as the bytes below it.</summary>
public readonly ref struct RecordView
{
    private readonly ReadOnlySpan<byte> headers;
    private readonly int headerCount;

    internal RecordView(
        long offset,
        long timestampMs,
        bool hasKey,
        ReadOnlySpan<byte> key,
        bool hasValue,
        ReadOnlySpan<byte> value,
        int headerCount,
        ReadOnlySpan<byte> headers)
    {
        Offset = offset;
        TimestampMs = timestampMs;
        HasKey = hasKey;
        Key = key;
        HasValue = hasValue;
        Value = value;
        this.headerCount = headerCount;
        this.headers = headers;
    }

    public long Offset { get; }

    /// <summary>Milliseconds since 1970; the batch's append time where it has one.</summary>
    public long TimestampMs { get; }

    /// <summary>False for a null key, which is not the same as an empty one.</summary>
    public bool HasKey { get; }

    public ReadOnlySpan<byte> Key { get; }

    /// <summary>False for a null value (a tombstone), which is not the same as an empty one.</summary>
    public bool HasValue { get; }

    public ReadOnlySpan<byte> Value { get; }

    public int HeaderCount => headerCount;

    public RecordHeaderEnumerator Headers => new(headers, headerCount);
}
