using RaftMq.Raft;
using RaftMq.Storage.Files;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Recovery;
using RaftMq.Storage.Space;

namespace RaftMq.Storage.Examination;

/// <summary>
/// Examines the data folder of a node that does not run, changing nothing:
/// 1. a start is tried on a disk that keeps what it writes in memory, so what a start would do is not foretold but seen;
/// 2. every file is read, and judged by what the journal says must be there.
/// </summary>
public sealed class FolderExamination
{
    /// <summary>More than a journal of the default size holds.</summary>
    public const long ScratchBytesMax = 2L << 30;

    private const string WhoseIsUnknown = "whose it is can't be told without the identity";

    private static string[] Known =>
        [StoreIdentity.IdentityPath, StoreIdentity.BootPath, JournalMarkFile.Path, ReserveFile.Path, JournalFile.Folder, GroupMeta.GroupsFolder];

    private readonly IDisk _disk;
    private readonly ScratchDisk _scratch;
    private readonly List<ExaminedFile> _files = [];
    private readonly List<ExaminedGroup> _groups = [];
    private readonly List<string> _refusals = [];
    private readonly SortedDictionary<GroupId, string> _names = [];
    private readonly SortedDictionary<GroupId, GroupVerdict> _verdicts = [];
    private IdentityContent? _identity;
    private StoreId? _store;
    private long? _boot;

    /// <summary>The journal was read as a start would, which did not refuse: the groups' fates stand.</summary>
    private bool _isJournalRead;

    private FolderExamination(IDisk disk, long scratchBytesMax)
    {
        _disk = disk;
        _scratch = new ScratchDisk(disk, scratchBytesMax);
    }

    /// <summary>A node's files lie here, whole or not.</summary>
    public static bool IsDataFolder(IDisk disk) => Known.Any(name => name != ReserveFile.Path && (disk.FileExists(name) || disk.FolderExists(name)));

    /// <summary>The names of the groups that lie here, as far as they can be read.</summary>
    public static IEnumerable<string> GroupNames(IDisk disk) => disk.List(GroupMeta.GroupsFolder).Select(name => NameOf(disk, name));

    /// <param name="disk">Is only read.</param>
    /// <param name="wants">The groups whose files are read, by name; the node's own files always are.</param>
    /// <exception cref="StoreRefusedException">The folder has another format. Only <see cref="StoreRefusal.OldFormat"/> and <see cref="StoreRefusal.NewerFormat"/>.</exception>
    public static ExaminedFolder Run(IDisk disk, Func<string, bool> wants, long scratchBytesMax = ScratchBytesMax)
    {
        FolderExamination examination = new(disk, scratchBytesMax);
        examination.ExamineOwnFiles();
        examination.TryStart();
        examination.ExamineGroups(wants);
        return new ExaminedFolder(
            examination._identity?.Node, examination._store, examination._boot, examination._files, examination._groups, examination._refusals);
    }

    /// <summary>Where the group's own word is lost, the folder's name has it too, as far as it is not shortened.</summary>
    private static string NameOf(IDisk disk, string folder)
    {
        string named = folder[..Math.Max(0, folder.LastIndexOf('-'))];
        try
        {
            string path = $"{GroupMeta.GroupsFolder}/{folder}";
            return (disk.FileExists($"{path}/{GroupMeta.FileName}") ? GroupMeta.TryRead(disk, path)?.Name : null) ?? named;
        }
        catch (DiskFaultException)
        {
            return named;
        }
    }

    private void ExamineOwnFiles()
    {
        Copies(StoreIdentity.IdentityPath, FileRole.Identity, bytes =>
        {
            bool isWhole = IdentityLayout.TryReadIdentity(bytes, out IdentityContent content);
            _identity ??= isWhole ? content : null;
            _store = _identity?.Store;
            return isWhole ? $"node {content.Node.Value}, store {content.Store}, format {content.Version}" : null;
        });
        Copies(StoreIdentity.BootPath, FileRole.Boot, bytes =>
        {
            bool isWhole = _store is { } store && IdentityLayout.TryReadBoot(bytes, store, out long boot) && (_boot ??= boot) >= 0;
            return isWhole ? $"start {_boot}" : null;
        });
        Look(JournalMarkFile.Path, FileRole.JournalMark, ExamineMark);
        Look(ReserveFile.Path, FileRole.Reserve, path => Tell(path, FileRole.Reserve, FileState.Whole, "room held for a full disk"));
        foreach (string name in _disk.List("").Except(Known, StringComparer.Ordinal))
        {
            bool isUnfinished = name.EndsWith(".new", StringComparison.Ordinal);
            Tell(name, FileRole.Other, isUnfinished ? FileState.Leftover : FileState.Foreign, isUnfinished ? "not finished; the next start deletes it" : "none of the node's files");
        }
    }

