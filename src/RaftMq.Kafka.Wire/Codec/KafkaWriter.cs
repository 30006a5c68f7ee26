using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using RaftMq.Records;

namespace RaftMq.Kafka.Wire;

/// <summary>
/// Writes the protocol's primitives into one pooled buffer. Records are not copied: they are noted with their place, and
/// <see cref="AppendSegments"/> gives the frame as a list of pieces for one gathered send. The records' memory must stay as it is until
/// that send is over; the pieces are valid until <see cref="Clear"/> or <see cref="Dispose"/>. Not for several threads.
/// </summary>
public sealed class KafkaWriter : IDisposable
{
    /// <summary>Kept over <see cref="Clear"/>: a larger buffer was for one large answer and goes back to the pool.</summary>
    private const int keptBytesMax = 64 * 1024;

    private readonly List<(int Position, ReadOnlyMemory<byte> Bytes)> references = [];
    private byte[] buffer;
    private int length;
    private int referencedBytes;

    public KafkaWriter(int initialBytes = 512)
    {
        buffer = ArrayPool<byte>.Shared.Rent(initialBytes);
    }

    /// <summary>Bytes of the whole, records included.</summary>
    public int Length => checked(length + referencedBytes);

    /// <summary>True if everything lies in <see cref="Written"/>.</summary>
    public bool IsContiguous => references.Count == 0;

    /// <summary>What was written, if no records were.</summary>
    public ReadOnlyMemory<byte> Written => IsContiguous
        ? buffer.AsMemory(0, length)
        : throw new InvalidOperationException("Records are not in this buffer: use AppendSegments.");

    /// <summary>Adds the pieces of the whole, in order.</summary>
    public void AppendSegments(ICollection<ReadOnlyMemory<byte>> segments)
    {
        int from = 0;
        foreach ((int position, ReadOnlyMemory<byte> bytes) in references)
        {
            if (position > from)
            {
                segments.Add(buffer.AsMemory(from, position - from));
                from = position;
            }

            segments.Add(bytes);
        }

        if (length > from)
        {
            segments.Add(buffer.AsMemory(from, length - from));
        }
    }

    /// <summary>The whole in an array of its own, records copied. For tests and small messages.</summary>
    public byte[] ToArray()
    {
        byte[] whole = new byte[Length];
        int at = 0;
        List<ReadOnlyMemory<byte>> segments = [];
        AppendSegments(segments);
        foreach (ReadOnlyMemory<byte> segment in segments)
        {
            segment.CopyTo(whole.AsMemory(at));
            at += segment.Length;
        }

        return whole;
    }

    /// <summary>Forgets everything, so that the writer can be used again.</summary>
    public void Clear()
    {
        references.Clear();
        length = 0;
        referencedBytes = 0;
        if (buffer.Length > keptBytesMax)
        {
            ArrayPool<byte>.Shared.Return(buffer);
            buffer = ArrayPool<byte>.Shared.Rent(512);
        }
    }

