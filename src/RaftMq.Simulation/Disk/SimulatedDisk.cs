using RaftMq.Raft;
using RaftMq.Storage.Files;

namespace RaftMq.Simulation.Disk;

/// <summary>
/// A disk in memory that forgets as real ones do. It keeps each file's sectors and length and each folder's names twice: as the process
/// sees them and as the disk has them. Its life: the process works; it dies with its cache alive (<see cref="ProcessCrash"/>) or with
/// everything (<see cref="PowerCut(RandomSource)"/>), both of which void all open files; the next process works on what is left.
/// All chance comes from the generator handed in, so a seed replays.
/// </summary>
public sealed class SimulatedDisk : IDisk
{
    private readonly SortedSet<string> _lostOnMedium = new(StringComparer.Ordinal);
    private readonly RandomSource _random;
    private readonly PagePool _pool = new();
    private readonly List<SimulatedDiskFault> _faults = [];
    private FolderNode _root = new();
    private DiskCounters _counters;
    private long _crashAt = long.MaxValue;
    private (string Point, int Later, Action? Struck)? _crashPoint;

    public SimulatedDisk(RandomSource random)
    {
        _random = random;
    }

    /// <summary>
    /// Bytes of all files together; writes that need more throw <see cref="DiskFullException"/>. With less than a page left new names find no room
    /// either, now and then: a folder that is to hold one more may need another block.
    /// </summary>
    public long CapacityBytesMax { get; set; } = long.MaxValue;

    /// <summary>On a full disk a new name finds no room with this chance, one in; 0 for never.</summary>
    public int NameWithoutRoomOneIn { get; set; } = 4;

    /// <summary>Of all files together, as <see cref="CapacityBytesMax"/> counts them.</summary>
    public long UsedBytes => UsedBytesOf(_root);

    public long FreeBytes(string folder) => CapacityBytesMax == long.MaxValue ? long.MaxValue : Math.Max(0, CapacityBytesMax - UsedBytes);

    /// <summary>How many calls changed something since the disk was made: writes, syncs, names, lengths.</summary>
    public long Operations { get; private set; }

    /// <summary>True after a crash fired, until the harness calls <see cref="ProcessCrash"/> or <see cref="PowerCut(RandomSource)"/>.</summary>
    public bool IsCrashed { get; private set; }

    /// <summary>Where the last crash fired (<see cref="CrashPoint"/>); null when none did yet.</summary>
    public string? CrashedIn { get; private set; }

    public DiskCounters Counters => _counters;

    /// <summary>Faults that were armed and have not struck yet.</summary>
    public IReadOnlyList<SimulatedDiskFault> ArmedFaults => _faults;

    /// <summary>Open files of an earlier life are void.</summary>
    internal int Life { get; private set; }

    internal PagePool Pool => _pool;

    // --- faults and crashes, for the harness ---

    /// <summary>The next call that the fault applies to goes wrong.</summary>
    public void Arm(SimulatedDiskFault fault) => _faults.Add(fault);

    /// <summary>Forgets the faults that have not struck.</summary>
    public void DisarmAll() => _faults.Clear();

    /// <summary>
    /// The process dies in the call that would be the <paramref name="operations"/>-th from now (1 is the next): before it has an effect,
    /// or, in a write, after any number of its sectors.
    /// </summary>
    public void CrashAfter(long operations) => _crashAt = Operations + operations;

    public void CancelCrash()
    {
        _crashAt = long.MaxValue;
        _crashPoint = null;
    }

    /// <summary>The process dies so many operations behind the next one of a kind (<see cref="CrashPoint"/>); null takes it back.</summary>
    /// <param name="struck">The operation of that kind has come.</param>
    public void CrashAtPoint(string? point, int operationsLater, Action? struck = null) => _crashPoint = point is null ? null : (point, operationsLater, struck);

    /// <summary>The process is gone, the machine runs on: what was written is still in the cache and not yet durable.</summary>
    public void ProcessCrash() => EndLife();

    /// <summary>The volume is exchanged for an empty one.</summary>
    public void Wipe()
    {
        EndLife();
        _root = new FolderNode();
    }

    /// <summary>All that was not synced is kept or lost, part by part, by chance; a length may also end up in between.</summary>
    public void PowerCut(RandomSource random)
    {
        // Mixed odds: power cuts that keep nearly all or nearly nothing find other bugs than even ones.
        int outOf = 1 << random.Next(1, 6);
        bool mostly = random.OneIn(2);
        PowerCut(
            _ => random.OneIn(outOf) != mostly,
            (durable, cached) => random.OneIn(3) ? Between(random, durable, cached) : durable);
    }

    /// <summary>As the other one, with the choice made by the caller; a length that is not kept is the durable one.</summary>
    public void PowerCut(Func<UnsyncedPart, bool> keeps) => PowerCut(keeps, (durable, _) => durable);

