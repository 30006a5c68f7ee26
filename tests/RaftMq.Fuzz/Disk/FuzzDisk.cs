using RaftMq.Storage.Files;

namespace RaftMq.Fuzz.Disk;

/// <summary>A disk in memory on which nothing goes wrong: what is wrong stands in its files already.</summary>
internal sealed class FuzzDisk : IDisk
{
    private readonly SortedDictionary<string, FuzzFile> _files = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _folders = new(StringComparer.Ordinal) { "" };
    private int _changes;

    /// <summary>Paths and contents, by path.</summary>
    public IEnumerable<(string Path, byte[] Bytes)> Files => _files.Select(file => (file.Key, file.Value.Bytes));

    /// <summary>How often somebody changed something, in a name or in a file that is there.</summary>
    public int Changes => _changes + _files.Values.Sum(static file => file.Changes);

    /// <param name="bytes">Belong to the disk from now on.</param>
    public void Put(string path, byte[] bytes) => Put(path, new FuzzFile(path, bytes));

    public bool FileExists(string path) => _files.ContainsKey(path);

    public bool FolderExists(string path) => _folders.Contains(path);

    public long FreeBytes(string folder) => long.MaxValue;

    public IReadOnlyList<string> List(string folder)
    {
        List<string> names = [];
        string prefix = folder.Length == 0 ? "" : folder + "/";
        foreach (string path in _files.Keys)
        {
            AddName(names, prefix, path);
        }

        foreach (string path in _folders)
        {
            AddName(names, prefix, path);
        }

        names.Sort(StringComparer.Ordinal);
        return names;
    }

    public void CreateFolder(string path)
    {
        for (int slash = path.IndexOf('/', StringComparison.Ordinal); slash > 0; slash = path.IndexOf('/', slash + 1))
        {
            _changes += _folders.Add(path[..slash]) ? 1 : 0;
        }

        _changes += _folders.Add(path) ? 1 : 0;
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

    public void DeleteFile(string path)
    {
        _changes++;
        _files.Remove(path);
    }

    public void DeleteFolder(string path)
    {
        _changes++;
        _folders.Remove(path);
    }

    public void Rename(string from, string to)
    {
        _changes++;
        Put(to, _files[from]);
        _files.Remove(from);
    }

    public void SyncFolder(string path)
    {
        // Nothing is ever lost.
    }

    private static void AddName(List<string> names, string prefix, string path)
    {
        if (path.Length > prefix.Length && path.StartsWith(prefix, StringComparison.Ordinal) && !path.AsSpan(prefix.Length).Contains('/'))
        {
            names.Add(path[prefix.Length..]);
        }
    }

    private void Put(string path, FuzzFile file)
    {
        int slash = path.LastIndexOf('/');
        if (slash > 0)
        {
            CreateFolder(path[..slash]);
        }

        _changes++;
        _files[path] = file;
    }
}
