using System.Text.Unicode;
using RaftMq.Broker.Encoding;

namespace RaftMq.Broker.Groups;

/// <summary>
/// Reads the fields of entries and snapshots and keeps the first <see cref="Fault"/>; after it every read gives a zero. Stricter than
/// <see cref="ByteReader"/> alone: a text is UTF-8, a value is one that is written.
/// </summary>
internal ref struct GroupReader(ReadOnlySpan<byte> bytes)
{
    private ByteReader _reader = new(bytes);
    private GroupDecodeFault _fault;

    public readonly GroupDecodeFault Fault =>
        _fault == GroupDecodeFault.None && _reader.Failed ? GroupDecodeFault.Truncated : _fault;

    public readonly bool Ok => Fault == GroupDecodeFault.None;

    public void Fail(GroupDecodeFault fault)
    {
        if (Ok)
        {
            _fault = fault;
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
        if (_reader.Remaining != 0)
        {
            Fail(GroupDecodeFault.TrailingBytes);
        }
    }

    public byte Byte() => _reader.Byte();

    public int Int32() => _reader.Int32();

    public long Int64() => _reader.Int64();

    public UInt128 UInt128() => _reader.UInt128();

    public byte[] Bytes() => _reader.Bytes().ToArray();

    public int Count(int itemBytesMin) => _reader.Count(itemBytesMin);

    public int NotNegativeInt32()
    {
        int value = _reader.Int32();
        Require(value >= 0);
        return value;
    }

    public long NotNegativeInt64()
    {
        long value = _reader.Int64();
        Require(value >= 0);
        return value;
    }

    public bool Flag()
    {
        byte value = _reader.Byte();
        Require(value <= 1);
        return value == 1;
    }

    public string Text()
    {
        ReadOnlySpan<byte> text = _reader.Bytes();
        bool valid = Utf8.IsValid(text);
        Require(valid);
        return valid ? System.Text.Encoding.UTF8.GetString(text) : "";
    }
}
