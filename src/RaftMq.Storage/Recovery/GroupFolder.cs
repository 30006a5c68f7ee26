using RaftMq.Raft;
using RaftMq.Storage.Checkpoints;
using RaftMq.Storage.Files;
using RaftMq.Storage.Repair;
using RaftMq.Storage.Segments;

namespace RaftMq.Storage.Recovery;

/// <summary>The files of one group's folder, by what they are.</summary>
internal sealed class GroupFolder
{
    private readonly IDisk _disk;

    public GroupFolder(IDisk disk, string path)
    {
        _disk = disk;
        Path = path;
        foreach (string name in disk.List(path))
        {
            if (SegmentNames.TryParse(name, "", SegmentNames.LogSuffix, out LogIndex index))
            {
                Segments.Add(index);
            }
            else if (SegmentNames.TryParse(name, "", SegmentNames.IndexSuffix, out index))
            {
                IndexFiles.Add(index);
            }
            else if (CheckpointFile.TryParse(name, CheckpointKind.Base, out index))
            {
                Bases.Add(index);
            }
            else if (CheckpointFile.TryParse(name, CheckpointKind.Newest, out index))
            {
                Newest.Add(index);
            }
            else if (CheckpointFile.TryParseInstall(name, out index))
            {
                Probe.Reached(RareBranch.InstallFoundAtStart);
                Installs.Add(index);
            }
            else if (name.EndsWith(CheckpointFile.TemporarySuffix, StringComparison.Ordinal)
                || name.EndsWith(RepairFile.Suffix, StringComparison.Ordinal))
            {
                Temporary.Add(name);
            }
            else if (name == GroupMeta.FileName)
            {
                HasMeta = true;
            }
            else if (name == GroupMeta.DeletedMark)
            {
                HasDeletedMark = true;
            }
            else
            {
                Others.Add(name);
            }
        }

        // The disk lists in ordinal order and all numbers have 20 digits: the lists are ascending.
    }

    public string Path { get; }

    public List<LogIndex> Segments { get; } = [];

    public List<LogIndex> IndexFiles { get; } = [];

    public List<LogIndex> Bases { get; } = [];

    public List<LogIndex> Newest { get; } = [];

    /// <summary>Received whole from a leader; part of the log only once the journal says so.</summary>
    public List<LogIndex> Installs { get; } = [];

    public List<string> Temporary { get; } = [];

    /// <summary>None of the group's; left alone.</summary>
    public List<string> Others { get; } = [];

    public bool HasMeta { get; }

    public bool HasDeletedMark { get; }

    public void DeleteSegment(LogIndex first)
    {
        _disk.DeleteFile(SegmentNames.Log(Path, first));
        _disk.SyncFolder(Path);
        Segments.Remove(first);
    }

    public void DeleteCheckpoint(CheckpointKind kind, LogIndex index)
    {
        _disk.DeleteFile(CheckpointFile.Path(Path, kind, index));
        _disk.SyncFolder(Path);
        (kind == CheckpointKind.Base ? Bases : Newest).Remove(index);
    }

    /// <summary>What no finished write left, and indexes without a segment.</summary>
    public void DeleteLeftovers()
    {
        foreach (string name in Temporary)
        {
            _disk.DeleteFile($"{Path}/{name}");
        }

        foreach (LogIndex index in IndexFiles.Where(index => !Segments.Contains(index)))
        {
            _disk.DeleteFile(SegmentNames.Index(Path, index));
        }

        Temporary.Clear();
        IndexFiles.RemoveAll(index => !Segments.Contains(index));
    }

    /// <summary>Ends an install that a crash broke off, on the side that the journal says, and deletes what its reset made void.</summary>
    /// <param name="reset">The last one that the journal has; null without any.</param>
    /// <param name="logBase">Where the journal says that the log begins: behind an install that a repair made, too.</param>
    public void DropVoid(LogIndex? reset, LogIndex logBase)
    {
        foreach (LogIndex index in Installs)
        {
            string path = CheckpointFile.InstallPath(Path, index);
            if ((reset == index || logBase == index) && !Bases.Contains(index))
            {
                _disk.Rename(path, CheckpointFile.Path(Path, CheckpointKind.Base, index));
                Bases.Add(index);
                Bases.Sort();
            }
            else
            {
                // No reset was recorded for it, so the log is still the old one.
                _disk.DeleteFile(path);
            }
        }

        if (Installs.Count > 0)
        {
            _disk.SyncFolder(Path);
        }

        if (reset is not { } begin)
        {
            return;
        }

        // Segments first: while a segment of the old log is there, its base may still be needed to say so.
        foreach (LogIndex first in Segments.Where(first => first <= begin).ToArray())
        {
            DeleteSegment(first);
        }

        foreach (LogIndex index in Bases.Where(index => index < begin).ToArray())
        {
            DeleteCheckpoint(CheckpointKind.Base, index);
        }

        foreach (LogIndex index in Newest.Where(index => index < begin).ToArray())
        {
            DeleteCheckpoint(CheckpointKind.Newest, index);
        }

        DeleteLeftovers();
    }

    /// <summary>Deletes everything, the mark last, so that a crash in between goes on where it stopped.</summary>
    public static void Remove(IDisk disk, string folder)
    {
        if (!disk.FolderExists(folder))
        {
            return;
        }

        foreach (string name in disk.List(folder))
        {
            if (name != GroupMeta.DeletedMark)
            {
                disk.DeleteFile($"{folder}/{name}");
            }
        }

        disk.SyncFolder(folder);
        disk.DeleteFolder(folder);
        disk.SyncFolder(GroupMeta.GroupsFolder);
    }
}