    /// <summary>What a power cut would decide about now: files' sectors and lengths in order of their path, then names.</summary>
    public IReadOnlyList<UnsyncedPart> Unsynced()
    {
        List<UnsyncedPart> parts = [];
        ListUnsynced(_root, "", parts);
        return parts;
    }

    /// <summary>Flips bits of one byte on the medium (and in the cache).</summary>
    public void Decay(string path, long position, byte mask) => FileAt(path).Decay(position, mask, _pool);

    /// <summary>Other bytes stand on the medium (and in the cache) than were written there.</summary>
    public void Impose(string path, long position, ReadOnlySpan<byte> bytes)
    {
        FileNode file = FileAt(path);
        Span<byte> now = stackalloc byte[SectorPage.PageSizeBytes];
        Invariant.Holds(bytes.Length <= now.Length);
        int count = file.Read(position, now[..bytes.Length], durable: false);
        for (int i = 0; i < count; i++)
        {
            if (now[i] != bytes[i])
            {
                file.Decay(position + i, (byte)(now[i] ^ bytes[i]), _pool);
            }
        }
    }

    /// <summary>The block that holds this position can't be read until something is written to it (a latent sector error).</summary>
    public void LoseBlock(string path, long position) => FileAt(path).LosePage(position, _pool);

    /// <summary>The whole file as it is cached, whether the medium gives it back or not.</summary>
    public byte[] Content(string path)
    {
        FileNode file = FileAt(path);
        byte[] bytes = new byte[file.Length];
        file.Read(0, bytes, durable: false);
        return bytes;
    }

    /// <summary>The file is shorter on the medium (and in the cache) than what was written.</summary>
    public void CutOnMedium(string path, long length) => FileAt(path).CutOnMedium(length, _pool);

    /// <summary>The file is gone from the medium (and the cache).</summary>
    public void LoseOnMedium(string path)
    {
        _ = FileAt(path);
        (FolderNode folder, string name) = Parent(path);
        folder.Lose(name);
        _lostOnMedium.Add(path);
    }

    /// <summary>What the medium lost of a folder, by name: whoever wrote it can't know that.</summary>
    public IEnumerable<string> LostOf(string folder) =>
        _lostOnMedium.Where(path => path.StartsWith($"{folder}/", StringComparison.Ordinal)).Select(path => path[(folder.Length + 1)..]);

    /// <summary>A second disk with the same content, durable and not. Pages are shared until either changes them.</summary>
    public SimulatedDisk Clone(RandomSource random) => new(random)
    {
        _root = _root.Clone([]),
        _counters = _counters,
        CapacityBytesMax = CapacityBytesMax,
        Operations = Operations,
        IsCrashed = IsCrashed,
    };

    /// <summary>Whether the file's bytes and length are durable, its name aside.</summary>
    public bool IsDurable(string path) => FileAt(path).IsDurable;

    /// <summary>Read-only: exactly what a power cut that keeps nothing unsynced would leave, at any time, without copying.</summary>
    public IDisk DurableView() => new DurableView(_root);

    // --- IDisk ---

    public bool FileExists(string path)
    {
        CheckAlive();
        return Find(_root, path) is FileNode;
    }

    public bool FolderExists(string path)
    {
        CheckAlive();
        return Find(_root, path) is FolderNode;
    }

    public IReadOnlyList<string> List(string folder)
    {
        CheckAlive();
        return Find(_root, folder) is FolderNode node ? [.. node.Names.Keys] : [];
    }

    public void CreateFolder(string path)
    {
        CheckAlive();
        FolderNode at = _root;
        foreach (string name in Split(path))
        {
            if (!at.Names.TryGetValue(name, out Node? next))
            {
                ReserveName(path);
                BeginNameChange();
                next = new FolderNode();
                at.Add(name, next);
            }

            at = next as FolderNode ?? throw new DiskFaultException($"'{path}': a file is in the way");
        }
    }

    public IDiskFile Open(string path, DiskFileMode mode)
    {
        CheckAlive();
        if (mode == DiskFileMode.Existing)
        {
            return new SimulatedFile(this, FileAt(path), path);
        }

        (FolderNode folder, string name) = Parent(path);
        if (folder.Names.ContainsKey(name))
        {
            throw new DiskFaultException($"'{path}' exists");
        }

        ReserveName(path);
        BeginNameChange();
        FileNode file = new();
        folder.Add(name, file);
        return new SimulatedFile(this, file, path);
    }

    public void DeleteFile(string path)
    {
        CheckAlive();
        _ = FileAt(path);
        BeginNameChange();
        (FolderNode folder, string name) = Parent(path);
        folder.Remove(name);
    }