    /// <summary>A file that has its content twice.</summary>
    /// <param name="read">Says what a copy holds, of which the first whole one counts; null: it is not whole.</param>
    private void Copies(string path, FileRole role, Func<ReadOnlySpan<byte>, string?> read)
    {
        if (!_disk.FileExists(path))
        {
            // Before its first start a folder has no boot number, and an empty one nothing at all.
            bool isOwed = role == FileRole.Identity ? IsDataFolder(_disk) : _disk.FolderExists(JournalFile.Folder);
            if (isOwed)
            {
                Tell(path, role, FileState.Missing, "the node does not start without it");
            }

            return;
        }

        Look(path, role, _ =>
        {
            byte[] bytes = new byte[IdentityLayout.FileBytes];
            using IDiskFile file = _disk.Open(path, DiskFileMode.Existing);
            Span<byte> there = bytes.AsSpan(0, file.Read(0, bytes));
            string? first = read(there[..Math.Min(there.Length, IdentityLayout.SectorBytes)]);
            string? second = read(there[Math.Min(there.Length, IdentityLayout.SectorBytes)..]);
            string? content = first ?? second;
            FileState state = content is null ? (role == FileRole.Boot && _store is null ? FileState.Unjudged : FileState.Damaged) : first is null || second is null ? FileState.Mendable : FileState.Whole;
            Tell(path, role, state, content is null ? (state == FileState.Unjudged ? WhoseIsUnknown : "neither of its copies is whole") : state == FileState.Whole ? content : $"{content}; one of its copies is not whole");
        });
    }

    private void ExamineMark(string path)
    {
        if (_store is not { } store)
        {
            Tell(path, FileRole.JournalMark, FileState.Unjudged, WhoseIsUnknown);
            return;
        }

        (int readable, int written) = JournalMarkFile.Places(_disk, store);
        JournalMark? mark = JournalMarkFile.TryOpen(_disk, store)?.Mark;
        Tell(
            path, FileRole.JournalMark,
            mark is null ? FileState.Damaged : readable < written ? FileState.Torn : FileState.Whole,
            mark is null ? "neither of its two places can be read"
            : $"opened {mark.Value.OpenedFile}, newest {mark.Value.NewestFile}{(readable < written ? "; the other place is half written" : "")}");
    }

    /// <summary>In the order of a start of the node.</summary>
    private void TryStart()
    {
        HideForeignFolders();
        JournalNotes notes = new(group => _names.GetValueOrDefault(group) ?? group.ToString());
        try
        {
            RequireIdentity();
            NodeStore groups = NodeStore.Scan(_scratch, new NodeStoreLimits());
            if (_store is not { } store)
            {
                foreach (string name in _disk.List(JournalFile.Folder))
                {
                    Tell($"{JournalFile.Folder}/{name}", FileRole.Journal, FileState.Unjudged, WhoseIsUnknown);
                }
            }
            else
            {
                JournalExamination journal = JournalRecovery.Examine(_scratch, store, groups, notes, mayBeNew: !groups.HasGroups);
                _refusals.AddRange(journal.Refusals);
                _isJournalRead = journal.Refusals.Count == 0;
                _files.AddRange(notes.Tell(_disk, journal));
                foreach (GroupVerdict verdict in groups.Judge())
                {
                    _verdicts.Add(verdict.Group, verdict);
                }
            }
        }
        catch (DiskFullException)
        {
            _refusals.Add(
                "What a start would do could not be found out: the journal holds more that is in no segment yet than is kept in memory here. "
                + "The files below are judged by themselves.");
        }
        catch (InvariantViolationException bug)
        {
            // Nothing goes on from here but the reading of files, each by itself.
            _refusals.Add($"A start finds what RaftMq never writes, and ends: {bug.Message}. Keep the folder, and report a bug.");
        }
        catch (DiskFaultException fault)
        {
            _refusals.Add($"The disk does not give what a start needs: {fault.Message}. The node stops there. Look at the disk.");
        }
    }

