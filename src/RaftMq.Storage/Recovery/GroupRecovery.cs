using RaftMq.Raft;
using RaftMq.Storage.Examination;
using RaftMq.Storage.Files;
using RaftMq.Storage.Index;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Log;
using RaftMq.Storage.Segments;

namespace RaftMq.Storage.Recovery;

/// <summary>
/// Brings one group back at start. Its life:
/// 1. the journal's records of the group come in, in order, and are kept as far as segments do not hold them durably;
/// 2. when that grows large, what is known to be committed goes to its segments (<see cref="Flush"/>);
/// 3. <see cref="Finish"/> picks a checkpoint, puts the rest of the committed entries into segments, cuts what stands behind them, and
///    leaves the uncommitted rest to the tail.
/// Nothing below the durable mark is ever deleted or written over here, except what a reset or a deletion made void.
/// </summary>
internal sealed class GroupRecovery(IDisk disk, GroupId group, GroupFolder folder, GroupMeta? meta) : IDisposable
{
    /// <summary>A journal of the largest size, all of it lost, and every entry without a payload.</summary>
    private const int LostMax = 1 << 24;

    private readonly PendingEntries _pending = new();
    private GroupFolder _folder = folder;
    private GroupAssembly? _assembly;
    private SegmentRebuilder? _rebuilder;
    /// <summary>What the journal lost of the group; the log is cut already.</summary>
    private (JournalDamage Damage, string Report)? _lost;

    /// <summary>Not null: what is pending from here on may have been replaced by something that is lost.</summary>
    private LogIndex? _suspectFrom;
    private bool _isGivenUp;

    /// <summary>What does not fit so far. A reset ends it: what it is about is void then.</summary>
    private string? _damage;

    /// <summary>The last entry that lies in a segment, as far as this start knows: by the durable mark or because it put it there.</summary>
    private LogIndex _inSegments;

    /// <summary>Segments are durable up to here.</summary>
    private LogIndex _mark;

    /// <summary>As the journal says it. The mark is above where the first file found begins behind it: see <see cref="SkipCut"/>.</summary>
    private LogIndex _toldMark;

    /// <summary>Known to be committed.</summary>
    private LogIndex _commit;

    /// <summary>The log begins behind this entry, as the journal says: by a reset or by retention.</summary>
    private LogIndex _base;

    /// <summary>
    /// The files found begin behind this entry. Until the journal was read to its end they are believed: what it says of the base stands behind
    /// entries that retention has cut. In the end both must agree.
    /// </summary>
    private LogIndex _foundBase;

    /// <summary>Segments that were written to here and may not be durable.</summary>
    private readonly SortedSet<LogIndex> _flushed = [];

    private HardState _hardState;

    /// <summary>The journal's entries have a gap, or don't follow each other: no file of the group's can close that.</summary>
    private bool _hasGap;

    /// <summary>
    /// It was tried before. What the journal no longer has says nothing about the mark any more: some of it went to segments then, and may not be
    /// durable there.
    /// </summary>
    private bool _wasTried;
    private (LogIndex Index, Term Term)? _reset;

    public GroupId Group => group;

    public string Folder => _folder.Path;

    public string Name => meta?.Name ?? _folder.Path;

    public bool IsDeleted { get; private set; }

    public bool HasNoFiles => _folder.Segments.Count + _folder.Bases.Count + _folder.Newest.Count == 0;

    public long PendingBytes => _pending.SizeBytes;

    /// <summary>How much of what is pending could go to segments now.</summary>
    public bool CanFlush => _damage is null && _pending.Count > 0 && _pending.First <= FlushableTo;

    /// <summary>Committed, there, and known to stand.</summary>
    private LogIndex FlushableTo
    {
        get
        {
            LogIndex to = LogIndex.Min(_commit, _pending.Last);
            to = _suspectFrom is { } suspect ? LogIndex.Min(to, suspect.Previous) : to;
            return _pending.FirstLost is { } lost ? LogIndex.Min(to, lost.Previous) : to;
        }
    }

    /// <summary>
    /// Segments' names become durable in order, so what lies before the first one was cut by retention and must not come back from the
    /// journal; or the file is lost, which <see cref="Finish"/> finds.
    /// </summary>
    public void SkipCut()
    {
        foreach (LogIndex first in LiveSegments)
        {
            _foundBase = first.Previous;
            _mark = LogIndex.Max(_mark, first.Previous);
            _inSegments = LogIndex.Max(_inSegments, _mark);
            _commit = LogIndex.Max(_commit, _mark);
            return;
        }
    }

