using RaftMq.Storage.Files;

namespace RaftMq.Simulation.Disk;

/// <inheritdoc cref="SimulatedDisk.DurableView"/>
internal sealed class DurableView(FolderNode root) : IDisk
{
    public bool FileExists(string path) => Find(path) is FileNode;

    public bool FolderExists(string path) => Find(path) is FolderNode;

    public long FreeBytes(string folder) => 0;

    public IReadOnlyList<string> List(string folder) =>
        Find(folder) is FolderNode node ? [.. node.Durable.Keys] : [];

    public IDiskFile Open(string path, DiskFileMode mode) =>
        mode == DiskFileMode.Existing && Find(path) is FileNode file
            ? new DurableFile(file, path)
            : throw new DiskFaultException($"no durable file '{path}'");

    public void CreateFolder(string path) => throw ReadOnly();

    public void DeleteFile(string path) => throw ReadOnly();

    public void DeleteFolder(string path) => throw ReadOnly();

    public void Rename(string from, string to) => throw ReadOnly();

    public void SyncFolder(string path) => throw ReadOnly();

    private static NotSupportedException ReadOnly() => new("The durable view is for reading.");

    private Node? Find(string path)
    {
        Node at = root;
        foreach (string name in SimulatedDisk.Split(path))
        {
            if (at is not FolderNode folder || !folder.Durable.TryGetValue(name, out Node? next))
            {
                return null;
            }

            at = next;
        }

        return at;
    }

    private sealed class DurableFile(FileNode file, string path) : IDiskFile
    {
        public string Path => path;

        public long Length => file.DurableLength;

        public int Read(long position, Span<byte> buffer) => file.Read(position, buffer, durable: true);

        public void Write(long position, ReadOnlySpan<byte> bytes) => throw ReadOnly();

        public void Write(long position, IReadOnlyList<ReadOnlyMemory<byte>> buffers) => throw ReadOnly();

        public void Sync() => throw ReadOnly();

        public void SetLength(long length) => throw ReadOnly();

        public void Dispose()
        {
        }
    }
}
