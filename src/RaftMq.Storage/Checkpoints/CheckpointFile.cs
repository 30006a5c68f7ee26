using System.Security.Cryptography;
using RaftMq.Raft;
using RaftMq.Storage.Files;
using RaftMq.Storage.Segments;

namespace RaftMq.Storage.Checkpoints;

/// <summary>Checkpoint files: their names, and the one way to write and to read them.</summary>
internal static class CheckpointFile
{
    public const string Suffix = ".checkpoint";
    public const string TemporarySuffix = ".tmp";

    private const string NewestPrefix = "newest-";
    private const string BasePrefix = "base-";
    private const string InstallPrefix = "install-";

    public static string Path(string folder, CheckpointKind kind, LogIndex index) =>
        $"{folder}/{Prefix(kind)}{SegmentNames.Padded(index)}{Suffix}";

    public static bool TryParse(string name, CheckpointKind kind, out LogIndex index) =>
        SegmentNames.TryParse(name, Prefix(kind), Suffix, out index);

    /// <summary>
    /// A base that was received whole and is not the log's yet: under the name of a base it would be taken for a state of the old log.
    /// </summary>
    public static string InstallPath(string folder, LogIndex index) =>
        $"{folder}/{InstallPrefix}{SegmentNames.Padded(index)}{Suffix}";

    public static bool TryParseInstall(string name, out LogIndex index) =>
        SegmentNames.TryParse(name, InstallPrefix, Suffix, out index);

    /// <summary>Written under another name, synced, renamed, and the name synced: after a crash it is whole or not there.</summary>
    public static void Write(IDisk disk, string folder, string path, Checkpoint checkpoint)
    {
        string temporary = path + TemporarySuffix;
        if (disk.FileExists(temporary))
        {
            disk.DeleteFile(temporary);
        }

        byte[] head = CheckpointCodec.EncodeHead(checkpoint);
        byte[] hash = new byte[CheckpointCodec.HashBytes];
        using (IncrementalHash sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256))
        {
            sha.AppendData(head);
            sha.AppendData(checkpoint.State.Span);
            sha.GetHashAndReset(hash);
        }

        using (IDiskFile file = disk.Open(temporary, DiskFileMode.CreateNew))
        {
            file.Write(0, [head, checkpoint.State, hash]);
            if (!PlantedBug.CheckpointNotSynced)
            {
                file.Sync();
            }
        }

        disk.Rename(temporary, path);
        disk.SyncFolder(folder);
    }

    /// <summary>Null when the file is not the whole, undamaged checkpoint of the group that its name promises: a whole one may stand in the wrong place.</summary>
    public static Checkpoint? TryRead(IDisk disk, string folder, CheckpointKind kind, LogIndex index, GroupId group) =>
        TryRead(disk, Path(folder, kind, index), group) is { } read && read.Head.LastIndex == index ? read : null;

    /// <summary>Null when the file is not a whole, undamaged checkpoint of the group.</summary>
    public static Checkpoint? TryRead(IDisk disk, string path, GroupId group)
    {
        using IDiskFile file = disk.Open(path, DiskFileMode.Existing);
        if (file.Length > CheckpointCodec.CheckpointBytesMax)
        {
            return null;
        }

        byte[] bytes = new byte[file.Length];
        return file.Read(0, bytes) == bytes.Length ? CheckpointCodec.TryDecode(bytes, group) : null;
    }

    private static string Prefix(CheckpointKind kind) => kind == CheckpointKind.Newest ? NewestPrefix : BasePrefix;
}