    public void HardState(HardState state) => _hardState = state;

    public void Entries(IReadOnlyList<Entry> entries)
    {
        _suspectFrom = null;
        foreach (Entry entry in entries)
        {
            // In a segment already, hence committed: written to the journal again by a restart.
            if (entry.Index <= _inSegments)
            {
                continue;
            }

            if (_pending.Count > 0)
            {
                _pending.DropFrom(entry.Index);
            }

            if (_pending.Count > 0 && entry.Index != _pending.Last.Next)
            {
                _hasGap = true;
                Damage($"the journal goes on with entry {entry.Index} behind {_pending.Last}");
                return;
            }

            _pending.Add(entry.Index, entry.Bytes.Span);
        }
    }

    /// <summary>What stood from <paramref name="first"/> on is void; up to <paramref name="last"/> nothing can be read.</summary>
    public void Lost(LogIndex first, LogIndex last)
    {
        _suspectFrom = null;
        _pending.DropFrom(first);
        first = LogIndex.Max(first, _inSegments.Next);
        if (last < first)
        {
            return;
        }

        if ((_pending.Count > 0 && first != _pending.Last.Next) || last - first >= LostMax)
        {
            _hasGap = true;
            Damage($"the journal lost entries {first} to {last}, and those known before end at {_pending.Last}");
            return;
        }

        _pending.AddLost(first, last);
    }

    public void Suspect(LogIndex from) => _suspectFrom ??= from;

    public void Settled() => _suspectFrom = null;

    public void Commit(LogIndex commit) => _commit = LogIndex.Max(_commit, commit);

    public void SegmentsDurable(LogIndex index)
    {
        _toldMark = LogIndex.Max(_toldMark, index);
        _mark = LogIndex.Max(_mark, index);
        _commit = LogIndex.Max(_commit, index);
        if (_rebuilder is null)
        {
            _inSegments = LogIndex.Max(_inSegments, index);
            _pending.DropUpTo(index);
        }

        else if (_pending.FirstLost <= index)
        {
            // They are not lost but in a segment, and what the rebuilder can't put in place it need not.
            _rebuilder.Dispose();
            _rebuilder = null;
            _inSegments = LogIndex.Max(_inSegments, index);
            _pending.DropUpTo(index);
        }

        // Else, with a rebuilder at work, the entries that are pending follow what it wrote: it puts them in place, or finds them there.
    }

    public void Reset(LogIndex index, Term term, bool keepsEntries)
    {
        if (!keepsEntries)
        {
            Dispose();
            _rebuilder = null;
            _pending.Clear();
        }

        _reset = (index, term);
        _base = LogIndex.Max(_base, index);
        _damage = null;
        _hasGap = false;
        _suspectFrom = null;
        if (keepsEntries)
        {
            SegmentsDurable(index);
            return;
        }

        // An older history never reached as far as a snapshot that replaced it: a mark above is of the new one.
        _toldMark = LogIndex.Max(_toldMark, index);
        _mark = LogIndex.Max(_mark, index);
        _inSegments = _mark;
        _commit = LogIndex.Max(_commit, index);
        SkipCut();
    }

    /// <summary>Retention cut the log to here. What lies below, in the journal or in files, is not needed any more.</summary>
    public void LogBase(LogIndex index)
    {
        _base = LogIndex.Max(_base, index);
        SegmentsDurable(index);
    }

    public void Deleted()
    {
        IsDeleted = true;
        _pending.Clear();
        _rebuilder?.Dispose();
        _rebuilder = null;
    }

    /// <summary>The journal was read to its end, and this is lost of the group for good (design 4, "Damage and healing").</summary>
    public void JournalDamaged(LogIndex? cutFrom, JournalDamage damage, string report)
    {
        _lost = (damage, report);
        _suspectFrom = null;
        if (cutFrom is not { } from)
        {
            return;
        }

        _pending.DropFrom(from);
        if (from <= _inSegments)
        {
            // Put there by this start before it met what lies behind; the journal does not have it any more.
            Dispose();
            _rebuilder = null;
            _inSegments = from.Previous;
            if (_mark > _inSegments)
            {
                Damage($"{report}; and segments are durable up to {_mark}");
            }
        }
    }

    private void Damage(string report) => _damage ??= report;

