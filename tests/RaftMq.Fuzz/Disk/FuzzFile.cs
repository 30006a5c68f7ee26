using RaftMq.Storage.Files;

namespace RaftMq.Fuzz.Disk;

/// <summary>Bytes in memory as a file.</summary>
internal sealed class FuzzFile(string path, byte[] bytes) : IDiskFile
{
    private byte[] _bytes = bytes;

    /// <summary>Behind these there are zeros up to the end of the file: a file that is made ready costs nothing.</summary>
    private int _stored = bytes.Length;
    private int _length = bytes.Length;

    public string Path => path;

    public long Length => _length;

    public byte[] Bytes
    {
        get
        {
            byte[] all = new byte[_length];
            _bytes.AsSpan(0, _stored).CopyTo(all);
            return all;
        }
    }

    /// <summary>How often it was written to, or made longer or shorter.</summary>
    public int Changes { get; private set; }

    public int Read(long position, Span<byte> buffer)
    {
        int count = (int)Math.Clamp(_length - position, 0, buffer.Length);
        int stored = (int)Math.Clamp(_stored - position, 0, count);
        _bytes.AsSpan((int)Math.Min(position, _stored), stored).CopyTo(buffer);
        buffer[stored..count].Clear();
        return count;
    }

    public void Write(long position, ReadOnlySpan<byte> bytes)
    {
        Changes++;
        int end = checked((int)position + bytes.Length);
        _length = Math.Max(_length, end);
        if (position >= _stored && !bytes.ContainsAnyExcept((byte)0))
        {
            return;
        }

        if (end > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(end, _bytes.Length * 2));
        }

        if (end > _stored)
        {
            _bytes.AsSpan(_stored, end - _stored).Clear();
            _stored = end;
        }

        bytes.CopyTo(_bytes.AsSpan((int)position));
    }

    public void Write(long position, IReadOnlyList<ReadOnlyMemory<byte>> buffers)
    {
        foreach (ReadOnlyMemory<byte> buffer in buffers)
        {
            Write(position, buffer.Span);
            position += buffer.Length;
        }
    }

    public void Sync()
    {
        // Nothing is ever lost.
    }

    public void SetLength(long length)
    {
        Changes++;
        _length = checked((int)length);
        _stored = Math.Min(_stored, _length);
    }

    public void Dispose()
    {
        // The same file may be open twice.
    }
}
