using RaftMq.Storage.Files;

namespace RaftMq.Fuzz.Disk;

/// <summary>Bytes in memory as a file.</summary>
internal sealed class FuzzFile(string path, byte[] bytes) : IDiskFile
{
    private byte[] _bytes = bytes;
    private int _length = bytes.Length;

    public string Path => path;

    public long Length => _length;

    public byte[] Bytes => _bytes.Length == _length ? _bytes : _bytes[.._length];

    /// <summary>How many bytes were read: a reader that reads the same ones over and over is a slow start.</summary>
    public long ReadBytes { get; private set; }

    public int Read(long position, Span<byte> buffer)
    {
        int count = (int)Math.Clamp(_length - position, 0, buffer.Length);
        _bytes.AsSpan((int)Math.Min(position, _length), count).CopyTo(buffer);
        ReadBytes += count;
        return count;
    }

    public void Write(long position, ReadOnlySpan<byte> bytes)
    {
        int end = checked((int)position + bytes.Length);
        if (end > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(end, _bytes.Length * 2));
        }

        bytes.CopyTo(_bytes.AsSpan((int)position));
        _length = Math.Max(_length, end);
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
        Array.Resize(ref _bytes, (int)length);
        _length = (int)length;
    }

    public void Dispose()
    {
        // The same file may be open twice.
    }
}
