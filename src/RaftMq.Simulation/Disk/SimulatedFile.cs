using RaftMq.Storage.Files;

namespace RaftMq.Simulation.Disk;

internal sealed class SimulatedFile(SimulatedDisk disk, FileNode node, string path) : IDiskFile
{
    private readonly int _life = disk.Life;
    private bool _disposed;

    public string Path => path;

    public long Length
    {
        get
        {
            CheckUsable();
            return node.Length;
        }
    }

    public int Read(long position, Span<byte> buffer)
    {
        CheckUsable();
        return disk.Read(node, path, position, buffer);
    }

    /// <summary>What a power cut now would leave, for the durability checker.</summary>
    internal int ReadDurable(long position, Span<byte> buffer) => node.Read(position, buffer, durable: true);

    public void Write(long position, ReadOnlySpan<byte> bytes)
    {
        CheckUsable();
        disk.Write(node, path, position, bytes);
    }

    public void Write(long position, IReadOnlyList<ReadOnlyMemory<byte>> buffers)
    {
        CheckUsable();
        for (int i = 0; i < buffers.Count; i++)
        {
            disk.Write(node, path, position, buffers[i].Span);
            position += buffers[i].Length;
        }
    }

    public void Sync()
    {
        CheckUsable();
        disk.Sync(node, path);
    }

    public void SetLength(long length)
    {
        CheckUsable();
        disk.SetLength(node, path, length);
    }

    public void Dispose() => _disposed = true;

    private void CheckUsable()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        disk.CheckAlive(_life);
    }
}