    /// <summary>Moves what is committed out of memory into segments.</summary>
    public void Flush()
    {
        LogIndex to = FlushableTo;
        if (_damage is not null || _pending.Count == 0 || _pending.First > to)
        {
            return;
        }

        if (_rebuilder is null)
        {
            _mark = _wasTried ? _mark : LogIndex.Max(_mark, _pending.First.Previous);
            _rebuilder = new SegmentRebuilder(disk, _folder.Path, group);
            if (Seek(_pending.First) is { } fault)
            {
                _rebuilder.Dispose();
                _rebuilder = null;
                Damage(fault);
                return;
            }
        }

        for (LogIndex index = _pending.First; index <= to; index = index.Next)
        {
            EntryHeader header = EntryLayout.ReadUnchecked(_pending[index].Span);
            bool startsSegment = header.Flags.HasFlag(EntryFlags.StartsSegment);
            if (_rebuilder.Current is not { } current)
            {
                if (!startsSegment)
                {
                    Damage($"entry {index} begins the log here but no segment");
                    return;
                }
            }
            else if (!(startsSegment ? current.Summary.IsContinuedBy(header) : current.Summary.IsFollowedBy(header)))
            {
                DoesNotFollow(index);
                return;
            }

            _rebuilder.Put(_pending[index]);
        }

        _inSegments = to;
        _pending.DropUpTo(to);
    }

    /// <summary>The journal is read: makes the group whole, or says what is damaged.</summary>
    public RecoveredGroup Finish(GroupLogEnvironment environment)
    {
        MakeWhole();
        return Open(environment);
    }

    /// <summary>As <see cref="Finish"/>, and only says what came of it. For a disk that is thrown away.</summary>
    public GroupVerdict Judge()
    {
        // Segments that the journal says nothing of any more are durable as far as they go, and must be whole; see InferMark.
        LogIndex durable = _pending.Count > 0 ? LogIndex.Max(_mark, _pending.First.Previous) : _mark;
        bool isUntold = _pending.Count == 0 && _lost is null && LiveSegments.Take(1).Any(first => first > durable);
        MakeWhole();
        GroupFate fate = IsDeleted ? GroupFate.Deleted
            : _assembly is not null ? (_lost is null ? GroupFate.Starts : GroupFate.StartsDamaged)
            : IsRepairable ? GroupFate.WaitsForRepair : GroupFate.StaysOut;
        return new GroupVerdict(
            group, Name, Folder, fate, _assembly is null ? _damage : _lost?.Report, _base, isUntold ? null : durable);
    }

    /// <summary>What is damaged are files that other replicas have as well; what the journal says of the group is whole.</summary>
    public bool IsRepairable => meta is not null && _lost is not { Damage.StateLost: true } && !_hasGap && !IsDeleted && !_isGivenUp;

    /// <summary>The journal lets go of what it holds of the group, so it can't start any more in this run, whatever becomes of its files.</summary>
    public void GiveUp() => _isGivenUp = true;

    /// <summary>The log begins behind this entry.</summary>
    public LogIndex Base => _base;

    /// <summary>Up to here entries must be in segments: what is behind is in the journal.</summary>
    public LogIndex NeededUpTo => LogIndex.Max(_mark, _inSegments);

    /// <summary>
    /// What is in segments up to here counts as durable, and the journal does not say so: the next start would cut it off, where the journal has lost those
    /// entries. Null when it says as much.
    /// </summary>
    public LogIndex? UntoldMark => _mark > _toldMark ? _mark : null;

    /// <summary>A checkpoint above this entry is of no use: the log was cut there.</summary>
    public LogIndex CheckpointsMax =>
        _lost is null ? new LogIndex(long.MaxValue) : _pending.Count > 0 ? _pending.Last : NeededUpTo;

    /// <summary>Files were put in place of damaged ones: looks at all of them anew. Touches the disk, and nothing of the group's section.</summary>
    public void TryAgain()
    {
        Invariant.Holds(IsRepairable);
        _folder = new GroupFolder(disk, _folder.Path);
        _rebuilder = null;
        _damage = null;
        _wasTried = true;
        _inSegments = NeededUpTo;
        _pending.DropUpTo(_inSegments);
        SkipCut();
        MakeWhole();
    }

    /// <summary>
    /// A repair has brought the base behind which the log is to begin. In the group's section, at the moment at which the journal is told: what is carried to
    /// a newer file from then on stands behind that record, and must not say that the log ends before.
    /// </summary>
    public void BeginBehind(LogIndex index)
    {
        // What the last try put in segments lies where it lies; the next one looks at all of it anew.
        _rebuilder = null;
        LogBase(index);
    }

