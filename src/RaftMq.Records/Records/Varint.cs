namespace RaftMq.Records;

/// <summary>
/// Numbers of variable length, seven bits a byte, lowest first. Record fields are zigzag coded (small negative numbers stay short);
/// the protocol's compact lengths are plain. A number that does not fit its type is refused.
/// </summary>
public static class Varint
{
    public const int Int32BytesMax = 5;
    public const int Int64BytesMax = 10;

    public static bool TryReadUInt32(ReadOnlySpan<byte> bytes, scoped ref int at, out uint value)
    {
        if ((uint)at < (uint)bytes.Length && bytes[at] < 0x80)
        {
            value = bytes[at++];
            return true;
        }

        return TryReadLong32(bytes, ref at, out value);
    }

    public static bool TryReadUInt64(ReadOnlySpan<byte> bytes, scoped ref int at, out ulong value)
    {
        value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            if ((uint)at >= (uint)bytes.Length)
            {
                return false;
            }

            byte next = bytes[at++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                // The tenth byte has room for one bit.
                return shift < 63 || next <= 1;
            }
        }

        return false;
    }

    /// <summary>Zigzag coded, as in records.</summary>
    public static bool TryReadInt32(ReadOnlySpan<byte> bytes, scoped ref int at, out int value)
    {
        bool read = TryReadUInt32(bytes, ref at, out uint raw);
        value = (int)(raw >> 1) ^ -(int)(raw & 1);
        return read;
    }

    /// <inheritdoc cref="TryReadInt32"/>
    public static bool TryReadInt64(ReadOnlySpan<byte> bytes, scoped ref int at, out long value)
    {
        bool read = TryReadUInt64(bytes, ref at, out ulong raw);
        value = (long)(raw >> 1) ^ -(long)(raw & 1);
        return read;
    }

    /// <returns>The bytes written, at most <see cref="Int32BytesMax"/>.</returns>
    public static int WriteUInt32(Span<byte> bytes, uint value)
    {
        int at = 0;
        for (; value >= 0x80; value >>= 7)
        {
            bytes[at++] = (byte)(value | 0x80);
        }

        bytes[at++] = (byte)value;
        return at;
    }

    /// <returns>The bytes written, at most <see cref="Int64BytesMax"/>.</returns>
    public static int WriteUInt64(Span<byte> bytes, ulong value)
    {
        int at = 0;
        for (; value >= 0x80; value >>= 7)
        {
            bytes[at++] = (byte)(value | 0x80);
        }

        bytes[at++] = (byte)value;
        return at;
    }

    /// <summary>Zigzag coded, as in records.</summary>
    public static int WriteInt32(Span<byte> bytes, int value) => WriteUInt32(bytes, ZigZag(value));

    /// <inheritdoc cref="WriteInt32"/>
    public static int WriteInt64(Span<byte> bytes, long value) => WriteUInt64(bytes, ZigZag(value));

    public static int SizeOfUInt32(uint value) => (38 - System.Numerics.BitOperations.LeadingZeroCount(value | 1)) / 7;

    public static int SizeOfInt32(int value) => SizeOfUInt32(ZigZag(value));

    public static int SizeOfInt64(long value) =>
        (70 - System.Numerics.BitOperations.LeadingZeroCount(ZigZag(value) | 1)) / 7;

    private static uint ZigZag(int value) => (uint)((value << 1) ^ (value >> 31));

    private static ulong ZigZag(long value) => (ulong)((value << 1) ^ (value >> 63));

    private static bool TryReadLong32(ReadOnlySpan<byte> bytes, scoped ref int at, out uint value)
    {
        value = 0;
        for (int shift = 0; shift < 32; shift += 7)
        {
            if ((uint)at >= (uint)bytes.Length)
            {
                return false;
            }

            byte next = bytes[at++];
            value |= (uint)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                // The fifth byte has room for four bits.
                return shift < 28 || next <= 0x0F;
            }
        }

        return false;
    }
}
