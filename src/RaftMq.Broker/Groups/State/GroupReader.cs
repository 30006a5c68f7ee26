using System.Buffers.Binary;
using System.Text.Unicode;

namespace RaftMq.Broker.Groups;

/// <summary>
/// Reads what <see cref="GroupWriter"/> wrote. The bytes may be anything: after the first fault every read gives a zero and
/// <see cref="Fault"/> stays.
/// </summary>
internal ref struct GroupReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    public GroupDecodeFault Fault { get; private set; }

    public readonly bool Ok => Fault == GroupDecodeFault.None;

    public void Fail(GroupDecodeFault fault)
    {
        if (Ok)
        {
            Fault = fault;
            _rest = default;
        }
    }

    public void Require(bool condition)
    {
        if (!condition)
        {
            Fail(GroupDecodeFault.BadValue);
        }
    }

    public void RequireEnd()
    {
        if (_rest.Length != 0)
        {
            Fail(GroupDecodeFault.TrailingBytes);
        }
    }

    public byte Byte() => Take(1) is [byte value] ? value : (byte)0;

    public int Int32() => Take(sizeof(int)) is { Length: > 0 } span ? BinaryPrimitives.ReadInt32LittleEndian(span) : 0;

    public long Int64() => Take(sizeof(long)) is { Length: > 0 } span ? BinaryPrimitives.ReadInt64LittleEndian(span) : 0;

    public ulong UInt64() => unchecked((ulong)Int64());

    public UInt128 UInt128() => Take(16) is { Length: > 0 } span ? BinaryPrimitives.ReadUInt128LittleEndian(span) : 0;

    public int NotNegativeInt32()
    {
        int value = Int32();
        Require(value >= 0);
        return Ok ? value : 0;
    }

    public long NotNegativeInt64()
    {
        long value = Int64();
        Require(value >= 0);
        return Ok ? value : 0;
    }

    /// <summary>A count of items that take at least <paramref name="itemBytesMin"/> each, so that a lie cannot make a large array.</summary>
    public int Count(int itemBytesMin)
    {
        int count = NotNegativeInt32();
        if (count > _rest.Length / itemBytesMin)
        {
            Fail(GroupDecodeFault.Truncated);
        }

        return Ok ? count : 0;
    }

    public string Text()
    {
        ReadOnlySpan<byte> length = Take(sizeof(ushort));
        if (length.IsEmpty)
        {
            return "";
        }

        ReadOnlySpan<byte> text = Take(BinaryPrimitives.ReadUInt16LittleEndian(length));
        Require(Utf8.IsValid(text));
        return Ok ? System.Text.Encoding.UTF8.GetString(text) : "";
    }

    public byte[] Bytes()
    {
        int length = NotNegativeInt32();
        return Take(length).ToArray();
    }

    private ReadOnlySpan<byte> Take(int length)
    {
        if (length > _rest.Length)
        {
            Fail(GroupDecodeFault.Truncated);
            return default;
        }

        ReadOnlySpan<byte> taken = _rest[..length];
        _rest = _rest[length..];
        return taken;
    }
}
