using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;

namespace RaftMq.Kafka.Wire.Compression;

/// <summary>Gzip (RFC 1952), from the box.</summary>
internal static class GzipCodec
{
    private const int headBytes = 10;
    private const int tailBytes = 8;

    /// <summary>One member, as producers write it.</summary>
    public static string? Open(ReadOnlyMemory<byte> compressed, OpenedBytes opened)
    {
        ArraySegment<byte> bytes = MemoryMarshal.TryGetArray(compressed, out ArraySegment<byte> array) ? array : compressed.ToArray();
        using MemoryStream source = new(bytes.Array!, bytes.Offset, bytes.Count, writable: false);
        using GZipStream gzip = new(source, CompressionMode.Decompress);
        try
        {
            while (true)
            {
                Span<byte> room = opened.Room();
                if (room.IsEmpty)
                {
                    return gzip.ReadByte() < 0 ? CutShort(compressed.Span, opened) : OpenedBytes.OverLimit;
                }

                int read = gzip.Read(room);
                if (read == 0)
                {
                    return CutShort(compressed.Span, opened);
                }

                opened.Advance(read);
            }
        }
        catch (InvalidDataException wrong)
        {
            return wrong.Message;
        }
    }

    public static byte[] Compress(ReadOnlySpan<byte> bytes)
    {
        using MemoryStream target = new();
        using (GZipStream gzip = new(target, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(bytes);
        }

        return target.ToArray();
    }

    /// <summary>
    /// The stream of the box ends quietly where the bytes are cut. The last four bytes are the size of what came out, so a cut shows there
    /// (and in the CRC before them, which the stream checks where it gets that far).
    /// </summary>
    private static string? CutShort(ReadOnlySpan<byte> compressed, OpenedBytes opened) =>
        compressed.Length < headBytes + tailBytes
        || BinaryPrimitives.ReadUInt32LittleEndian(compressed[^sizeof(uint)..]) != (uint)opened.Length
            ? "the bytes end inside"
            : null;
}
