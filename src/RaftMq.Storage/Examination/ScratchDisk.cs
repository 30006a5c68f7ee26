using RaftMq.Storage.Files;

namespace RaftMq.Storage.Examination;

/// <summary>
/// A disk that can be written to without changing the one below: what is written, named or deleted is kept in memory, as far as it differs from what lies
/// there. So a start can be tried on a folder that must stay as it is.
/// </summary>
/// <param name="bytesMax">Of changed content; more finds no room. A start writes what the journal holds and is in no segment yet.</param>
internal sealed class ScratchDisk(IDisk below, long bytesMax) : IDisk
{
    private const int PageBytes = 4096;

    /// <summary>Files that were opened, made, renamed or deleted here; null: gone.</summary>
    private readonly Dictionary<string, Content?> _files = [];

    /// <summary>Made here.</summary>
    private readonly HashSet<string> _folders = [];

    /// <summary>Deleted here, with all that lies in them below.</summary>
    private readonly HashSet<string> _hidden = [];

    private long _bytes;

    public bool FileExists(string path) =>
        _files.TryGetValue(path, out Content? content) ? content is not null : !IsHidden(path) && below.FileExists(path);

    public bool FolderExists(string path) => _folders.Contains(path) || (!IsHidden(path) && below.FolderExists(path));

    public long FreeBytes(string folder) => bytesMax - _bytes;

    public IReadOnlyList<string> List(string folder)
    {
        SortedSet<string> names = new(StringComparer.Ordinal);
        if (!IsHidden(folder))
        {
            names.UnionWith(below.List(folder));
            names.RemoveWhere(name => _hidden.Contains(Join(folder, name)));
        }

        foreach ((string path, Content? content) in _files)
        {
            if (NameIn(folder, path) is not { } name)
            {
                continue;
            }

            if (content is null)
            {
                names.Remove(name);
            }
            else
            {
                names.Add(name);
            }
        }

        names.UnionWith(_folders.Select(path => NameIn(folder, path)).OfType<string>());
        return [.. names];
    }

    public void CreateFolder(string path)
    {
        for (string at = path; at.Length > 0 && !FolderExists(at); at = at[..Math.Max(0, at.LastIndexOf('/'))])
        {
            _folders.Add(at);
        }
    }

    public IDiskFile Open(string path, DiskFileMode mode)
    {
        bool exists = FileExists(path);
        if (exists != (mode == DiskFileMode.Existing))
        {
            throw new DiskFaultException($"open of {path} failed: it is {(exists ? "there" : "not there")}");
        }

        if (!exists)
        {
            _files[path] = new Content();
        }

        return new ScratchFile(this, path, ContentOf(path));
    }

    public void DeleteFile(string path) => _files[path] = null;

    public void DeleteFolder(string path)
    {
        _folders.RemoveWhere(folder => folder == path || folder.StartsWith($"{path}/", StringComparison.Ordinal));
        _hidden.Add(path);
        foreach (string file in _files.Keys.Where(file => file.StartsWith($"{path}/", StringComparison.Ordinal)).ToArray())
        {
            _files[file] = null;
        }
    }

    public void Rename(string from, string to)
    {
        _files[to] = ContentOf(from);
        _files[from] = null;
    }

    public void SyncFolder(string path)
    {
        // Nothing here outlives the process.
    }

    private static string Join(string folder, string name) => folder.Length == 0 ? name : $"{folder}/{name}";

    /// <summary>Null: the path does not lie in that folder itself.</summary>
    private static string? NameIn(string folder, string path)
    {
        int slash = path.LastIndexOf('/');
        return path[..Math.Max(0, slash)] == folder ? path[(slash + 1)..] : null;
    }

    private bool IsHidden(string path)
    {
        for (string at = path; at.Length > 0 && _hidden.Count > 0; at = at[..Math.Max(0, at.LastIndexOf('/'))])
        {
            if (_hidden.Contains(at))
            {
                return true;
            }
        }

        return false;
    }

