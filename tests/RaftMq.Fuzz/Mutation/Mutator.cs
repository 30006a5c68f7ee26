using System.Buffers.Binary;
using RaftMq.Fuzz.Engine;

namespace RaftMq.Fuzz.Mutation;

/// <summary>Makes new inputs out of known ones: one to sixteen changes, most of them small, many of them at lengths and counts.</summary>
internal sealed class Mutator(FuzzFormat format, FuzzRandom random, long[] constants)
{
    private const int Kinds = 16;
    private const int BlockBytesMax = 256;

    private static readonly long[] Interesting =
    [
        0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 100, 127, 128, 255, 256, 511, 512, 1000, 1023, 1024, 4095, 4096, 32767, 32768, 65535, 65536,
        100_000, 1_000_000, int.MaxValue - 1, int.MaxValue, (long)int.MaxValue + 1, uint.MaxValue, long.MaxValue - 1, long.MaxValue,
        -1, -2, -128, short.MinValue, int.MinValue, int.MinValue + 1, long.MinValue, long.MinValue + 1,
    ];

    private readonly byte[] _buffer = new byte[format.InputBytesMax];
    private int _length;

    public byte[] Mutate(ReadOnlySpan<byte> source, ReadOnlySpan<byte> other)
    {
        _length = Math.Min(source.Length, _buffer.Length);
        source[.._length].CopyTo(_buffer);
        for (int changes = 1 << random.Below(5); changes > 0; changes--)
        {
            Change(other);
        }

        return _buffer[.._length];
    }

    private void Change(ReadOnlySpan<byte> other)
    {
        int kind = random.Below(Kinds);
        if (_length == 0 || (format.KeepsLength && kind >= 11 && !random.OneIn(8)))
        {
            kind = _length == 0 ? 11 : random.Below(11);
        }

        switch (kind)
        {
            case 0 or 1:
                _buffer[Place()] ^= (byte)(1 << random.Below(8));
                break;
            case 2:
                _buffer[Place()] = (byte)random.Next();
                break;
            case 3:
                Write(Number(), Place());
                break;
            case 4:
                Add();
                break;
            case 5:
                Write(constants.Length == 0 ? Number() : constants[random.Below(constants.Length)] + Near(), Place());
                break;
            case 6:
                WriteVarint(Number(), Place());
                break;
            case 7:
                Token(insert: false);
                break;
            case 8:
                Fill();
                break;
            case 9:
                CopyWithin();
                break;
            case 10:
                Overwrite(other);
                break;
            case 11:
                Insert(Place(), random.OneIn(2) ? Own() : Random());
                break;
            case 12:
                Remove(Place(), 1 + random.Below(Math.Min(BlockBytesMax, _length)));
                break;
            case 13:
                _length = random.OneIn(2) ? random.Below(_length) : Math.Max(0, _length - 1 - random.Below(8));
                break;
            case 14:
                Insert(Place(), Part(other));
                break;
            default:
                Token(insert: true);
                break;
        }
    }

    /// <summary>Heads of things are where the questions are: half of the places are among the first bytes.</summary>
    private int Place() => random.Below(random.OneIn(2) ? Math.Min(_length, 96) : _length);

    private int Near() => random.OneIn(2) ? 0 : random.Below(5) - 2;

    private long Number() => random.Below(4) switch
    {
        0 => _length + Near(),
        1 => random.Below(_length + 1) + Near(),
        _ => Interesting[random.Below(Interesting.Length)],
    };

    private void Write(long value, int at)
    {
        Span<byte> room = _buffer.AsSpan(at, _length - at);
        bool big = random.OneIn(2);
        switch (random.Below(4))
        {
            case 0:
                room[0] = (byte)value;
                break;
            case 1 when room.Length >= 2:
                BinaryPrimitives.WriteInt16LittleEndian(room, big ? BinaryPrimitives.ReverseEndianness((short)value) : (short)value);
                break;
            case 2 when room.Length >= 4:
                BinaryPrimitives.WriteInt32LittleEndian(room, big ? BinaryPrimitives.ReverseEndianness((int)value) : (int)value);
                break;
            case 3 when room.Length >= 8:
                BinaryPrimitives.WriteInt64LittleEndian(room, big ? BinaryPrimitives.ReverseEndianness(value) : value);
                break;
        }
    }

