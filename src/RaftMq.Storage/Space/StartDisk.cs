using RaftMq.Storage.Files;

namespace RaftMq.Storage.Space;

/// <summary>
/// The disk as a start sees it: a call that finds no room gives the reserve back and is made once more, so that a node comes up on a full disk.
/// Everything that a start writes goes through here, and only that: once it is over, want of room is for the writers to wait out.
/// </summary>
public sealed class StartDisk(IDisk disk) : IDisk
{
    private bool _isOver;

    /// <summary>The start is over. Files that it opened stay open.</summary>
    public void Over() => _isOver = true;

    public bool FileExists(string path) => disk.FileExists(path);

    public bool FolderExists(string path) => disk.FolderExists(path);

    public IReadOnlyList<string> List(string folder) => disk.List(folder);

    public long FreeBytes(string folder) => disk.FreeBytes(folder);

    public void CreateFolder(string path) => WithRoom(() => disk.CreateFolder(path));

    public IDiskFile Open(string path, DiskFileMode mode)
    {
        IDiskFile? file = null;
        WithRoom(() => file = disk.Open(path, mode));
        return new StartFile(this, file!);
    }

    public void DeleteFile(string path) => disk.DeleteFile(path);

    public void DeleteFolder(string path) => disk.DeleteFolder(path);

    public void Rename(string from, string to) => WithRoom(() => disk.Rename(from, to));

    public void SyncFolder(string path) => disk.SyncFolder(path);

    private void WithRoom(Action call)
    {
        try
        {
            call();
        }
        catch (DiskFullException) when (!_isOver && ReserveFile.TryRelease(disk))
        {
            call();
        }
    }

    private sealed class StartFile(StartDisk start, IDiskFile file) : IDiskFile
    {
        public string Path => file.Path;

        public long Length => file.Length;

        public int Read(long position, Span<byte> buffer) => file.Read(position, buffer);

        public void Write(long position, ReadOnlySpan<byte> bytes)
        {
            try
            {
                file.Write(position, bytes);
            }
            catch (DiskFullException) when (!start._isOver && start.TryRelease())
            {
                file.Write(position, bytes);
            }
        }

        public void Write(long position, IReadOnlyList<ReadOnlyMemory<byte>> buffers) =>
            start.WithRoom(() => file.Write(position, buffers));

        public void WriteUncached(long position, IReadOnlyList<ReadOnlyMemory<byte>> buffers) =>
            start.WithRoom(() => file.WriteUncached(position, buffers));

        public void Sync() => file.Sync();

        public void SetLength(long length) => start.WithRoom(() => file.SetLength(length));

        public void Dispose() => file.Dispose();
    }

    private bool TryRelease() => ReserveFile.TryRelease(disk);
}
