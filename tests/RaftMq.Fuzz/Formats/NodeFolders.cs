using RaftMq.Fuzz.Disk;
using RaftMq.Raft;
using RaftMq.Storage.Checkpoints;
using RaftMq.Storage.Examination;
using RaftMq.Storage.Files;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Recovery;
using RaftMq.Storage.Segments;
using RaftMq.Storage.Space;

namespace RaftMq.Fuzz.Formats;

/// <summary>Whole data folders as images, made by the store itself, and the names of the files in them.</summary>
internal static class NodeFolders
{
    public static readonly JournalOptions Options = new() { FileBytes = 64 << 10, TotalBytesMax = 256 << 10, BatchBytesMax = 16 << 10 };

    /// <summary>Two groups, one that nobody made to the end, and a folder that is none of the node's.</summary>
    private static readonly string[] Folders =
        [GroupMeta.FolderOf(new GroupId(1), "t-1"), GroupMeta.FolderOf(new GroupId(2), "t-2"), GroupMeta.FolderOf(new GroupId(3), "t-3"), $"{GroupMeta.GroupsFolder}/stray"];

    private static readonly string[] Others =
        ["identity.new", "lost+found/x", "notes.txt", "journal/notes.txt", "journal.mark.new", ReserveFile.Path];

    private static readonly FileRole[] Roles = Enum.GetValues<FileRole>();

    /// <summary>A number: 16 bits that stand in the file's name, four for its role, two for the folder.</summary>
    public static FileRole RoleOf(int number) => Roles[((number >> 16) & 0xF) % Roles.Length];

    public static string PathOf(int number)
    {
        LogIndex index = new(number & 0xFFFF);
        string folder = Folders[(number >> 20) & 3];
        return RoleOf(number) switch
        {
            FileRole.Identity => StoreIdentity.IdentityPath,
            FileRole.Boot => StoreIdentity.BootPath,
            FileRole.JournalMark => JournalMarkFile.Path,
            FileRole.Journal => JournalFile.PathOf(index.Value),
            FileRole.Reserve => Others[(number & 0xFFFF) % Others.Length],
            FileRole.GroupMeta => $"{folder}/{GroupMeta.FileName}",
            FileRole.Segment => SegmentNames.Log(folder, index),
            FileRole.Index => SegmentNames.Index(folder, index),
            FileRole.Base => CheckpointFile.Path(folder, CheckpointKind.Base, index),
            FileRole.Newest => CheckpointFile.Path(folder, CheckpointKind.Newest, index),
            FileRole.Install => CheckpointFile.InstallPath(folder, index),
            FileRole.Folder => $"{folder}/{GroupMeta.DeletedMark}",
            _ => $"{folder}/{index}{(index.Value % 2 == 0 ? CheckpointFile.TemporarySuffix : "")}",
        };
    }

    /// <summary>A folder's life from the first start on, at several moments.</summary>
    public static IEnumerable<byte[]> Lives()
    {
        FuzzDisk disk = new();
        int step = 0;
        yield return [];
        for (int life = 0; life < 3; life++)
        {
            NodeLife node = new(disk, step);
            yield return Pack(disk);
            if (life == 0)
            {
                node.CreateGroups();
                yield return Pack(disk);
            }

            node.Live(steps: 12, isLast: life == 2);
            yield return Pack(disk);
            node.Settle();
            step = node.Step;
            yield return Pack(disk);
        }
    }

    private static byte[] Pack(FuzzDisk disk) => FolderImage.Pack(disk.Files.Select(file => (NumberOf(file.Path), file.Bytes)));

    private static int NumberOf(string path)
    {
        int slash = path.LastIndexOf('/');
        string name = path[(slash + 1)..];
        int folder = Math.Max(0, Array.IndexOf(Folders, path[..Math.Max(0, slash)])) << 20;
        (FileRole role, long number) = path switch
        {
            StoreIdentity.IdentityPath => (FileRole.Identity, 0L),
            StoreIdentity.BootPath => (FileRole.Boot, 0L),
            JournalMarkFile.Path => (FileRole.JournalMark, 0L),
            _ when JournalFile.TryParse(name, out long journal) => (FileRole.Journal, journal),
            _ when name == GroupMeta.FileName => (FileRole.GroupMeta, 0L),
            _ when SegmentNames.TryParse(name, "", SegmentNames.LogSuffix, out LogIndex first) => (FileRole.Segment, first.Value),
            _ when SegmentNames.TryParse(name, "", SegmentNames.IndexSuffix, out LogIndex first) => (FileRole.Index, first.Value),
            _ when CheckpointFile.TryParse(name, CheckpointKind.Base, out LogIndex index) => (FileRole.Base, index.Value),
            _ when CheckpointFile.TryParse(name, CheckpointKind.Newest, out LogIndex index) => (FileRole.Newest, index.Value),
            _ when CheckpointFile.TryParseInstall(name, out LogIndex index) => (FileRole.Install, index.Value),
            _ => throw new InvalidOperationException($"{path} has no number"),
        };
        return folder | ((int)role << 16) | (int)number;
    }
}