    /// <summary>A number that is there becomes a little more or less.</summary>
    private void Add()
    {
        int at = Place();
        Span<byte> room = _buffer.AsSpan(at, _length - at);
        int by = 1 + random.Below(16);
        by = random.OneIn(2) ? by : -by;
        switch (random.Below(4))
        {
            case 0 when room.Length >= 4:
                BinaryPrimitives.WriteInt32LittleEndian(room, BinaryPrimitives.ReadInt32LittleEndian(room) + by);
                break;
            case 1 when room.Length >= 4:
                BinaryPrimitives.WriteInt32BigEndian(room, BinaryPrimitives.ReadInt32BigEndian(room) + by);
                break;
            case 2 when room.Length >= 8:
                BinaryPrimitives.WriteInt64LittleEndian(room, BinaryPrimitives.ReadInt64LittleEndian(room) + by);
                break;
            default:
                room[0] = (byte)(room[0] + by);
                break;
        }
    }

    private void WriteVarint(long value, int at)
    {
        ulong left = random.OneIn(2) ? (ulong)value : (ulong)((value << 1) ^ (value >> 63));
        for (int i = 0; i < 10 && at < _length; i++, at++, left >>= 7)
        {
            bool more = left >= 0x80 || random.OneIn(50);
            _buffer[at] = (byte)((left & 0x7F) | (more ? 0x80u : 0));
            if (!more)
            {
                return;
            }
        }
    }

    private void Token(bool insert)
    {
        if (format.Tokens.Count == 0)
        {
            Write(Number(), Place());
            return;
        }

        byte[] token = format.Tokens[random.Below(format.Tokens.Count)];
        int at = Place();
        if (insert)
        {
            Insert(at, token);
        }
        else
        {
            token.AsSpan(0, Math.Min(token.Length, _length - at)).CopyTo(_buffer.AsSpan(at));
        }
    }

    private void Fill()
    {
        int at = Place();
        byte with = random.Below(3) switch { 0 => 0, 1 => 0xFF, _ => (byte)random.Next() };
        _buffer.AsSpan(at, 1 + random.Below(Math.Min(BlockBytesMax, _length - at))).Fill(with);
    }

    private void CopyWithin()
    {
        int from = Place();
        int to = Place();
        int count = Math.Min(1 + random.Below(BlockBytesMax), _length - Math.Max(from, to));
        _buffer.AsSpan(from, count).CopyTo(_buffer.AsSpan(to));
    }

    /// <summary>The same place of another input, or another one.</summary>
    private void Overwrite(ReadOnlySpan<byte> other)
    {
        int to = Place();
        int from = random.OneIn(2) ? to : random.Below(other.Length);
        if (from < other.Length)
        {
            int count = Math.Min(random.OneIn(4) ? int.MaxValue : 1 + random.Below(BlockBytesMax), Math.Min(other.Length - from, _length - to));
            other.Slice(from, count).CopyTo(_buffer.AsSpan(to));
        }
    }

    private byte[] Own()
    {
        int from = Place();
        return _buffer.AsSpan(from, Math.Min(1 + random.Below(BlockBytesMax), _length - from)).ToArray();
    }

    private byte[] Random()
    {
        byte[] bytes = new byte[1 + random.Below(16)];
        random.Fill(bytes);
        return bytes;
    }

    private byte[] Part(ReadOnlySpan<byte> other)
    {
        int from = random.Below(other.Length);
        return other.Slice(from, Math.Min(random.Below(BlockBytesMax), other.Length - from)).ToArray();
    }

    private void Insert(int at, ReadOnlySpan<byte> bytes)
    {
        int count = Math.Min(bytes.Length, _buffer.Length - _length);
        _buffer.AsSpan(at, _length - at).CopyTo(_buffer.AsSpan(at + count));
        bytes[..count].CopyTo(_buffer.AsSpan(at));
        _length += count;
    }

    private void Remove(int at, int count)
    {
        count = Math.Min(count, _length - at);
        _buffer.AsSpan(at + count, _length - at - count).CopyTo(_buffer.AsSpan(at));
        _length -= count;
    }
}
