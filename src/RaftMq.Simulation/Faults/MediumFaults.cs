using RaftMq.Raft;
using RaftMq.Simulation.Disk;
using RaftMq.Simulation.World;
using RaftMq.Storage.Files;

namespace RaftMq.Simulation.Faults;

/// <summary>
/// Lets the medium of one node's disk forget what was durable there: bits flip, a write lands elsewhere, an old version of a block comes back, a file is
/// cut or lost, a block can't be read. One node in a run, so that fewer than a majority of each group's replicas are damaged at a time; and only files of groups that
/// other nodes have too. The run must have no movements and no nodes that come and go, by which a group could come to have fewer.
/// </summary>
/// <param name="mayStrike">Which files, by their path.</param>
internal sealed class MediumFaults(
    IReadOnlyList<SimulatedNode> nodes, SimulatedNode victim, Func<string, bool> mayStrike, RandomSource random,
    Action<FaultKind, string> note)
{
    private const string GroupsFolder = "groups";
    private const int OlderFilesMax = 16;

    /// <summary>What files were like some time ago.</summary>
    private readonly SortedDictionary<string, byte[]> _older = new(StringComparer.Ordinal);

    /// <summary>Segments, their indexes and checkpoints. A group's meta file is not mended by anybody, nor is the journal.</summary>
    public static bool IsMended(string path) =>
        path.EndsWith(".log", StringComparison.Ordinal) || path.EndsWith(".index", StringComparison.Ordinal)
        || (path.EndsWith(".checkpoint", StringComparison.Ordinal) && !path.Contains("/install-", StringComparison.Ordinal));

    public void Strike()
    {
        SimulatedDisk medium = victim.Medium;
        if (medium.IsCrashed || DrawFile() is not { } path)
        {
            return;
        }

        byte[] content = ReadAll(path);
        switch (random.Next(7))
        {
            case 0 or 1 when content.Length > 0:
                int bits = random.Next(1, 9);
                for (int i = 0; i < bits; i++)
                {
                    medium.Decay(path, random.NextInt64(content.Length), (byte)(1 << random.Next(8)));
                }

                note(FaultKind.BitFlips, $"{victim.Id}: {bits} bits flip in {path}");
                break;
            case 2 when content.Length > 0 && DrawFile() is { } other && ReadAll(other) is { Length: > 0 } foreign:
                Impose(path, content, foreign, "a write of {0} lands there", FaultKind.MisdirectedWrite, other);
                break;
            case 3 when _older.TryGetValue(path, out byte[]? older) && content.Length > 0:
                int block = Block(content.Length);
                int at = random.Next(((content.Length - 1) / block) + 1) * block;
                byte[] was = new byte[Math.Min(block, content.Length - at)];
                older.AsSpan(Math.Min(at, older.Length), Math.Clamp(older.Length - at, 0, was.Length)).CopyTo(was);
                medium.Impose(path, at, was);
                note(FaultKind.OldBlock, $"{victim.Id}: {was.Length} bytes at {at} of {path} are what they were");
                break;
            case 4 when content.Length > 0:
                victim.MayStop = true;
                long length = random.NextInt64(content.Length);
                medium.CutOnMedium(path, length);
                note(FaultKind.FileCut, $"{victim.Id}: {path} is cut from {content.Length} to {length} bytes");
                break;
            case 5 when content.Length > 0:
                long lost = random.NextInt64(content.Length);
                medium.LoseBlock(path, lost);
                note(FaultKind.UnreadableBlock, $"{victim.Id}: the block at {lost} of {path} can't be read");
                break;
            case 6:
                // What is about to be opened is not there: that may end the process, which finds the rest when it comes back.
                victim.MayStop = true;
                medium.LoseOnMedium(path);
                note(FaultKind.FileLost, $"{victim.Id}: {path} is gone");
                break;
        }

        Remember();
    }

    private void Impose(string path, byte[] content, byte[] foreign, string how, FaultKind kind, string other)
    {
        int block = Block(content.Length);
        int at = random.Next(((content.Length - 1) / block) + 1) * block;
        int from = random.Next(foreign.Length);
        byte[] bytes = foreign[from..Math.Min(foreign.Length, from + Math.Min(block, content.Length - at))];
        victim.Medium.Impose(path, at, bytes);
        note(kind, $"{victim.Id}: at {at} of {path} {string.Format(System.Globalization.CultureInfo.InvariantCulture, how, other)}");
    }

    private int Block(int length) => Math.Min(length, random.OneIn(2) ? SectorPage.SectorSizeBytes : SectorPage.PageSizeBytes);

    private void Remember()
    {
        if (DrawFile() is { } path && (_older.Count < OlderFilesMax || _older.ContainsKey(path)))
        {
            _older[path] = ReadAll(path);
        }
    }

    private string? DrawFile()
    {
        List<string> files = [];
        IDisk disk = victim.Medium;
        foreach (string folder in disk.List(GroupsFolder))
        {
            if (HasCopies(folder))
            {
                files.AddRange(disk.List($"{GroupsFolder}/{folder}").Select(name => $"{GroupsFolder}/{folder}/{name}").Where(mayStrike));
            }
        }

        return files.Count == 0 ? null : files[random.Next(files.Count)];
    }

    /// <summary>Two others at least: one of them alone may have what it has from this one only.</summary>
    private bool HasCopies(string folder) =>
        nodes.Count(node => node != victim && !node.Medium.IsCrashed && node.Medium.FolderExists($"{GroupsFolder}/{folder}")) >= 2;

    private byte[] ReadAll(string path) => victim.Medium.Content(path);
}
