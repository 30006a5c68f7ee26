using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace RaftMq.Server.Disk;

/// <summary>
/// Writes the whole blocks in the middle of a run past the page cache (O_DIRECT), its two ends through it. The kernel keeps both ways
/// coherent; durable is either after a sync only. Each thread keeps one block-aligned buffer.
/// </summary>
internal static unsafe class DirectWrite
{
    /// <summary>Every device in use takes this alignment.</summary>
    public const int BlockBytes = 4096;

    /// <summary>Below this much in the middle a second open file is not worth it.</summary>
    public const int MiddleBytesMin = 64 << 10;

    private const int BufferBytes = 1 << 20;

    [ThreadStatic]
    private static byte* t_buffer;

    /// <summary>Set when a file system has refused: asking again would cost each run two calls.</summary>
    private static volatile bool s_refused;

    /// <returns>The bytes written, or null when nothing was because the run is short or the file system has no such way.</returns>
    /// <exception cref="IOException">As <see cref="RandomAccess"/> throws it; any part may be written.</exception>
    public static long? TryWrite(string path, SafeFileHandle cached, long position, IReadOnlyList<ReadOnlyMemory<byte>> buffers)
    {
        long end = position;
        for (int i = 0; i < buffers.Count; i++)
        {
            end += buffers[i].Length;
        }

        long first = (position + BlockBytes - 1) & -BlockBytes;
        long last = end & -BlockBytes;
        if (s_refused || last - first < MiddleBytesMin)
        {
            return null;
        }

        using SafeFileHandle direct = LibC.Open(path, LibC.OpenWriteDirect);
        if (direct.IsInvalid)
        {
            s_refused = true;
            return null;
        }

        var source = new Source(buffers);
        Span<byte> buffer = new(Buffer(), BufferBytes);
        source.Take(buffer[..(int)(first - position)]);
        RandomAccess.Write(cached, buffer[..(int)(first - position)], position);
        for (long at = first; at < last;)
        {
            Span<byte> piece = buffer[..(int)Math.Min(BufferBytes, last - at)];
            source.Take(piece);
            try
            {
                RandomAccess.Write(direct, piece, at);
            }
            catch (IOException refusal) when (refusal.HResult == LibC.Einval)
            {
                // Some file systems open the file so and then take no write: all of the run is written again, the other way.
                s_refused = true;
                return null;
            }

            at += piece.Length;
        }

        source.Take(buffer[..(int)(end - last)]);
        RandomAccess.Write(cached, buffer[..(int)(end - last)], last);
        return end - position;
    }

    private static byte* Buffer()
    {
        if (t_buffer is null)
        {
            t_buffer = (byte*)NativeMemory.AlignedAlloc(BufferBytes, BlockBytes);
        }

        return t_buffer;
    }

    /// <summary>Buffers as one stream of bytes.</summary>
    private struct Source(IReadOnlyList<ReadOnlyMemory<byte>> buffers)
    {
        private int _next;
        private ReadOnlyMemory<byte> _rest;

        public void Take(Span<byte> target)
        {
            while (target.Length > 0)
            {
                if (_rest.Length == 0)
                {
                    _rest = buffers[_next++];
                }

                int bytes = Math.Min(target.Length, _rest.Length);
                _rest.Span[..bytes].CopyTo(target);
                _rest = _rest[bytes..];
                target = target[bytes..];
            }
        }
    }
}
