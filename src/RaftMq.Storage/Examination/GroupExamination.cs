using RaftMq.Raft;
using RaftMq.Storage.Checkpoints;
using RaftMq.Storage.Files;
using RaftMq.Storage.Index;
using RaftMq.Storage.Recovery;
using RaftMq.Storage.Segments;

namespace RaftMq.Storage.Examination;

/// <summary>
/// Reads every file of one group's folder and says what it is. Nothing is written. A segment is read in pieces; of its entries only the index points
/// stay in memory, one segment's at a time.
/// </summary>
/// <param name="logBase">The log begins behind this entry; null: behind whatever its first segment says.</param>
/// <param name="begins">The first entries of the segments as they are after a start, which may make some anew; null: as they lie here.</param>
/// <param name="durableUpTo">Entries up to here must be whole in segments; null: all there are.</param>
internal sealed class GroupExamination(IDisk disk, string path, GroupId group, IReadOnlyList<LogIndex>? begins, LogIndex? logBase, LogIndex? durableUpTo)
{
    private readonly GroupFolder _folder = new(disk, path);
    private readonly List<ExaminedFile> _found = [];
    private readonly Dictionary<LogIndex, SegmentSummary> _whole = [];

    /// <summary>The last entry of the newest whole checkpoint.</summary>
    private LogIndex _applied;

    /// <summary>As the newest whole checkpoint has it, or the group's first one.</summary>
    public Membership? Membership { get; private set; }

    /// <summary>In the order of the folder, missing ones where they belong.</summary>
    public IReadOnlyList<ExaminedFile> Examine()
    {
        if (_folder.HasDeletedMark)
        {
            foreach (string name in disk.List(path))
            {
                Tell(name, FileRole.Other, FileState.Leftover, "the group was deleted and its folder is on its way out");
            }

            return _found;
        }

        ExamineMeta();
        ExamineSegments();
        foreach (LogIndex first in _folder.IndexFiles)
        {
            Look(NameOf(SegmentNames.Index(path, first)), FileRole.Index, name => ExamineIndex(name, first));
        }

        foreach (LogIndex index in _folder.Bases)
        {
            Look(NameOf(CheckpointFile.Path(path, CheckpointKind.Base, index)), FileRole.Base, name => ExamineCheckpoint(name, FileRole.Base, index));
        }

        foreach (LogIndex index in _folder.Newest)
        {
            Look(NameOf(CheckpointFile.Path(path, CheckpointKind.Newest, index)), FileRole.Newest, name => ExamineCheckpoint(name, FileRole.Newest, index));
        }

        foreach (LogIndex index in _folder.Installs)
        {
            Look(NameOf(CheckpointFile.InstallPath(path, index)), FileRole.Install, name => ExamineCheckpoint(name, FileRole.Install, index));
        }

        FindLostBases();
        foreach (string name in _folder.Temporary)
        {
            Tell(name, FileRole.Other, FileState.Leftover, "not finished; the next start deletes it");
        }

        foreach (string name in _folder.Others)
        {
            Tell(name, FileRole.Other, FileState.Foreign, "none of the group's files");
        }

        _found.Sort(static (left, right) => string.CompareOrdinal(left.Path, right.Path));
        return _found;
    }

    private IEnumerable<LogIndex> Live => _folder.Segments.Where(first => logBase is null || first > logBase);

    private static string NameOf(string path) => path[(path.LastIndexOf('/') + 1)..];

    private void ExamineMeta()
    {
        if (!_folder.HasMeta)
        {
            Tell(GroupMeta.FileName, FileRole.GroupMeta, FileState.Missing, "without it nobody knows whose the folder is");
            return;
        }

        Look(GroupMeta.FileName, FileRole.GroupMeta, name =>
        {
            GroupMeta? meta = GroupMeta.TryRead(disk, path);
            Membership = meta?.Membership;
            Tell(
                name, FileRole.GroupMeta, meta?.Group == group ? FileState.Whole : FileState.Damaged,
                meta is null ? "it does not fit its CRC" : meta.Group == group ? $"of {meta.Name}" : $"it is of another group, {meta.Group}");
        });
    }

    private void ExamineSegments()
    {
        foreach (LogIndex first in _folder.Segments.Where(first => first <= logBase))
        {
            Tell(NameOf(SegmentNames.Log(path, first)), FileRole.Segment, FileState.Leftover, $"the log begins behind entry {logBase}; the next start deletes it");
        }

        LogIndex[] live = [.. Live];
        LogIndex? expected = logBase?.Next;
        SegmentSummary? before = null;
        for (int i = 0; i < live.Length; i++)
        {
            LogIndex first = live[i];
            if (expected is { } missing && missing < first && missing <= (durableUpTo ?? first))
            {
                TellLost(missing, first.Previous);
            }

            LogIndex? next = i + 1 < live.Length ? live[i + 1] : null;
            SegmentSummary? known = before;
            before = null;
            Look(NameOf(SegmentNames.Log(path, first)), FileRole.Segment, name => before = ExamineSegment(name, first, next, known));

            // Where a segment should have ended only the next one's name tells, unless it is whole.
            expected = before?.Last.Next ?? next;
        }

        if (live.Length == 0 && logBase is { } from && durableUpTo > from)
        {
            TellLost(from.Next, durableUpTo.Value);
        }
    }

