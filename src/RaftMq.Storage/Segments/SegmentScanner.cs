using System.Buffers.Binary;
using RaftMq.Storage.Files;
using RaftMq.Storage.Log;

namespace RaftMq.Storage.Segments;

/// <summary>Why a scan stopped.</summary>
internal enum ScanEnd
{
    /// <summary>At the limit, behind a whole entry.</summary>
    Limit,

    /// <summary>The bytes there are not a whole, undamaged entry.</summary>
    NotAnEntry,
}

/// <summary>
/// Reads entries one behind the other out of a segment's file, with every length checked before use. Works on the disk's thread.
/// </summary>
internal sealed class SegmentScanner(IDiskFile file, long position, long limit, int readBytes)
{
    private byte[] _buffer = [];
    private int _at;
    private int _filled;

    /// <summary>Where the next entry starts in the file.</summary>
    public long Position { get; private set; } = position;

    public ScanEnd End { get; private set; }

    /// <summary>
    /// Gives the next entry, whose header and guarded bytes are whole. A record batch's body is the caller's to check. The memory
    /// stays as it is: a further read takes a new buffer.
    /// </summary>
    public bool TryNext(out EntryHeader header, out ReadOnlyMemory<byte> entry)
    {
        header = default;
        entry = default;
        if (Position == limit)
        {
            End = ScanEnd.Limit;
            return false;
        }

        End = ScanEnd.NotAnEntry;
        if (!Have(EntryLayout.HeaderBytes))
        {
            return false;
        }

        uint length = BinaryPrimitives.ReadUInt32LittleEndian(_buffer.AsSpan(_at));
        if (length < EntryLayout.HeaderBytes
            || length > EntryLayout.EntryBytesMax
            || !Have((int)length)
            || !EntryLayout.TryRead(_buffer.AsSpan(_at, (int)length), out header))
        {
            return false;
        }

        entry = _buffer.AsMemory(_at, (int)length);
        _at += (int)length;
        Position += length;
        return true;
    }

    /// <summary>True when the next entry lies in the buffer already, as far as its length says.</summary>
    public bool IsBuffered =>
        _filled - _at >= EntryLayout.HeaderBytes
        && BinaryPrimitives.ReadUInt32LittleEndian(_buffer.AsSpan(_at)) <= (uint)(_filled - _at);

    private bool Have(int bytes)
    {
        if (_filled - _at >= bytes)
        {
            return true;
        }

        if (limit - Position < bytes)
        {
            return false;
        }

        int size = (int)Math.Min(limit - Position, Math.Max(bytes, readBytes));
        byte[] buffer = GC.AllocateUninitializedArray<byte>(size);
        int kept = _filled - _at;
        _buffer.AsSpan(_at, kept).CopyTo(buffer);
        _filled = kept + file.Read(Position + kept, buffer.AsSpan(kept));
        _buffer = buffer;
        _at = 0;
        return _filled >= bytes;
    }
}
