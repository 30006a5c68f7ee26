using System.Text;

namespace RaftMq.Records;

/// <summary>
/// Builds one uncompressed batch, record by record, and can be used again after <see cref="Clear"/> without allocating. For clients, tests
/// and what a broker writes itself. Not for several threads.
/// </summary>
public sealed class RecordBatchBuilder
{
    private byte[] buffer;
    private int length = RecordBatchLayout.HeaderBytes;

    public RecordBatchBuilder(int initialBytes = 1024)
    {
        buffer = new byte[Math.Max(initialBytes, RecordBatchLayout.HeaderBytes)];
    }

    public int Count { get; private set; }

    /// <summary>The size of the batch as it stands, header included.</summary>
    public int SizeBytes => length;

    public long BaseTimestampMs { get; private set; } = -1;

    public long MaxTimestampMs { get; private set; } = -1;

    /// <summary>0 in what a producer sends.</summary>
    public long BaseOffset { get; set; }

    public int PartitionLeaderEpoch { get; set; } = -1;

    public long ProducerId { get; set; } = -1;

    public short ProducerEpoch { get; set; } = -1;

    public int BaseSequence { get; set; } = -1;

    public bool Transactional { get; set; }

    /// <summary>For markers that a broker writes; producers may not.</summary>
    public bool Control { get; set; }

    /// <summary>Adds a record; a null key or value is not the same as an empty one.</summary>
    /// <param name="timestampMs">Milliseconds since 1970.</param>
    public void Append(long timestampMs, byte[]? key, byte[]? value, ReadOnlySpan<RecordHeader> headers = default) =>
        Append(timestampMs, key is not null, key, value is not null, value, headers);

    /// <summary>As the other, for keys and values that are not arrays of their own.</summary>
    /// <param name="timestampMs">Milliseconds since 1970.</param>
    /// <param name="hasKey">False for a null key; <paramref name="key"/> is then not used.</param>
    /// <param name="hasValue">False for a null value; <paramref name="value"/> is then not used.</param>
    public void Append(
        long timestampMs,
        bool hasKey,
        ReadOnlySpan<byte> key,
        bool hasValue,
        ReadOnlySpan<byte> value,
        ReadOnlySpan<RecordHeader> headers = default)
    {
        if (Count == 0)
        {
            BaseTimestampMs = timestampMs;
            MaxTimestampMs = timestampMs;
        }

        MaxTimestampMs = Math.Max(MaxTimestampMs, timestampMs);
        long timestampDelta = timestampMs - BaseTimestampMs;
        int body = 1
            + Varint.SizeOfInt64(timestampDelta)
            + Varint.SizeOfInt32(Count)
            + SizeOf(key, hasKey)
            + SizeOf(value, hasValue)
            + Varint.SizeOfInt32(headers.Length);
        foreach (RecordHeader header in headers)
        {
            int keyBytes = Encoding.UTF8.GetByteCount(header.Key);
            body += Varint.SizeOfInt32(keyBytes) + keyBytes + SizeOf(header.Value, header.Value is not null);
        }

        Reserve(Varint.SizeOfInt32(body) + body);
        Span<byte> target = buffer.AsSpan(length);
        int at = Varint.WriteInt32(target, body);
        target[at++] = 0;
        at += Varint.WriteInt64(target[at..], timestampDelta);
        at += Varint.WriteInt32(target[at..], Count);
        at += Write(target[at..], key, hasKey);
        at += Write(target[at..], value, hasValue);
        at += Varint.WriteInt32(target[at..], headers.Length);
        foreach (RecordHeader header in headers)
        {
            int keyBytes = Encoding.UTF8.GetByteCount(header.Key);
            at += Varint.WriteInt32(target[at..], keyBytes);
            at += Encoding.UTF8.GetBytes(header.Key, target[at..]);
            at += Write(target[at..], header.Value, header.Value is not null);
        }

        length += at;
        Count++;
    }

    /// <summary>Fills in the header and the CRC. The bytes stay valid until the next change of this builder.</summary>
    public ReadOnlyMemory<byte> Build()
    {
        int attributes = (Transactional ? BatchAttributes.Transactional : 0) | (Control ? BatchAttributes.Control : 0);
        new RecordBatchHeader(
            BaseOffset,
            length - RecordBatchLayout.LengthPrefixBytes,
            PartitionLeaderEpoch,
            RecordBatchLayout.CurrentMagic,
            Crc: 0,
            (short)attributes,
            Count - 1,
            BaseTimestampMs,
            MaxTimestampMs,
            ProducerId,
            ProducerEpoch,
            BaseSequence,
            Count).Write(buffer);
        RecordBatchPatch.WriteCrc(buffer.AsSpan(0, length));
        return buffer.AsMemory(0, length);
    }

    /// <summary>As <see cref="Build"/>, in an array of its own.</summary>
    public byte[] ToArray() => Build().ToArray();

    /// <summary>Forgets the records and keeps the rest.</summary>
    public void Clear()
    {
        length = RecordBatchLayout.HeaderBytes;
        Count = 0;
        BaseTimestampMs = -1;
        MaxTimestampMs = -1;
    }

    private void Reserve(int moreBytes)
    {
        if (buffer.Length - length < moreBytes)
        {
            Array.Resize(ref buffer, Math.Max(checked(length + moreBytes), (int)Math.Min(buffer.Length * 2L, Array.MaxLength)));
        }
    }

    private static int SizeOf(ReadOnlySpan<byte> field, bool present) =>
        present ? Varint.SizeOfInt32(field.Length) + field.Length : 1;

    private static int Write(Span<byte> target, ReadOnlySpan<byte> field, bool present)
    {
        if (!present)
        {
            return Varint.WriteInt32(target, -1);
        }

        int at = Varint.WriteInt32(target, field.Length);
        field.CopyTo(target[at..]);
        return at + field.Length;
    }
}