    private void TellLost(LogIndex first, LogIndex last) => Tell(
        NameOf(SegmentNames.Log(path, first)), FileRole.Segment, FileState.Missing, $"entries {first} to {last} are in no file");

    /// <summary>Null where it is not whole up to the next one.</summary>
    private SegmentSummary? ExamineSegment(string name, LogIndex first, LogIndex? next, SegmentSummary? before)
    {
        using IDiskFile file = disk.Open($"{path}/{name}", DiskFileMode.Existing);
        SparseIndex? read = SegmentSet.TryScan(file, group, SegmentSummary.Empty(first, -1), file.Length, out string? fault);
        LogIndex last = read?.Summary.Last ?? first.Previous;
        if (fault is null && last < first)
        {
            fault = "it is empty";
        }

        if (fault is null && before is { } known && read!.Summary.FirstOffset != known.NextOffset)
        {
            Tell(name, FileRole.Segment, FileState.Damaged, $"it begins with offset {read.Summary.FirstOffset} where {known.NextOffset} belongs");
            return null;
        }

        // Behind what is durable bytes prove nothing: the start writes them again, or cuts them.
        LogIndex end = next?.Previous ?? (fault is null ? last : new LogIndex(long.MaxValue));
        LogIndex owed = durableUpTo is { } durable ? LogIndex.Min(durable, next?.Previous ?? durable) : end;
        if (fault is null && last == end && last >= owed)
        {
            _whole[first] = read!.Summary;
            Tell(name, FileRole.Segment, FileState.Whole, $"entries {first} to {last}");
            return read.Summary;
        }

        // Where the next one's first entry was durable this one had ended, and nothing is cut off it any more.
        bool mustHaveEnded = next is { } following && !(durableUpTo < following);
        string whole = last < first ? "no entry is whole" : $"whole from entry {first} to {last}";
        if (last >= owed && (fault is not null ? !mustHaveEnded : owed < end))
        {
            Tell(name, FileRole.Segment, FileState.Torn, $"{whole}; {fault ?? $"it ends before {end}"}, where nothing was durable");
            return null;
        }

        Tell(name, FileRole.Segment, FileState.Damaged, $"{fault ?? $"it ends with entry {last} and reached {owed}"}; {whole}");
        return null;
    }

    private void ExamineIndex(string name, LogIndex first)
    {
        if (!_folder.Segments.Contains(first) || first <= logBase)
        {
            Tell(name, FileRole.Index, FileState.Leftover, "without a segment; the next start deletes it");
            return;
        }

        SparseIndex? stored = IndexFile.TryLoad(disk, $"{path}/{name}", group, first);
        if (stored is not null && (!_whole.TryGetValue(first, out SegmentSummary whole) || stored.Summary == whole))
        {
            Tell(name, FileRole.Index, FileState.Whole, $"of entries {first} to {stored.Summary.Last}");
            return;
        }

        Tell(
            name, FileRole.Index, FileState.Damaged,
            $"{(stored is null ? "it does not fit its CRC" : "it does not fit its segment")}; made again from the segment");
    }

    private void ExamineCheckpoint(string name, FileRole role, LogIndex index)
    {
        Checkpoint? read = CheckpointFile.TryRead(disk, $"{path}/{name}", group);
        bool isWhole = read?.Head.LastIndex == index;
        bool isNeeded = role == FileRole.Base ? logBase is null || index >= logBase : role == FileRole.Newest || index == logBase;
        if (isWhole && isNeeded && index >= _applied)
        {
            _applied = index;
            Membership = read!.Head.Membership;
        }

        string state = $"the state behind entry {index}";
        Tell(
            name, role, isWhole && (isNeeded || role == FileRole.Install) ? FileState.Whole : isNeeded ? FileState.Damaged : FileState.Leftover,
            isWhole ? (role == FileRole.Install && !isNeeded ? $"{state}, received and not in force" : state)
            : isNeeded ? (read is null ? "it does not fit its hash" : $"it is of entry {read.Head.LastIndex}")
            : "nobody needs it any more");
    }

    /// <summary>Those that the newest checkpoint has passed.</summary>
    private void FindLostBases()
    {
        LogIndex? begin = logBase ?? Live.Select(static first => (LogIndex?)first.Previous).FirstOrDefault();
        foreach (LogIndex index in (begins ?? Live).Select(static first => first.Previous))
        {
            if (FoundCheckpoints.MustHaveBase(index, begin ?? LogIndex.Zero, _applied) && !_folder.Bases.Contains(index))
            {
                Tell(NameOf(CheckpointFile.Path(path, CheckpointKind.Base, index)), FileRole.Base, FileState.Missing, $"the state behind entry {index}");
            }
        }
    }

    private void Look(string name, FileRole role, Action<string> examine)
    {
        try
        {
            examine(name);
        }
        catch (DiskFaultException fault)
        {
            Tell(name, role, FileState.Unreadable, fault.Message);
        }
    }

    private void Tell(string name, FileRole role, FileState state, string detail)
    {
        string file = $"{path}/{name}";
        long bytes = 0;
        if (state is not (FileState.Missing or FileState.Unreadable) && disk.FileExists(file))
        {
            using IDiskFile open = disk.Open(file, DiskFileMode.Existing);
            bytes = open.Length;
        }

        _found.Add(new ExaminedFile(file, role, state, bytes, detail));
    }
}
