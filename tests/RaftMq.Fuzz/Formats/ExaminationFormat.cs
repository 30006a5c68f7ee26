using System.Security.Cryptography;
using RaftMq.Fuzz.Disk;
using RaftMq.Fuzz.Engine;
using RaftMq.Fuzz.Mutation;
using RaftMq.Raft;
using RaftMq.Storage.Checkpoints;
using RaftMq.Storage.Examination;
using RaftMq.Storage.Files;
using RaftMq.Storage.Recovery;

namespace RaftMq.Fuzz.Formats;

/// <summary>
/// A node's data folder, spoilt in any way, as <c>raftmq doctor</c> examines it: it ends with a word on each file, changes nothing, and what the
/// store's own start makes of the same folder is what was foretold. The first byte of an input says how much memory there is and whose files are wanted.
/// </summary>
internal sealed class ExaminationFormat : FuzzFormat
{
    private const int LittleMemory = 1;
    private const int OneGroupOnly = 2;
    private const int LittleMemoryBytes = 8 << 10;

    private readonly List<byte[]> _seeds = [.. NodeFolders.Lives().Select(folder => (byte[])[0, .. folder])];

    public override string Name => "examination";

    public override IReadOnlyList<string> Parsers =>
    [
        "RaftMq.Storage.Examination.*", "RaftMq.Storage.Files.StoreIdentity", "RaftMq.Storage.Recovery.GroupFolder", "RaftMq.Storage.Recovery.FoundCheckpoints",
    ];

    public override int InputBytesMax => 64 << 10;

    public override bool KeepsLength => true;

    /// <summary>The journal's reader takes a MiB, and so does the scan of each segment; a report is made of few words a file.</summary>
    public override long AllocatedBytesMax(int inputBytes) => (256L * inputBytes) + (8 << 20);

    public override IEnumerable<byte[]> Seeds() => _seeds;

    public override void Run(byte[] input)
    {
        if (Examine(input, out FuzzDisk disk) is not { } folder)
        {
            return;
        }

        StoreStart start = new(disk, folder.Node ?? default);
        Oracle.Holds(start.Broken is null, $"a start breaks nothing: {start.Broken}");
        Compare(folder, start, FlagsOf(input));
    }

    public override void Repair(byte[] input, FuzzRandom random)
    {
        if (input.Length == 0)
        {
            return;
        }

        List<(int Number, byte[] Bytes)> files = FolderImage.Unpack(input.AsSpan(1));
        foreach ((int number, byte[] bytes) in files.Where(_ => !random.OneIn(8)))
        {
            Mend(NodeFolders.RoleOf(number), bytes, random);
        }

        FolderImage.Update(input.AsSpan(1), files);
    }

    /// <summary>What a scrub finds shows in some file, and no start ends in a broken invariant.</summary>
    public override void CheckSealed(byte[] seed, byte[] mutant)
    {
        if (FlagsOf(mutant) != 0 || Examine(mutant, out FuzzDisk disk) is not { } folder)
        {
            return;
        }

        StoreStart start = new(disk, folder.Node ?? default);
        Oracle.Holds(start.Broken is null, $"a start breaks nothing: {start.Broken}");
        bool isJournalDamaged = folder.Files.Any(static file => file.Role is FileRole.Journal or FileRole.JournalMark && file.IsDamage);
        foreach (ExaminedGroup group in folder.Groups.Where(static group => group.Folder is not null))
        {
            Oracle.Holds(
                group.DamagedFiles > 0 || isJournalDamaged || !start.FoundByScrub.TryGetValue(GroupOf(group), out _),
                $"a scrub finds what no file is called damaged for: {group}; {start.FoundByScrub.GetValueOrDefault(GroupOf(group))}; {string.Join("; ", folder.Files)}");
        }
    }

    private static int FlagsOf(byte[] input) => input.Length == 0 ? 0 : input[0] & (LittleMemory | OneGroupOnly);

    /// <summary>A folder's name ends in it; without a folder it has no other name.</summary>
    private static GroupId GroupOf(ExaminedGroup group) => GroupMeta.GroupOf(group.Folder ?? $"-{group.Name}") ?? default;

