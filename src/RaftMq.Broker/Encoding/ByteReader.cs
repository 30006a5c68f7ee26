using System.Buffers.Binary;
using System.Text.Unicode;
using RaftMq.Raft;

namespace RaftMq.Broker.Encoding;

/// <summary>
/// Reads what <see cref="ByteWriter"/> wrote. Any bytes may come in: reading past the end or a length that can't be true makes
/// <see cref="Failed"/> true for good and every further read returns zeros; the caller looks once, at the end.
/// </summary>
public ref struct ByteReader(ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private int _position;

    public bool Failed { get; private set; }

    public readonly int Position => _position;

    public readonly int Remaining => _bytes.Length - _position;

    /// <summary>Everything was read and nothing failed.</summary>
    public readonly bool AtEnd => !Failed && Remaining == 0;

    /// <summary>What was read can't be true.</summary>
    public void Fail() => Failed = true;

    public byte Byte()
    {
        ReadOnlySpan<byte> taken = Take(1);
        return taken.IsEmpty ? (byte)0 : taken[0];
    }

    public bool Bool()
    {
        byte value = Byte();
        if (value > 1)
        {
            Failed = true;
        }

        return value == 1;
    }

    public short Int16()
    {
        ReadOnlySpan<byte> taken = Take(2);
        return taken.IsEmpty ? (short)0 : BinaryPrimitives.ReadInt16LittleEndian(taken);
    }

    public int Int32()
    {
        ReadOnlySpan<byte> taken = Take(4);
        return taken.IsEmpty ? 0 : BinaryPrimitives.ReadInt32LittleEndian(taken);
    }

    public uint UInt32() => (uint)Int32();

    public long Int64()
    {
        ReadOnlySpan<byte> taken = Take(8);
        return taken.IsEmpty ? 0 : BinaryPrimitives.ReadInt64LittleEndian(taken);
    }

    public UInt128 UInt128()
    {
        ReadOnlySpan<byte> taken = Take(16);
        return taken.IsEmpty ? System.UInt128.Zero : BinaryPrimitives.ReadUInt128LittleEndian(taken);
    }

    public ReadOnlySpan<byte> Raw(int count)
    {
        if (count < 0)
        {
            Failed = true;
            return [];
        }

        return Take(count);
    }

    public ReadOnlySpan<byte> Bytes() => Raw(Int32());

    /// <summary>What is not UTF-8 was never written as a text.</summary>
    public string Text()
    {
        ReadOnlySpan<byte> text = Bytes();
        if (!Utf8.IsValid(text))
        {
            Failed = true;
            return "";
        }

        return System.Text.Encoding.UTF8.GetString(text);
    }

    public string? OptionalText() => Bool() ? Text() : null;

    public NodeId Node() => new(Int32());

    public ReplicaId Replica() => new(new NodeId(Int32()), new StoreId(UInt128()));

    /// <summary>A count of things that each take at least so many bytes: a lying count fails before anything is allocated for it.</summary>
    public int Count(int bytesEachMin)
    {
        int count = Int32();
        if (count < 0 || (long)count * bytesEachMin > Remaining)
        {
            Failed = true;
            return 0;
        }

        return count;
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (Failed || Remaining < count)
        {
            Failed = true;
            return [];
        }

        ReadOnlySpan<byte> taken = _bytes.Slice(_position, count);
        _position += count;
        return taken;
    }
}
