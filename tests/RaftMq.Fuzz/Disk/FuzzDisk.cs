using RaftMq.Storage.Files;

namespace RaftMq.Fuzz.Disk;

/// <summary>A disk in memory on which nothing goes wrong: what is wrong stands in its files already.</summary>
internal sealed class FuzzDisk : IDisk
{
    private readonly SortedDictionary<string, FuzzFile> _files = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _folders = new(StringComparer.Ordinal) { "" };

    /// <summary>Paths and contents, by path.</summary>
    public IEnumerable<(string Path, byte[] Bytes)> Files => _files.Select(file => (file.Key, file.Value.Bytes));

    public void Put(string path, byte[] bytes)
    {
        int slash = path.LastIndexOf('/');
        if (slash > 0)
        {
            CreateFolder(path[..slash]);
        }

        _files[path] = new FuzzFile(path, bytes);
    }

    public bool FileExists(string path) => _files.ContainsKey(path);

    public bool FolderExists(string path) => _folders.Contains(path);

    public long FreeBytes(string folder) => long.MaxValue;

    public IReadOnlyList<string> List(string folder)
    {
        string prefix = folder.Length == 0 ? "" : folder + "/";
        return
        [
            .. _files.Keys.Concat(_folders)
                .Where(path => path.Length > prefix.Length && path.StartsWith(prefix, StringComparison.Ordinal) && !path.AsSpan(prefix.Length).Contains('/'))
                .Select(path => path[prefix.Length..])
                .Order(StringComparer.Ordinal),
        ];
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
            if (FileExists(path))
            {
                throw new DiskFaultException($"{path} exists");
            }

            Put(path, []);
        }

        return _files.TryGetValue(path, out FuzzFile? file) ? file : throw new DiskFaultException($"there is no {path}");
    }

    public void DeleteFile(string path) => _files.Remove(path);

    public void DeleteFolder(string path) => _folders.Remove(path);

    public void Rename(string from, string to)
    {
        Put(to, _files[from].Bytes);
        _files.Remove(from);
    }

    public void SyncFolder(string path)
    {
        // Nothing is ever lost.
    }
}