    private void RequireIdentity()
    {
        try
        {
            NodeId node = _identity?.Node ?? new NodeId(0);
            StoreIdentity.Open(_scratch, node, StoreExpectation.HasData, _store ?? default);
        }
        catch (StoreRefusedException refused) when (refused.Reason is not (StoreRefusal.OldFormat or StoreRefusal.NewerFormat))
        {
            _refusals.Add(refused.Message);
        }
    }

    /// <summary>A start refuses for one; here the rest is looked at all the same.</summary>
    private void HideForeignFolders()
    {
        foreach (string name in _disk.List(GroupMeta.GroupsFolder))
        {
            string path = $"{GroupMeta.GroupsFolder}/{name}";
            if (GroupMeta.GroupOf(name) is { } group)
            {
                _names[group] = NameOf(_disk, name);
                continue;
            }

            Tell(path, FileRole.Folder, FileState.Foreign, "none of the node's: its name does not end in a group's incarnation");
            _refusals.Add($"The folder '{path}' is none of ours: its name does not end in a group's incarnation. Move it out of the data folder.");
            _scratch.DeleteFolder(path);
        }
    }

    private void ExamineGroups(Func<string, bool> wants)
    {
        foreach ((GroupId group, GroupVerdict verdict) in _verdicts)
        {
            // An empty folder a start takes away, and then misses.
            if (verdict.Folder is null && !_names.ContainsKey(group) && wants(verdict.Name))
            {
                _groups.Add(new ExaminedGroup(verdict.Name, null, verdict.Fate, verdict.Report, Files: 0, DamagedFiles: 0, IsOnlyReplica: false));
            }
        }

        foreach (string name in _disk.List(GroupMeta.GroupsFolder))
        {
            if (GroupMeta.GroupOf(name) is { } group && wants(_names[group]))
            {
                Examine($"{GroupMeta.GroupsFolder}/{name}", group);
            }
        }
    }

    private void Examine(string path, GroupId group)
    {
        GroupVerdict? verdict = _verdicts.GetValueOrDefault(group);
        if (verdict is null && _isJournalRead)
        {
            // Its creation was not finished: the start took it away.
            Tell(path, FileRole.Folder, FileState.Leftover, "a group that was not made to the end; the next start deletes it");
            return;
        }

        IReadOnlyList<LogIndex>? begins = verdict is null ? null : new GroupFolder(_scratch, path).Segments;
        GroupExamination examination = new(_disk, path, group, begins, verdict?.LogBase, verdict?.DurableUpTo);
        IReadOnlyList<ExaminedFile> files = examination.Examine();
        if (verdict?.Fate == GroupFate.Deleted)
        {
            files = [.. files.Select(file => file with { State = FileState.Leftover, Detail = "the group was deleted" })];
        }

        if (!_isJournalRead)
        {
            // Where a segment had to reach only the journal says.
            files = [.. files.Select(file => file is { Role: FileRole.Segment, State: FileState.Torn or FileState.Damaged or FileState.Missing } && (verdict is null || !file.IsDamage)
                ? file with { State = FileState.Unjudged } : file)];
        }

        _files.AddRange(files);
        _groups.Add(new ExaminedGroup(
            _names[group], path, _isJournalRead ? verdict!.Fate : GroupFate.Unknown, _isJournalRead ? verdict!.Report : null,
            files.Count, files.Count(static file => file.IsDamage), examination.Membership?.Voters.Count == 1));
    }

    private void Look(string path, FileRole role, Action<string> examine)
    {
        try
        {
            if (_disk.FileExists(path))
            {
                examine(path);
            }
            else if (role == FileRole.JournalMark && _disk.List(JournalFile.Folder).Count > 0)
            {
                Tell(path, role, FileState.Missing, "it says which files the journal has");
            }
        }
        catch (DiskFaultException fault)
        {
            _files.Add(new ExaminedFile(path, role, FileState.Unreadable, 0, fault.Message));
        }
    }

    private void Tell(string path, FileRole role, FileState state, string detail)
    {
        long bytes = 0;
        if (_disk.FileExists(path))
        {
            using IDiskFile file = _disk.Open(path, DiskFileMode.Existing);
            bytes = file.Length;
        }

        _files.Add(new ExaminedFile(path, role, state, bytes, detail));
    }
}