    public void Dispose()
    {
        byte[] rented = buffer;
        buffer = [];
        length = 0;
        references.Clear();
        if (rented.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    public void WriteBool(bool value) => WriteInt8(value ? (sbyte)1 : (sbyte)0);

    public void WriteInt8(sbyte value) => Reserve(1)[0] = (byte)value;

    public void WriteInt16(short value) => BinaryPrimitives.WriteInt16BigEndian(Reserve(2), value);

    public void WriteInt32(int value) => BinaryPrimitives.WriteInt32BigEndian(Reserve(4), value);

    public void WriteInt64(long value) => BinaryPrimitives.WriteInt64BigEndian(Reserve(8), value);

    public void WriteUuid(Guid value) => value.TryWriteBytes(Reserve(16), bigEndian: true, out _);

    public void WriteError(KafkaError value) => WriteInt16((short)value);

    public void WriteApiKey(ApiKey value) => WriteInt16((short)value);

    /// <exception cref="ArgumentException">The string is longer than the 32,767 bytes an old version can say.</exception>
    public void WriteString(string value, bool flexible)
    {
        int bytes = Encoding.UTF8.GetByteCount(value);
        if (flexible)
        {
            WriteVarint((uint)bytes + 1);
        }
        else if (bytes > short.MaxValue)
        {
            throw new ArgumentException($"A string of {bytes} bytes does not fit this version.", nameof(value));
        }
        else
        {
            WriteInt16((short)bytes);
        }

        Encoding.UTF8.GetBytes(value, Reserve(bytes));
    }

    public void WriteNullableString(string? value, bool flexible, bool nullAllowed)
    {
        if (value is null && nullAllowed)
        {
            if (flexible)
            {
                WriteVarint(0);
            }
            else
            {
                WriteInt16(-1);
            }
        }
        else
        {
            WriteString(value ?? string.Empty, flexible);
        }
    }

    public void WriteBytes(ReadOnlySpan<byte> value, bool flexible)
    {
        WriteCount(value.Length, flexible);
        value.CopyTo(Reserve(value.Length));
    }

    public void WriteNullableBytes(byte[]? value, bool flexible, bool nullAllowed)
    {
        if (value is null && nullAllowed)
        {
            WriteCount(-1, flexible);
        }
        else
        {
            WriteBytes(value, flexible);
        }
    }

    /// <summary>By reference: see the class.</summary>
    public void WriteRecords(RecordBytes value, bool flexible)
    {
        WriteCount(value.Length, flexible);
        for (int i = 0; i < value.PieceCount; i++)
        {
            ReadOnlyMemory<byte> piece = value.Piece(i);
            references.Add((length, piece));
            referencedBytes = checked(referencedBytes + piece.Length);
        }
    }

    /// <inheritdoc cref="WriteRecords"/>
    public void WriteNullableRecords(RecordBytes value, bool flexible, bool nullAllowed)
    {
        if (value.IsNull && nullAllowed)
        {
            WriteCount(-1, flexible);
        }
        else
        {
            WriteRecords(value, flexible);
        }
    }

    /// <param name="count">-1 for null.</param>
    /// <param name="flexible">One more, in variable length, so that 0 is null.</param>
    public void WriteCount(int count, bool flexible)
    {
        if (flexible)
        {
            WriteVarint((uint)count + 1);
        }
        else
        {
            WriteInt32(count);
        }
    }

    public void WriteTagCount(int count) => WriteVarint((uint)count);

    /// <returns>What <see cref="EndTag"/> wants.</returns>
    public int BeginTag(int tag)
    {
        WriteVarint((uint)tag);
        return length;
    }

    /// <summary>Puts the size in front of what was written since <see cref="BeginTag"/>: tagged fields are rare and short, so it is moved.</summary>
    public void EndTag(int start)
    {
        int size = length - start;
        int sizeBytes = Varint.SizeOfUInt32((uint)size);
        Reserve(sizeBytes);
        buffer.AsSpan(start, size).CopyTo(buffer.AsSpan(start + sizeBytes));
        Varint.WriteUInt32(buffer.AsSpan(start, sizeBytes), (uint)size);
    }

    /// <summary>Bytes in the buffer, without records: the position for <see cref="PatchInt32"/>.</summary>
    public int BufferedBytes => length;

    /// <summary>Writes the number over four bytes written before, such as a length prefix.</summary>
    public void PatchInt32(int position, int value) =>
        BinaryPrimitives.WriteInt32BigEndian(buffer.AsSpan(0, length)[position..], value);

    private void WriteVarint(uint value)
    {
        if (buffer.Length - length < Varint.Int32BytesMax)
        {
            Grow(Varint.Int32BytesMax);
        }

        length += Varint.WriteUInt32(buffer.AsSpan(length), value);
    }

    private Span<byte> Reserve(int bytes)
    {
        if (buffer.Length - length < bytes)
        {
            Grow(bytes);
        }

        Span<byte> reserved = buffer.AsSpan(length, bytes);
        length += bytes;
        return reserved;
    }

    private void Grow(int moreBytes)
    {
        byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(checked(length + moreBytes), (int)Math.Min(buffer.Length * 2L, Array.MaxLength)));
        buffer.AsSpan(0, length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = larger;
    }
}