    public void DeleteFolder(string path)
    {
        CheckAlive();
        (FolderNode folder, string name) = Parent(path);
        if (Find(_root, path) is not FolderNode node)
        {
            throw new DiskFaultException($"no folder '{path}'");
        }

        foreach (string child in node.Names.Keys.ToArray())
        {
            if (node.Names[child] is FolderNode)
            {
                DeleteFolder(Join(path, child));
            }
            else
            {
                DeleteFile(Join(path, child));
            }
        }

        BeginNameChange();
        folder.Remove(name);
    }

    public void Rename(string from, string to)
    {
        CheckAlive();
        FileNode file = FileAt(from);
        ReserveName(to);
        BeginNameChange();
        (FolderNode fromFolder, string fromName) = Parent(from);
        (FolderNode toFolder, string toName) = Parent(to);
        if (ReferenceEquals(fromFolder, toFolder))
        {
            fromFolder.Rename(fromName, toName);
            return;
        }

        toFolder.Replace(toName, file);
        fromFolder.Remove(fromName);
    }

    public void SyncFolder(string path)
    {
        CheckAlive();
        FolderNode folder = Find(_root, path) as FolderNode ?? throw new DiskFaultException($"no folder '{path}'");
        if (BeginOperation("sync of a folder"))
        {
            Die("sync of a folder", $"sync of folder '{path}'");
        }

        _counters = _counters with { FolderSyncs = _counters.FolderSyncs + 1 };
        folder.Sync();
    }

    // --- for open files ---

    internal void CheckAlive(int life)
    {
        CheckAlive();
        if (life != Life)
        {
            throw new InvalidOperationException("An open file of an earlier life of the process was used.");
        }
    }

    internal int Read(FileNode file, string path, long position, Span<byte> buffer)
    {
        _counters = _counters with { Reads = _counters.Reads + 1, BytesRead = _counters.BytesRead + buffer.Length };
        return Strikes(SimulatedDiskFault.ReadFails) || !file.IsReadable(position, buffer.Length)
            ? throw new UnreadableException($"EIO (simulated): read of '{path}' at {position}")
            : file.Read(position, buffer, durable: false);
    }

    internal void Write(FileNode file, string path, long position, ReadOnlySpan<byte> bytes)
    {
        bool crash = BeginOperation("write", path);
        ReserveRoom(path, position + bytes.Length - file.Length);
        _counters = _counters with { Writes = _counters.Writes + 1, BytesWritten = _counters.BytesWritten + bytes.Length };
        if (crash)
        {
            file.Write(position, SomeOf(position, bytes), _pool);
            Die(CrashPoint.Of("write", path), $"write of '{path}' at {position}");
        }

        if (Strikes(SimulatedDiskFault.WriteFails))
        {
            file.Write(position, SomeOf(position, bytes), _pool);
            throw new DiskFaultException($"EIO (simulated): write of '{path}' at {position}");
        }

        if (Strikes(SimulatedDiskFault.WriteLost))
        {
            return;
        }

        if (Strikes(SimulatedDiskFault.WriteMisdirected))
        {
            file.Write(Elsewhere(file, position, bytes.Length), bytes, _pool);
            return;
        }

        file.Write(position, bytes, _pool);
        if (bytes.Length > 0 && Strikes(SimulatedDiskFault.WriteGarbled))
        {
            Span<byte> garbage = stackalloc byte[Math.Min(SectorPage.SectorSizeBytes, bytes.Length)];
            long at = position + _random.NextInt64(bytes.Length - garbage.Length + 1);
            for (int i = 0; i < garbage.Length; i++)
            {
                garbage[i] = (byte)_random.NextUInt64();
            }

            file.Write(at, garbage, _pool);
        }
    }

    internal void Sync(FileNode file, string path)
    {
        if (BeginOperation("sync", path))
        {
            Die(CrashPoint.Of("sync", path), $"sync of '{path}'");
        }

        _counters = _counters with { Syncs = _counters.Syncs + 1 };
        if (Strikes(SimulatedDiskFault.SyncFails))
        {
            file.FailSync(_random, _pool);
            throw new DiskFaultException($"EIO (simulated): sync of '{path}'");
        }

        file.Sync(_pool);
    }

    internal void SetLength(FileNode file, string path, long length)
    {
        if (BeginOperation("length", path))
        {
            Die(CrashPoint.Of("length", path), $"new length of '{path}'");
        }

        ReserveRoom(path, length - file.Length);
        file.SetLength(length, _pool);
    }

    internal static Node? Find(FolderNode root, string path)
    {
        Node at = root;
        foreach (string name in Split(path))
        {
            if (at is not FolderNode folder || !folder.Names.TryGetValue(name, out Node? next))
            {
                return null;
            }

            at = next;
        }

        return at;
    }