    /// <summary>Null: the folder has another format, and that is said.</summary>
    private ExaminedFolder? Examine(byte[] input, out FuzzDisk disk)
    {
        int flags = FlagsOf(input);
        disk = FolderImage.ToDisk(input.AsSpan(Math.Min(1, input.Length)), NodeFolders.PathOf);
        int changes = disk.Changes;
        string[] names = [.. FolderExamination.GroupNames(disk)];
        try
        {
            ExaminedFolder folder = FolderExamination.Run(
                disk, name => (flags & OneGroupOnly) == 0 || name == names.FirstOrDefault(),
                (flags & LittleMemory) != 0 ? LittleMemoryBytes : FolderExamination.ScratchBytesMax);
            ReadDone();
            Oracle.Holds(disk.Changes == changes, "an examination changes nothing");
            return folder;
        }
        catch (StoreRefusedException refused) when (refused.Reason is StoreRefusal.OldFormat or StoreRefusal.NewerFormat)
        {
            Oracle.Holds(disk.Changes == changes, "an examination that refuses changes nothing");
            return null;
        }
    }

    private static void Compare(ExaminedFolder folder, StoreStart start, int flags)
    {
        Oracle.Holds(start.Refusal is null || folder.Refusals.Count > 0, $"a start is refused of which an examination knows nothing: {start.Refusal}");
        if ((flags & LittleMemory) != 0)
        {
            return;
        }

        Oracle.Holds(start.Refusal is null ? folder.Refusals.Count == 0 : folder.Refusals.Contains(start.Refusal),
            $"a start is refused for what an examination says: {start.Refusal}; examined: {string.Join(" ", folder.Refusals)}");
        if (start.Refusal is not null)
        {
            return;
        }

        foreach (ExaminedGroup group in folder.Groups.Where(static group => group.Fate != GroupFate.Deleted))
        {
            Oracle.Holds(
                start.Groups.TryGetValue(GroupOf(group), out (GroupFate Fate, string? Report) heard) && heard == (group.Fate, group.Report),
                $"a start makes of a group what an examination says: {group}; started: {heard}");
        }

        foreach (ExaminedFile file in folder.Files.Where(static file => !file.IsDamage))
        {
            Oracle.Holds(
                !start.Groups.Values.Any(group => group.Report?.StartsWith($"{file.Path}:", StringComparison.Ordinal) ?? false),
                $"a file that keeps a group out is called damaged: {file}; {string.Join("; ", start.Groups.Values)}");
        }

        Oracle.Holds(
            !folder.IsWhole || (flags & OneGroupOnly) != 0 || start.FoundByScrub.Count == 0,
            $"a folder is called whole in which a scrub finds something: {string.Join("; ", start.FoundByScrub.Values)}; {string.Join("; ", folder.Files)}");
        Oracle.Holds(
            (flags & OneGroupOnly) != 0 || folder.Groups.Count(static group => group.Fate != GroupFate.Deleted) == start.Groups.Count, "no group is passed over");
    }

    private static void Mend(FileRole role, byte[] bytes, FuzzRandom random)
    {
        switch (role)
        {
            case FileRole.Identity or FileRole.Boot:
                StoreIdentityFormat.Mend(bytes, IdentityLayout.SectorBytes);
                break;
            case FileRole.JournalMark:
                JournalFormat.MendMark(bytes);
                break;
            case FileRole.Journal:
                JournalFormat.MendFile(bytes, random);
                break;
            case FileRole.GroupMeta or FileRole.Index:
                Checksums.MendTrailer(bytes);
                break;
            case FileRole.Segment:
                Checksums.MendEntries(bytes);
                break;
            case FileRole.Base or FileRole.Newest or FileRole.Install when bytes.Length >= CheckpointCodec.HashBytes:
                SHA256.HashData(bytes.AsSpan()[..^CheckpointCodec.HashBytes], bytes.AsSpan()[^CheckpointCodec.HashBytes..]);
                break;
        }
    }
}
