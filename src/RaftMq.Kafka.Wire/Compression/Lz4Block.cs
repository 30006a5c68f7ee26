using System.Buffers.Binary;

namespace RaftMq.Kafka.Wire.Compression;

/// <summary>One LZ4 block: sequences of new bytes and a match, lengths of 15 and more continued in bytes of 255.</summary>
internal static class Lz4Block
{
    /// <summary>The format ends every block with at least five new bytes, and starts no match within its last twelve.</summary>
    private const int lastLiterals = 5;
    private const int lastMatchStart = 12;

    /// <summary>Every byte new, a length byte per 255 of them, and the token.</summary>
    public static int SizeMax(int bytes) => bytes + (bytes / 255) + 16;

    /// <summary>Appends what comes out. Matches may reach back into blocks before, as linked blocks do.</summary>
    public static bool TryOpen(ReadOnlySpan<byte> block, OpenedBytes opened)
    {
        int at = 0;
        while (at < block.Length)
        {
            byte token = block[at++];
            if (!TryLength(block, ref at, token >> 4, out int literals)
                || literals > block.Length - at
                || !opened.TryAppend(block.Slice(at, literals)))
            {
                return false;
            }

            at += literals;
            if (at == block.Length)
            {
                return true;
            }

            if (block.Length - at < sizeof(ushort))
            {
                return false;
            }

            int distance = BinaryPrimitives.ReadUInt16LittleEndian(block[at..]);
            at += sizeof(ushort);
            if (!TryLength(block, ref at, token & 15, out int match)
                || !opened.TryRepeat(distance, match + MatchFinder.MatchBytesMin, lowest: 0))
            {
                return false;
            }
        }

        // A block ends after new bytes, never after a match.
        return false;
    }

    /// <returns>The bytes written, at most <see cref="SizeMax"/>.</returns>
    public static int Compress(ReadOnlySpan<byte> bytes, MatchFinder finder, Span<byte> target)
    {
        finder.Reset();
        int written = 0;
        int from = 0;
        int end = bytes.Length - lastLiterals;
        while (bytes.Length - from > lastMatchStart
            && finder.TryNext(bytes, from, end, out int matchAt, out int distance, out int matchBytes)
            && matchAt <= bytes.Length - lastMatchStart)
        {
            written += WriteSequence(bytes[from..matchAt], matchBytes, target[written..]);
            BinaryPrimitives.WriteUInt16LittleEndian(target[written..], (ushort)distance);
            written += sizeof(ushort);
            written += WriteLength(matchBytes - MatchFinder.MatchBytesMin, target[written..]);
            from = matchAt + matchBytes;
        }

        return written + WriteSequence(bytes[from..], MatchFinder.MatchBytesMin, target[written..]);
    }

    private static bool TryLength(ReadOnlySpan<byte> block, ref int at, int start, out int length)
    {
        length = start;
        if (start < 15)
        {
            return true;
        }

        byte next;
        do
        {
            if (at == block.Length)
            {
                return false;
            }

            // At most one 255th of two billion bytes can be here, so this does not overflow.
            next = block[at++];
            length += next;
        }
        while (next == 255 && length <= int.MaxValue - 1_024);

        return next != 255;
    }

    private static int WriteSequence(ReadOnlySpan<byte> literals, int matchBytes, Span<byte> target)
    {
        target[0] = (byte)((Math.Min(literals.Length, 15) << 4) | Math.Min(matchBytes - MatchFinder.MatchBytesMin, 15));
        int at = 1 + WriteLength(literals.Length, target[1..]);
        literals.CopyTo(target[at..]);
        return at + literals.Length;
    }

    private static int WriteLength(int length, Span<byte> target)
    {
        int at = 0;
        if (length >= 15)
        {
            for (length -= 15; length >= 255; length -= 255)
            {
                target[at++] = 255;
            }

            target[at++] = (byte)length;
        }

        return at;
    }
}
