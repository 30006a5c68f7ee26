using System.Buffers.Binary;
using RaftMq.Records;

namespace RaftMq.Kafka.Wire.Compression;

/// <summary>
/// Snappy blocks, written bare as librdkafka does, and read both bare and in the frame of snappy-java (which Java clients write): eight
/// bytes of magic, two version numbers, then blocks behind big-endian lengths.
/// </summary>
internal static class SnappyCodec
{
    private const string damaged = "damaged";
    private const int javaHeaderBytes = 16;

    /// <summary>The densest there is: a copy of 64 bytes in three.</summary>
    private const int expansionMax = 22;

    /// <summary>The format's reference works in pieces of this size; distances then fit two bytes.</summary>
    private const int pieceBytes = 64 * 1024;

    private static ReadOnlySpan<byte> JavaMagic => [0x82, (byte)'S', (byte)'N', (byte)'A', (byte)'P', (byte)'P', (byte)'Y', 0];

    public static string? Open(ReadOnlySpan<byte> compressed, OpenedBytes opened)
    {
        if (!compressed.StartsWith(JavaMagic) || compressed.Length < javaHeaderBytes)
        {
            return OpenBlock(compressed, opened);
        }

        compressed = compressed[javaHeaderBytes..];
        while (!compressed.IsEmpty)
        {
            if (compressed.Length < sizeof(int))
            {
                return damaged;
            }

            int blockBytes = BinaryPrimitives.ReadInt32BigEndian(compressed);
            compressed = compressed[sizeof(int)..];
            if (blockBytes < 0 || blockBytes > compressed.Length)
            {
                return damaged;
            }

            if (OpenBlock(compressed[..blockBytes], opened) is { } fault)
            {
                return fault;
            }

            compressed = compressed[blockBytes..];
        }

        return null;
    }

    public static byte[] Compress(ReadOnlySpan<byte> bytes)
    {
        // The worst case: literals only, with at most four bytes of head for each piece.
        byte[] target = new byte[Varint.Int32BytesMax + bytes.Length + (5 * ((bytes.Length / pieceBytes) + 1)) + (bytes.Length / 6)];
        int at = Varint.WriteUInt32(target, (uint)bytes.Length);
        MatchFinder finder = new();
        for (int start = 0; start < bytes.Length; start += pieceBytes)
        {
            finder.Reset();
            at += CompressPiece(bytes.Slice(start, Math.Min(pieceBytes, bytes.Length - start)), finder, target.AsSpan(at));
        }

        return target[..at];
    }

    private static string? OpenBlock(ReadOnlySpan<byte> block, OpenedBytes opened)
    {
        int at = 0;
        if (!Varint.TryReadUInt32(block, ref at, out uint announced) || announced > (long)block.Length * expansionMax)
        {
            return damaged;
        }

        int start = opened.Length;
        if (!opened.TryReserve((int)announced))
        {
            return OpenedBytes.OverLimit;
        }

        while (at < block.Length)
        {
            byte tag = block[at++];
            if (!((tag & 3) == 0 ? TryLiteral(block, ref at, tag, opened) : TryCopy(block, ref at, tag, opened, start))
                || opened.Length - start > announced)
            {
                return damaged;
            }
        }

        return opened.Length - start == announced ? null : damaged;
    }

    private static bool TryLiteral(ReadOnlySpan<byte> block, ref int at, byte tag, OpenedBytes opened)
    {
        long length = tag >> 2;
        if (length >= 60)
        {
            // 60 to 63 say that the length stands in the next one to four bytes.
            int lengthBytes = (int)length - 59;
            if (block.Length - at < lengthBytes)
            {
                return false;
            }

            length = 0;
            for (int i = lengthBytes - 1; i >= 0; i--)
            {
                length = (length << 8) | block[at + i];
            }

            at += lengthBytes;
        }

        length++;
        if (length > block.Length - at || !opened.TryAppend(block.Slice(at, (int)length)))
        {
            return false;
        }

        at += (int)length;
        return true;
    }

    private static bool TryCopy(ReadOnlySpan<byte> block, ref int at, byte tag, OpenedBytes opened, int start)
    {
        int extra = (tag & 3) switch { 1 => 1, 2 => 2, _ => 4 };
        if (block.Length - at < extra)
        {
            return false;
        }

        long distance = extra switch
        {
            1 => ((tag >> 5) << 8) | block[at],
            2 => BinaryPrimitives.ReadUInt16LittleEndian(block[at..]),
            _ => BinaryPrimitives.ReadUInt32LittleEndian(block[at..]),
        };
        int length = extra == 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
        at += extra;
        return distance <= int.MaxValue && opened.TryRepeat((int)distance, length, start);
    }

    private static int CompressPiece(ReadOnlySpan<byte> piece, MatchFinder finder, Span<byte> target)
    {
        int written = 0;
        int from = 0;
        while (finder.TryNext(piece, from, piece.Length, out int matchAt, out int distance, out int matchBytes))
        {
            written += WriteLiteral(piece[from..matchAt], target[written..]);
            from = matchAt + matchBytes;
            while (matchBytes > 0)
            {
                // A copy with two bytes of distance takes up to 64 bytes.
                int part = Math.Min(matchBytes, 64);
                target[written] = (byte)(((part - 1) << 2) | 2);
                BinaryPrimitives.WriteUInt16LittleEndian(target[(written + 1)..], (ushort)distance);
                written += 3;
                matchBytes -= part;
            }
        }

        return written + WriteLiteral(piece[from..], target[written..]);
    }

    private static int WriteLiteral(ReadOnlySpan<byte> literal, Span<byte> target)
    {
        if (literal.IsEmpty)
        {
            return 0;
        }

        int last = literal.Length - 1;
        int head = last < 60 ? 1 : last < 256 ? 2 : 3;
        target[0] = (byte)((last < 60 ? last : 58 + head) << 2);
        if (head > 1)
        {
            target[1] = (byte)last;
        }

        if (head > 2)
        {
            target[2] = (byte)(last >> 8);
        }

        literal.CopyTo(target[head..]);
        return head + literal.Length;
    }
}
