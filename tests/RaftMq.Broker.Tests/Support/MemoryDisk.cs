using RaftMq.Storage.Files;

namespace RaftMq.Broker.Tests.Support;

/// <summary>A disk in memory that forgets nothing and never fails: what happens to files is tested in the store's own tests.</summary>
internal sealed class MemoryDisk : IDisk
{
    private readonly SortedDictionary<string, List<byte>> _files = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _folders = new(StringComparer.Ordinal);

    public IEnumerable<string> Files => _files.Keys;

    public IEnumerable<string> Folders => _folders;

    /// <summary>A file's bytes, to be damaged.</summary>
    public List<byte> this[string path] => _files[path];

    /// <summary>What there is room for; null: for everything. Only told: a write never fails for it.</summary>
    public Func<long>? Free { get; set; }

    public MemoryDisk Copy()
    {
        var copy = new MemoryDisk();
        copy._folders.UnionWith(_folders);
        foreach ((string path, List<byte> bytes) in _files)
        {
            copy._files.Add(path, [.. bytes]);
        }

        return copy;
    }

    public bool FileExists(string path) => _files.ContainsKey(path);

    public bool FolderExists(string path) => path.Length == 0 || _folders.Contains(path);

    public long FreeBytes(string folder) => Free?.Invoke() ?? long.MaxValue;

    public IReadOnlyList<string> List(string folder)
    {
        string prefix = folder.Length == 0 ? "" : folder + "/";
        return [.. _files.Keys.Concat(_folders)
            .Where(path => path.StartsWith(prefix, StringComparison.Ordinal) && path.Length > prefix.Length)
            .Select(path => path[prefix.Length..])
            .Where(name => !name.Contains('/', StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)];
    }

    public void CreateFolder(string path)
    {
        for (int slash = path.IndexOf('/', StringComparison.Ordinal); slash > 0; slash = path.IndexOf('/', slash + 1))
        {
            _folders.Add(path[..slash]);
        }

        _folders.Add(path);
    }

    public IDiskFile Open(string path, DiskFileMode mode)
    {
        if (mode == DiskFileMode.CreateNew)
        {
            Assert.False(_files.ContainsKey(path), path);
            _files.Add(path, []);
        }

        return _files.TryGetValue(path, out List<byte>? bytes)
            ? new OpenFile(path, bytes)
            : throw new DiskFaultException($"There is no {path}.");
    }

    public void DeleteFile(string path) => Assert.True(_files.Remove(path), path);

    public void DeleteFolder(string path)
    {
        Assert.True(_folders.Remove(path), path);
        foreach (string inside in _files.Keys.Where(f => f.StartsWith(path + "/", StringComparison.Ordinal)).ToArray())
        {
            _files.Remove(inside);
        }
    }

    public void Rename(string from, string to)
    {
        Assert.True(_files.Remove(from, out List<byte>? bytes), from);
        _files[to] = bytes;
    }

    public void SyncFolder(string path)
    {
    }

    private sealed class OpenFile(string path, List<byte> bytes) : IDiskFile
    {
        public string Path => path;

        public long Length => bytes.Count;

        public int Read(long position, Span<byte> buffer)
        {
            int count = (int)Math.Clamp(bytes.Count - position, 0, buffer.Length);
            System.Runtime.InteropServices.CollectionsMarshal.AsSpan(bytes).Slice((int)Math.Min(position, bytes.Count), count).CopyTo(buffer);
            return count;
        }

        public void Write(long position, ReadOnlySpan<byte> content)
        {
            if (bytes.Count < position + content.Length)
            {
                SetLength(position + content.Length);
            }

            content.CopyTo(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(bytes)[(int)position..]);
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
        }

        public void SetLength(long length) =>
            System.Runtime.InteropServices.CollectionsMarshal.SetCount(bytes, (int)length);

        public void Dispose()
        {
        }
    }
}
