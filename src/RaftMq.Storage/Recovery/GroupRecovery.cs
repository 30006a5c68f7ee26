using RaftMq.Raft;
using RaftMq.Storage.Files;
using RaftMq.Storage.Index;
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
    private readonly PendingEntries _pending = new();
    private SegmentRebuilder? _rebuilder;
    private string? _journalDamage;

    /// <summary>What does not fit so far. A reset ends it: what it is about is void then.</summary>
    private string? _damage;

    /// <summary>The last entry that lies in a segment, as far as this start knows: by the durable mark or because it put it there.</summary>
    private LogIndex _inSegments;

    /// <summary>Segments are durable up to here.</summary>
    private LogIndex _mark;

    /// <summary>Known to be committed.</summary>
    private LogIndex _commit;

    /// <summary>The log begins behind this entry, as the journal says: by a reset or by retention.</summary>
    private LogIndex _base;

    /// <summary>
    /// The files found begin behind this entry. Until the journal was read to its end they are believed: what it says of the base stands behind
    /// entries that retention has cut. In the end both must agree.
    /// </summary>
    private LogIndex _foundBase;

    private HardState _hardState;
    private (LogIndex Index, Term Term)? _reset;

    public GroupId Group => group;

    public string Folder => folder.Path;

    public string Name => meta?.Name ?? folder.Path;

    public bool IsDeleted { get; private set; }

    public long PendingBytes => _pending.SizeBytes;

    /// <summary>How much of what is pending could go to segments now.</summary>
    public bool CanFlush => _pending.Count > 0 && _pending.First <= _commit && _damage is null;

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
                Damage($"the journal goes on with entry {entry.Index} behind {_pending.Last}");
                return;
            }

            _pending.Add(entry.Index, entry.Bytes.Span);
        }
    }

    public void Commit(LogIndex commit) => _commit = LogIndex.Max(_commit, commit);

    public void SegmentsDurable(LogIndex index)
    {
        _mark = LogIndex.Max(_mark, index);
        _commit = LogIndex.Max(_commit, index);
        if (_rebuilder is null)
        {
            _inSegments = LogIndex.Max(_inSegments, index);
            _pending.DropUpTo(index);
        }

        // With a rebuilder at work the entries that are pending follow what it wrote: it puts them in place, or finds them there.
    }

    /// <summary>Said again at the head of each journal file: only the first time means that what came before is void.</summary>
    public void Reset(LogIndex index, Term term)
    {
        if (_reset == (index, term))
        {
            return;
        }

        Dispose();
        _rebuilder = null;
        _pending.Clear();
        _reset = (index, term);
        _base = LogIndex.Max(_base, index);
        _damage = null;

        // An older history never reached as far as a snapshot that replaced it: a mark above is of the new one.
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

    /// <summary>The journal's own report: stays, whatever comes after it (design 4, "Damage and healing").</summary>
    public void JournalDamage(string report) => _journalDamage ??= report;

    private void Damage(string report) => _damage ??= report;

    /// <summary>Moves what is committed out of memory into segments.</summary>
    public void Flush()
    {
        LogIndex to = LogIndex.Min(_commit, _pending.Last);
        if (_damage is not null || _pending.Count == 0 || _pending.First > to)
        {
            return;
        }

        if (_rebuilder is null)
        {
            _mark = LogIndex.Max(_mark, _pending.First.Previous);
            _rebuilder = new SegmentRebuilder(disk, folder.Path, group);
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
            if (_rebuilder.Current is null && !header.Flags.HasFlag(EntryFlags.StartsSegment))
            {
                Damage($"entry {index} begins the log here but no segment");
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
        try
        {
            return meta is null
                ? Damaged("its group.meta is missing or not whole")
                : (_journalDamage ?? _damage) is { } damage ? Damaged(damage) : Rebuild(environment);
        }
        catch (DamagedException damage)
        {
            return Damaged(damage.Message);
        }
        finally
        {
            Dispose();
        }
    }

    public void Dispose() => _rebuilder?.Dispose();

    private RecoveredGroup.Damaged Damaged(string report) => new(group, Name, report);

    private RecoveredGroup.Damaged StartIsLost(LogIndex first) => Damaged(
        $"the log starts at entry {_base.Next}, but the first entry in a segment is {first}: what lies between is lost");

    private RecoveredGroup Rebuild(GroupLogEnvironment environment)
    {
        foreach (LogIndex first in LiveSegments)
        {
            if (first.Previous != _base)
            {
                // Before anything is touched: what is left of it may be the last copy.
                return StartIsLost(first);
            }

            break;
        }

        folder.DeleteLeftovers();
        folder.DropVoid(_reset?.Index);
        InferMark();
        LogIndex last = _pending.Count > 0 ? _pending.Last : _inSegments;
        FoundCheckpoints checkpoints = FoundCheckpoints.Read(disk, group, folder, last);
        _commit = LogIndex.Min(LogIndex.Max(_commit, checkpoints.Applied), last);
        Flush();
        if (_damage is null)
        {
            CutBehind();
        }

        if (_damage is not null)
        {
            return Damaged(_damage);
        }

        List<Segment> segments = new SegmentOpening(disk, group, folder).Open(_rebuilder, _base, _inSegments);
        LogIndex baseIndex = segments.Count > 0 ? segments[0].First.Previous : _inSegments;
        if (baseIndex != _base)
        {
            return StartIsLost(baseIndex.Next);
        }

        if (checkpoints.Best is null && baseIndex > LogIndex.Zero)
        {
            return Damaged($"the log starts at {baseIndex.Next} and no checkpoint is whole");
        }

        return checkpoints.Applied < baseIndex
            ? Damaged($"the log starts at {baseIndex.Next} and the newest whole checkpoint is of {checkpoints.Applied}")
            : new GroupAssembly(disk, group, folder.Path, meta!, checkpoints, segments, baseIndex)
                .Open(environment, _hardState, _inSegments, _mark, _pending);
    }

    /// <summary>
    /// The journal gives up entries only once segments hold them durably: what it no longer has lies below the mark, also where the
    /// mark's own record was recycled since.
    /// </summary>
    private void InferMark()
    {
        if (_rebuilder is not null)
        {
            return;
        }

        if (_pending.Count > 0)
        {
            _mark = LogIndex.Max(_mark, _pending.First.Previous);
            _inSegments = LogIndex.Max(_inSegments, _mark);
        }
        else if (folder.Segments.Count > 0 && _mark < folder.Segments[0])
        {
            LogIndex first = folder.Segments[^1];
            string path = SegmentNames.Log(folder.Path, first);
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
            _rebuilder = new SegmentRebuilder(disk, folder.Path, group);
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
        foreach (LogIndex first in folder.Segments.Where(first => first > _inSegments).Reverse().ToArray())
        {
            if (disk.FileExists(SegmentNames.Index(folder.Path, first)))
            {
                disk.DeleteFile(SegmentNames.Index(folder.Path, first));
            }

            folder.DeleteSegment(first);
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

    private IEnumerable<LogIndex> LiveSegments => folder.Segments.Where(first => first > _base);
}