    private Content ContentOf(string path)
    {
        if (_files.TryGetValue(path, out Content? known))
        {
            return known ?? throw new DiskFaultException($"{path} is not there");
        }

        using IDiskFile file = below.Open(path, DiskFileMode.Existing);
        Content content = new() { Below = path, BelowBytes = file.Length, Length = file.Length };
        _files.Add(path, content);
        return content;
    }

    private void Keep(Content content, long page, byte[] bytes)
    {
        if (_bytes + PageBytes > bytesMax)
        {
            throw new DiskFullException($"no more than {bytesMax} bytes of changes are kept in memory");
        }

        content.Pages.Add(page, bytes);
        _bytes += PageBytes;
    }

    private void Forget(Content content, long page)
    {
        content.Pages.Remove(page);
        _bytes -= PageBytes;
    }

    /// <summary>What a file holds, under whatever name.</summary>
    private sealed class Content
    {
        /// <summary>Where it lies on the disk below; null: made here.</summary>
        public string? Below { get; init; }

        /// <summary>Up to here what lies below counts, where no page is in its place. Behind it there are zeros.</summary>
        public long BelowBytes { get; set; }

        public long Length { get; set; }

        public Dictionary<long, byte[]> Pages { get; } = [];
    }

    private sealed class ScratchFile(ScratchDisk disk, string path, Content content) : IDiskFile
    {
        private IDiskFile? _below;

        public string Path => path;

        public long Length => content.Length;

        public int Read(long position, Span<byte> buffer)
        {
            int count = (int)Math.Clamp(content.Length - position, 0, buffer.Length);
            Span<byte> wanted = buffer[..count];
            wanted.Clear();
            int fromBelow = (int)Math.Clamp(content.BelowBytes - position, 0, count);
            if (fromBelow > 0)
            {
                _below ??= disk.Below(content);
                if (_below.Read(position, wanted[..fromBelow]) != fromBelow)
                {
                    throw new DiskFaultException($"read of {path} failed: it became shorter meanwhile");
                }
            }

            if (content.Pages.Count == 0)
            {
                return count;
            }

            for (long page = position / PageBytes; page * PageBytes < position + count; page++)
            {
                if (content.Pages.TryGetValue(page, out byte[]? bytes))
                {
                    long from = Math.Max(position, page * PageBytes);
                    long to = Math.Min(position + count, (page + 1) * PageBytes);
                    bytes.AsSpan((int)(from - (page * PageBytes)), (int)(to - from)).CopyTo(wanted[(int)(from - position)..]);
                }
            }

            return count;
        }

        public void Write(long position, ReadOnlySpan<byte> bytes)
        {
            content.Length = Math.Max(content.Length, position + bytes.Length);
            while (!bytes.IsEmpty)
            {
                long page = position / PageBytes;
                int inside = (int)(position % PageBytes);
                int count = Math.Min(bytes.Length, PageBytes - inside);
                Put(page, inside, bytes[..count]);
                position += count;
                bytes = bytes[count..];
            }
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
            // Nothing here outlives the process.
        }

        public void SetLength(long length)
        {
            if (length < content.Length)
            {
                content.BelowBytes = Math.Min(content.BelowBytes, length);
                foreach (long page in content.Pages.Keys.Where(page => page * PageBytes >= length).ToArray())
                {
                    disk.Forget(content, page);
                }

                if (content.Pages.TryGetValue(length / PageBytes, out byte[]? cut))
                {
                    cut.AsSpan((int)(length % PageBytes)).Clear();
                }
            }

            content.Length = length;
        }

        public void Dispose() => _below?.Dispose();

        private void Put(long page, int inside, ReadOnlySpan<byte> bytes)
        {
            if (content.Pages.TryGetValue(page, out byte[]? kept))
            {
                bytes.CopyTo(kept.AsSpan(inside));
                return;
            }

            byte[] whole = new byte[PageBytes];
            Read(page * PageBytes, whole);
            if (!bytes.SequenceEqual(whole.AsSpan(inside, bytes.Length)))
            {
                bytes.CopyTo(whole.AsSpan(inside));
                disk.Keep(content, page, whole);
            }
        }
    }

    private IDiskFile Below(Content content) => below.Open(content.Below!, DiskFileMode.Existing);
}
