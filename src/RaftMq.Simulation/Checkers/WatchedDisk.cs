using System.Globalization;
using RaftMq.Broker.Shards;
using RaftMq.Raft;
using RaftMq.Simulation.Disk;
using RaftMq.Storage.Checkpoints;
using RaftMq.Storage.Files;
using RaftMq.Storage.Recovery;
using RaftMq.Storage.Segments;

namespace RaftMq.Simulation.Checkers;

/// <summary>
/// A node's disk, watched: after each sync it reads what the medium would now keep of the ranges written since the last one, and tells
/// the history every mark it finds there. It knows nothing of journals or segments; bytes are bytes.
/// </summary>
internal sealed class WatchedDisk(SimulatedDisk disk, NodeId node, History history) : IDisk
{
    private const string DeletedMark = "group.deleted";
    private const string MetaFile = "group.meta";
    private const string GroupsFolder = "groups/";

    public bool FileExists(string path) => disk.FileExists(path);

    public bool FolderExists(string path) => disk.FolderExists(path);

    public long FreeBytes(string folder)
    {
        long found = disk.FreeBytes(folder);
        history.Add(new HistoryEvent.RoomFound(node, found));
        return found;
    }

    public IReadOnlyList<string> List(string folder) => disk.List(folder);

    public void CreateFolder(string path) => disk.CreateFolder(path);

    public IDiskFile Open(string path, DiskFileMode mode)
    {
        if (mode == DiskFileMode.CreateNew && path.EndsWith($"/{DeletedMark}", StringComparison.Ordinal))
        {
            history.LookNow();
            history.Add(new HistoryEvent.ReplicaGivenUp(node, KeyOf(path)!.Value, FolderOf(path)[(FolderOf(path).LastIndexOf('/') + 1)..]));
        }

        return new WatchedFile((SimulatedFile)disk.Open(path, mode), node, history);
    }

    public void DeleteFile(string path)
    {
        string folder = FolderOf(path);
        if (SegmentNames.TryParse(path[(folder.Length + 1)..], "", SegmentNames.LogSuffix, out LogIndex first) && KeyOf(path) is { } key
            && !disk.FileExists($"{folder}/{DeletedMark}"))
        {
            history.Add(new HistoryEvent.SegmentDeleted(node, key, first, NextSegment(folder, first), DurableBases(folder)));
        }

        disk.DeleteFile(path);
    }

    public void DeleteFolder(string path) => disk.DeleteFolder(path);

    public void Rename(string from, string to)
    {
        if (disk.FileExists(from))
        {
            history.Add(new HistoryEvent.FileRenamed(node, from, to, disk.IsDurable(from)));
        }

        disk.Rename(from, to);
        if (to.EndsWith($"/{MetaFile}", StringComparison.Ordinal) && KeyOf(to) is { } key)
        {
            string folder = FolderOf(to)[GroupsFolder.Length..];
            if (GroupName.TryParse(folder[..folder.LastIndexOf('-')]) is GroupName.Partition { Life: > 0 } moved)
            {
                history.Add(new HistoryEvent.ReplicaMade(node, key, moved.BornFrom, GroupMeta.TryRead(disk, FolderOf(to))?.Membership.Voters.Count ?? 0));
            }
        }
    }

    public void SyncFolder(string path) => disk.SyncFolder(path);

    /// <summary>Whose folder the file lies in, as the store knows the group; null in none of a group.</summary>
    internal static GroupId? KeyOf(string path)
    {
        string folder = FolderOf(path);
        return folder.StartsWith(GroupsFolder, StringComparison.Ordinal)
            && UInt128.TryParse(folder.AsSpan(folder.LastIndexOf('-') + 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out UInt128 key)
            ? new GroupId(key)
            : null;
    }

    private static string FolderOf(string path) => path[..Math.Max(0, path.LastIndexOf('/'))];

    private LogIndex? NextSegment(string folder, LogIndex first)
    {
        LogIndex? next = null;
        foreach (string name in disk.List(folder))
        {
            if (SegmentNames.TryParse(name, "", SegmentNames.LogSuffix, out LogIndex other) && other > first && !(other > next))
            {
                next = other;
            }
        }

        return next;
    }

    /// <summary>Those that the medium lost since are among them: they were durable, and nobody was told that they are not any more.</summary>
    private List<LogIndex> DurableBases(string folder)
    {
        List<LogIndex> bases = [];
        foreach (string name in disk.DurableView().List(folder).Concat(disk.LostOf(folder)))
        {
            if (CheckpointFile.TryParse(name, CheckpointKind.Base, out LogIndex index) || CheckpointFile.TryParseInstall(name, out index))
            {
                bases.Add(index);
            }
        }

        return bases;
    }
}