    internal static string[] Split(string path) => path.Split('/', StringSplitOptions.RemoveEmptyEntries);

    internal static string Join(string folder, string name) => folder.Length == 0 ? name : $"{folder}/{name}";

    private static long Between(RandomSource random, long a, long b) =>
        Math.Min(a, b) + random.NextInt64(Math.Abs(a - b) + 1);

    private void PowerCut(Func<UnsyncedPart, bool> keeps, Func<long, long, long> lengthBetween)
    {
        HashSet<Node> seen = [];
        CutFolder(_root, "", keeps, lengthBetween, seen);
        EndLife();
    }

    private void CutFolder(
        FolderNode folder, string path, Func<UnsyncedPart, bool> keeps, Func<long, long, long> lengthBetween, HashSet<Node> seen)
    {
        folder.PowerCut(path, keeps);
        foreach ((string name, Node node) in folder.Names)
        {
            if (!seen.Add(node))
            {
                continue;
            }

            if (node is FolderNode inner)
            {
                CutFolder(inner, Join(path, name), keeps, lengthBetween, seen);
            }
            else
            {
                ((FileNode)node).PowerCut(Join(path, name), keeps, lengthBetween, _pool);
            }
        }
    }

    private static void ListUnsynced(FolderNode folder, string path, List<UnsyncedPart> into)
    {
        foreach ((string name, Node node) in folder.Names)
        {
            if (node is FolderNode inner)
            {
                ListUnsynced(inner, Join(path, name), into);
            }
            else
            {
                ((FileNode)node).ListUnsynced(Join(path, name), into);
            }
        }

        folder.ListUnsynced(path, into);
    }

    private void EndLife()
    {
        Life++;
        IsCrashed = false;
        CancelCrash();
    }

    private void CheckAlive()
    {
        if (IsCrashed)
        {
            throw new SimulatedCrashException("The simulated process is dead.");
        }
    }

    /// <summary>True: the process dies in this operation.</summary>
    private bool BeginOperation(string operation, string? path = null)
    {
        Operations++;
        if (_crashPoint is var (point, later, struck) && (path is null ? operation : CrashPoint.Of(operation, path)) == point)
        {
            _crashPoint = null;
            _crashAt = Operations + later;
            struck?.Invoke();
        }

        return Operations >= _crashAt;
    }

    private void BeginNameChange()
    {
        if (BeginOperation("change of a name"))
        {
            Die("change of a name", "change of a name");
        }

        _counters = _counters with { NameChanges = _counters.NameChanges + 1 };
    }

    private void Die(string point, string where)
    {
        IsCrashed = true;
        CrashedIn = point;
        throw new SimulatedCrashException($"Simulated crash at operation {Operations}: {where}");
    }

    private bool Strikes(SimulatedDiskFault fault) => _faults.Count > 0 && _faults.Remove(fault);

    private void ReserveRoom(string path, long more)
    {
        if (more > 0 && CapacityBytesMax != long.MaxValue && UsedBytes + more > CapacityBytesMax)
        {
            throw new DiskFullException($"ENOSPC (simulated): '{path}' needs {more} more bytes");
        }
    }

    private void ReserveName(string path)
    {
        if (CapacityBytesMax != long.MaxValue && NameWithoutRoomOneIn > 0 && FreeBytes("") < SectorPage.PageSizeBytes && _random.OneIn(NameWithoutRoomOneIn))
        {
            throw new DiskFullException($"ENOSPC (simulated): the name '{path}' needs a block");
        }
    }

    private static long UsedBytesOf(FolderNode folder) =>
        folder.Names.Values.Sum(node => node is FolderNode inner ? UsedBytesOf(inner) : ((FileNode)node).Length);

    private ReadOnlySpan<byte> SomeOf(long position, ReadOnlySpan<byte> bytes)
    {
        // A write is cut between pages, as the kernel copies it.
        long end = Between(_random, position, position + bytes.Length);
        end -= end % SectorPage.PageSizeBytes;
        return bytes[..(int)Math.Max(0, end - position)];
    }

    private long Elsewhere(FileNode file, long position, int length)
    {
        long places = Math.Max(1, (file.Length - length) / SectorPage.PageSizeBytes);
        long place = _random.NextInt64(places) * SectorPage.PageSizeBytes;
        return place == position ? position + SectorPage.PageSizeBytes : place;
    }

    private FileNode FileAt(string path) =>
        Find(_root, path) as FileNode ?? throw new DiskFaultException($"no file '{path}'");

    private (FolderNode Folder, string Name) Parent(string path)
    {
        int slash = path.LastIndexOf('/');
        string folder = slash < 0 ? "" : path[..slash];
        return (Find(_root, folder) as FolderNode ?? throw new DiskFaultException($"no folder '{folder}'"), path[(slash + 1)..]);
    }
}
