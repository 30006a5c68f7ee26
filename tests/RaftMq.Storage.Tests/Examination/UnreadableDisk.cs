using RaftMq.Storage.Files;

namespace RaftMq.Storage.Tests.Examination;

/// <summary>A disk that gives an error for the bytes of one file, and is only read.</summary>
internal sealed class UnreadableDisk(IDisk disk, string unreadable) : IDisk
{
    public bool FileExists(string path) => disk.FileExists(path);

    public bool FolderExists(string path) => disk.FolderExists(path);

    public long FreeBytes(string folder) => disk.FreeBytes(folder);

    public IReadOnlyList<string> List(string folder) => disk.List(folder);

    public IDiskFile Open(string path, DiskFileMode mode) => mode == DiskFileMode.Existing ? new OpenFile(disk.Open(path, mode), path == unreadable) : throw ReadOnly();

    public void CreateFolder(string path) => throw ReadOnly();

    public void DeleteFile(string path) => throw ReadOnly();

    public void DeleteFolder(string path) => throw ReadOnly();

    public void Rename(string from, string to) => throw ReadOnly();

    public void SyncFolder(string path) => throw ReadOnly();

    private static NotSupportedException ReadOnly() => new("The disk is only read.");

    private sealed class OpenFile(IDiskFile file, bool isUnreadable) : IDiskFile
    {
        public string Path => file.Path;

        public long Length => file.Length;

        public int Read(long position, Span<byte> buffer) =>
            isUnreadable ? throw new DiskFaultException($"read of {Path} failed: Input/output error") : file.Read(position, buffer);

        public void Write(long position, ReadOnlySpan<byte> bytes) => throw ReadOnly();

        public void Write(long position, IReadOnlyList<ReadOnlyMemory<byte>> buffers) => throw ReadOnly();

        public void Sync() => throw ReadOnly();

        public void SetLength(long length) => throw ReadOnly();

        public void Dispose() => file.Dispose();
    }
}