    /// <summary>
    /// A journal file is due that holds entries of this group, which does not start before it is mended: what went to segments is made durable there,
    /// the rest is carried to a newer file. In the group's section, and not while <see cref="TryAgain"/> runs.
    /// </summary>
    /// <returns>False: that is not possible, or more than <paramref name="carriedBytesMax"/>.</returns>
    public bool Release(GroupLogEnvironment environment, long carriedBytesMax)
    {
        if (!IsRepairable || _pending.SizeBytes > carriedBytesMax)
        {
            return false;
        }

        if (_pending.Count > 0)
        {
            Probe.Reached(RareBranch.QuarantinedCarried);
            List<Entry> entries = new((int)_pending.Count);
            for (LogIndex index = _pending.First; index <= _pending.Last; index = index.Next)
            {
                entries.Add(StoredEntry.ToEntry(_pending[index]));
            }

            environment.Journal.Append(new JournalRecord { Group = group, Entries = entries, Commit = LogIndex.Min(_commit, _pending.Last) });
        }

        if (_inSegments > _mark)
        {
            environment.Disk.Submit(DiskLane.Background, new FlushedSync(this, environment.Journal));
        }
        else if (_mark > LogIndex.Zero)
        {
            environment.Journal.Append(new JournalRecord { Group = group, SegmentsDurable = _mark });
        }

        environment.Journal.Flush();
        return true;
    }

    /// <summary>In the group's section, after the disk was read.</summary>
    public RecoveredGroup Open(GroupLogEnvironment environment)
    {
        GroupAssembly? assembly = _assembly;
        _assembly = null;
        return assembly is null
            ? new RecoveredGroup.Damaged(group, Name, _damage!)
            : assembly.Open(environment, _hardState, _mark, _pending, _lost);
    }

    private void MakeWhole()
    {
        try
        {
            if ((meta is null ? "its group.meta is missing or not whole" : _lost is { Damage.StateLost: true } lost ? lost.Report : null) is { } other)
            {
                _damage = other;
            }

            if (_damage is null)
            {
                Rebuild();
            }
        }
        catch (DamagedException damage)
        {
            Damage(damage.Message);
        }
        finally
        {
            NoteFlushed();
            Dispose();
        }
    }

    private void NoteFlushed()
    {
        if (_rebuilder?.Current is { } current)
        {
            _flushed.UnionWith(_rebuilder.Finished.Select(static index => index.Summary.First));
            _flushed.Add(current.Summary.First);
        }
    }

    public void Dispose() => _rebuilder?.Dispose();

    /// <summary>The journal's own entries are wrong, whatever the reason: no file of the group's can mend that.</summary>
    private void DoesNotFollow(LogIndex index)
    {
        _hasGap = true;
        Damage($"entry {index} in the journal does not follow the log before it: its term or its offset is not what comes next");
    }

    private void StartIsLost(LogIndex first) => Damage(
        $"the log starts at entry {_base.Next}, but the first entry in a segment is {first}: what lies between is lost");

    private void Rebuild()
    {
        foreach (LogIndex first in LiveSegments)
        {
            if (first.Previous != _base)
            {
                // Before anything is touched: what is left of it may be the last copy.
                StartIsLost(first);
                return;
            }

            break;
        }

        if (_pending.FirstLost is { } gap)
        {
            Damage($"no journal file and no segment holds entry {gap}");
            return;
        }

        _folder.DeleteLeftovers();
        _folder.DropVoid(_reset?.Index, _base);
        InferMark();
        LogIndex last = _pending.Count > 0 ? _pending.Last : _inSegments;
        FoundCheckpoints checkpoints = FoundCheckpoints.Read(disk, group, _folder, last, isCut: _lost is not null);
        _commit = LogIndex.Min(LogIndex.Max(_commit, checkpoints.Applied), last);
        Flush();
        if (_damage is null)
        {
            CutBehind();
        }

        if (_damage is not null)
        {
            return;
        }

        List<Segment> segments = new SegmentOpening(disk, group, _folder).Open(_rebuilder, _base, _inSegments);
        LogIndex baseIndex = segments.Count > 0 ? segments[0].First.Previous : _inSegments;
        if (baseIndex != _base)
        {
            StartIsLost(baseIndex.Next);
        }
        else if (checkpoints.Best is null && baseIndex > LogIndex.Zero)
        {
            Damage($"the log starts at {baseIndex.Next} and no checkpoint is whole");
        }
        else if (checkpoints.Applied < baseIndex)
        {
            Damage($"the log starts at {baseIndex.Next} and the newest whole checkpoint is of {checkpoints.Applied}");
        }
        else
        {
            var assembly = GroupAssembly.Read(disk, group, _folder.Path, meta!, checkpoints, segments, baseIndex, _inSegments);
            if (assembly.FirstThatDoesNotFollow(_pending) is { } index)
            {
                DoesNotFollow(index);
                return;
            }

            _assembly = assembly;
            checkpoints.DropUseless(_folder, _base);
        }
    }

