using System.Buffers;
using System.Buffers.Binary;
using RaftMq.Raft;
using RaftMq.Storage;

namespace RaftMq.Broker.Groups;

/// <summary>Writes the fields of entries and snapshots: little-endian, texts with a 16-bit and bytes with a 32-bit length before them.</summary>
internal sealed class GroupWriter
{
    private readonly ArrayBufferWriter<byte> _buffer = new(256);

    public int Length => _buffer.WrittenCount;

    public ReadOnlySpan<byte> Written => _buffer.WrittenSpan;

    public void Clear() => _buffer.ResetWrittenCount();

    public void Byte(byte value)
    {
        _buffer.GetSpan(1)[0] = value;
        _buffer.Advance(1);
    }

    public void Int32(int value)
    {
        BinaryPrimitives.WriteInt32LittleEndian(_buffer.GetSpan(sizeof(int)), value);
        _buffer.Advance(sizeof(int));
    }

    public void Int64(long value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(_buffer.GetSpan(sizeof(long)), value);
        _buffer.Advance(sizeof(long));
    }

    public void UInt64(ulong value) => Int64(unchecked((long)value));

    public void UInt128(UInt128 value)
    {
        BinaryPrimitives.WriteUInt128LittleEndian(_buffer.GetSpan(16), value);
        _buffer.Advance(16);
    }

    public void Text(string value)
    {
        int length = System.Text.Encoding.UTF8.GetByteCount(value);
        Invariant.Holds(length <= ushort.MaxValue);
        Span<byte> span = _buffer.GetSpan(sizeof(ushort) + length);
        BinaryPrimitives.WriteUInt16LittleEndian(span, (ushort)length);
        System.Text.Encoding.UTF8.GetBytes(value, span[sizeof(ushort)..]);
        _buffer.Advance(sizeof(ushort) + length);
    }

    public void Bytes(ReadOnlySpan<byte> value)
    {
        Int32(value.Length);
        _buffer.Write(value);
    }

    /// <summary>Ends the message with the CRC-32C of everything before.</summary>
    public void Checksum() => Int32(unchecked((int)Crc32C.Compute(Written)));

    public byte[] ToArray() => Written.ToArray();
}