    /// <summary>
    /// The journal gives up entries only once segments hold them durably: what it no longer has lies below the mark, also where the
    /// mark's own record was recycled since. Not where the journal lost what it had, in this start or in an earlier one that did not get as far as to cut
    /// the segments: what they show then may be in the page cache alone. It tells the mark of such a group in each of its files.
    /// </summary>
    private void InferMark()
    {
        if (_rebuilder is not null || _wasTried)
        {
            return;
        }

        if (_pending.Count > 0)
        {
            _mark = LogIndex.Max(_mark, _pending.First.Previous);
            _inSegments = LogIndex.Max(_inSegments, _mark);
        }
        else if (_lost is null && _folder.Segments.Count > 0 && _mark < _folder.Segments[0])
        {
            LogIndex first = _folder.Segments[^1];
            string path = SegmentNames.Log(_folder.Path, first);
            using IDiskFile file = disk.Open(path, DiskFileMode.Existing);
            SparseIndex? whole = SegmentSet.TryScan(
                file, group, SegmentSummary.Empty(first, -1), file.Length, out string? fault);
            if (whole is null || fault is not null)
            {
                throw new DamagedException($"{path}: {fault ?? "it is empty"}");
            }

            _mark = whole.Summary.Last;
            _inSegments = _mark;
        }

        _commit = LogIndex.Max(_commit, _mark);
    }

    /// <summary>With nothing to put, the segment that holds the last durable entry is still checked and cut behind it.</summary>
    private void CutBehind()
    {
        if (_rebuilder is null && LiveSegments.Any(first => first <= _inSegments))
        {
            _rebuilder = new SegmentRebuilder(disk, _folder.Path, group);
            if (Seek(_inSegments.Next) is { } fault)
            {
                Damage(fault);
                return;
            }
        }

        if (_rebuilder is null && _inSegments > LogIndex.Zero && !StartsLog(_inSegments.Next))
        {
            Damage($"durable entries up to {_inSegments} are in no segment");
            return;
        }

        if (_mark > _inSegments)
        {
            Damage($"durable entries up to {_mark} end at {_inSegments}");
            return;
        }

        _rebuilder?.Finish();

        // The last first: were the first gone and a later one left by a crash, it would look like a log that retention had cut.
        foreach (LogIndex first in _folder.Segments.Where(first => first > _inSegments).Reverse().ToArray())
        {
            if (disk.FileExists(SegmentNames.Index(_folder.Path, first)))
            {
                disk.DeleteFile(SegmentNames.Index(_folder.Path, first));
            }

            _folder.DeleteSegment(first);
        }
    }

    private string? Seek(LogIndex next)
    {
        LogIndex holding = LogIndex.Zero;
        foreach (LogIndex first in LiveSegments)
        {
            holding = first < next ? first : holding;
        }

        return holding > LogIndex.Zero ? _rebuilder!.SeekBehind(holding, next.Previous)
            : StartsLog(next) ? null
            : $"no segment holds entry {next.Previous}";
    }

    /// <summary>The log may begin with this entry.</summary>
    private bool StartsLog(LogIndex index) => index.Previous == _base || index.Previous == _foundBase;

    /// <summary>Those segments were whole when they were written to: the journal need not keep what went there, once it is durable.</summary>
    private sealed class FlushedSync(GroupRecovery recovery, IJournal journal) : DiskWork
    {
        private readonly LogIndex _upTo = recovery._inSegments;
        private readonly LogIndex[] _segments = [.. recovery._flushed];

        public override void Execute(IDisk disk)
        {
            if (!disk.FolderExists(recovery.Folder))
            {
                return;
            }

            foreach (LogIndex first in _segments)
            {
                string path = SegmentNames.Log(recovery.Folder, first);
                if (disk.FileExists(path))
                {
                    using IDiskFile file = disk.Open(path, DiskFileMode.Existing);
                    file.Sync();
                }
            }

            disk.SyncFolder(recovery.Folder);
        }

        public override void Complete()
        {
            journal.Append(new JournalRecord { Group = recovery.Group, SegmentsDurable = _upTo });
            journal.Flush();
        }
    }

    private IEnumerable<LogIndex> LiveSegments => _folder.Segments.Where(first => first > _base);
}
