using RaftMq.Raft;
using RaftMq.Storage.Checkpoints;
using RaftMq.Storage.Files;
using RaftMq.Storage.Index;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Log;
using RaftMq.Storage.Recovery;
using RaftMq.Storage.Segments;

namespace RaftMq.Storage.Repair;

/// <summary>
/// Mends the files of a group that did not start. Its life:
/// 1. segment by segment, from the log's beginning to the last entry that the journal no longer has: looked at, and fetched where it is not whole;
/// 2. the base of the log's beginning, where no checkpoint is whole that the group could start with;
/// 3. the journal is told how far segments hold the log now, where it did not say as much;
/// 4. recovery once more, with what the journal said at the start of this process: nothing of the group went there since.
/// Where all others have cut their logs meanwhile, so has this one: it takes the base behind which theirs begin, tells the journal, and goes on
/// from there.
/// </summary>
public sealed class QuarantinedRepair : GroupRepair, IJournalWaiter
{
    private readonly GroupRecovery _recovery;
    private readonly GroupLogEnvironment _environment;

    /// <summary>The next entry whose segment is to be looked at, and what the one before says of it.</summary>
    private LogIndex _next;
    private long _offset = -1;
    private Term _term;

    private SegmentFetch? _segment;
    private BaseFetch? _base;

    /// <summary>The log is to begin behind this entry, of which the journal has not written yet; zero: where it began.</summary>
    private LogIndex _newBase;
    private bool _isAbandoned;

    internal QuarantinedRepair(GroupRecovery recovery, GroupLogEnvironment environment)
    {
        _recovery = recovery;
        _environment = environment;
        What = "its segments";
        LookFrom(recovery.Base.Next);
    }

    /// <summary>At its end without a failure: the group, to be started.</summary>
    public RecoveredGroup.Healthy? Group { get; private set; }

    /// <summary>Recovery runs: what the journal said is in its hands.</summary>
    public bool IsTrying { get; private set; }

    public override void Abandon()
    {
        _isAbandoned = true;
        Wish = null;
        _segment?.Abandon();
        _base?.Abandon();
    }

    public override bool TryBeginBehind(LogIndex baseIndex)
    {
        if (IsOver || Wish is null || baseIndex <= _recovery.Base || baseIndex < _newBase)
        {
            return false;
        }

        Probe.Reached(RareBranch.RepairBehindLogStart);
        _segment?.Abandon();
        _segment = null;
        _newBase = baseIndex;
        FetchBase(baseIndex);
        return true;
    }

    public override bool EntriesCame(IReadOnlyList<Entry> entries)
    {
        if (_segment is not { } fetch)
        {
            return true;
        }

        bool taken = fetch.Take(entries);
        Wish = fetch.Wish;
        return taken;
    }

    public override bool BaseCame(long position, ReadOnlyMemory<byte> bytes, long totalBytes)
    {
        if (_base is not { } fetch)
        {
            return true;
        }

        bool taken = fetch.Take(position, bytes, totalBytes);
        Wish = fetch.Wish;
        return taken;
    }

    void IJournalWaiter.Written(JournalRecord record)
    {
        if (!_isAbandoned)
        {
            Submit(new BaseRename(this, _newBase));
            _newBase = LogIndex.Zero;
        }
    }

    private void LookFrom(LogIndex next)
    {
        _next = next;
        Submit(next <= _recovery.NeededUpTo ? new SegmentLook(this) : new CheckpointLook(this));
    }

    private void Submit(DiskWork work)
    {
        Wish = null;
        if (!_isAbandoned)
        {
            _environment.Disk.Submit(DiskLane.Background, work);
        }
    }

    private void Looked(SegmentSummary? whole, LogIndex to)
    {
        if (_isAbandoned)
        {
            return;
        }

        if (whole is { } summary)
        {
            Whole(summary);
            return;
        }

        What = SegmentNames.Log(_recovery.Folder, _next);
        _segment = new SegmentFetch(
            _recovery.Group, _recovery.Folder, _next, to, Misfit, inPlace: false, _environment.Disk, SegmentChanged);
        Wish = _segment.Wish;
    }

    private string? Misfit(SegmentSummary summary) => Follows(summary) ? null : "it does not follow what stands before it";

    private bool Follows(in SegmentSummary summary) => _offset < 0 || summary.FirstOffset == _offset;

    private void Whole(in SegmentSummary summary)
    {
        _offset = summary.NextOffset;
        _term = summary.LastTerm;
        LookFrom(summary.Last.Next);
    }

    private void SegmentChanged(SegmentFetch fetch)
    {
        if (_isAbandoned || !ReferenceEquals(fetch, _segment))
        {
            return;
        }

        Wish = fetch.Wish;
        if (fetch.Index is { } index)
        {
            Mended(fetch.BytesTaken);
            _segment = null;
            Whole(index.Summary);
        }
        else if (fetch.Failure is { } failure)
        {
            Over($"{What}: {failure}");
        }
    }

    private void Mended(long bytes)
    {
        BytesTaken += bytes;
        FilesMended++;
        Probe.Reached(RareBranch.FileMended);
    }

    private void CheckpointsLooked(bool needsBase)
    {
        if (_isAbandoned)
        {
            return;
        }

        if (needsBase)
        {
            FetchBase(_recovery.Base);
        }
        else
        {
            TryAgain();
        }
    }

    private void TryAgain()
    {
        if (_recovery.UntoldMark is { } mark)
        {
            // Those files were not there when this process began: they came from another replica and are synced.
            Probe.Reached(RareBranch.RepairedMarkTold);
            _recovery.SegmentsDurable(mark);
            _environment.Journal.Append(new JournalRecord { Group = _recovery.Group, SegmentsDurable = mark, Waiter = new MarkTold(this) });
            _environment.Journal.Flush();
            return;
        }

        IsTrying = !_isAbandoned;
        Submit(new Retry(this));
    }

    private void FetchBase(LogIndex index)
    {
        What = CheckpointFile.Path(_recovery.Folder, CheckpointKind.Base, index);
        _base = new BaseFetch(_recovery.Group, _recovery.Folder, index, asInstall: _newBase > LogIndex.Zero, head => OwnHead(head, index), _environment.Disk, BaseChanged);
        Wish = _base.Wish;
    }

    /// <summary>A log that begins behind it knows of no terms before.</summary>
    private CheckpointHead? OwnHead(CheckpointHead head, LogIndex index) =>
        head.LogStartIndex > index.Next || head.Terms.Count == 0 || head.Terms[^1].Term != head.LastTerm
            ? null
            : head with { Group = _recovery.Group, LogStartIndex = index.Next, Terms = [head.Terms[^1]] };

    private void BaseChanged(BaseFetch fetch)
    {
        if (_isAbandoned || !ReferenceEquals(fetch, _base))
        {
            return;
        }

        if (fetch.Failure is { } failure)
        {
            Over($"{What}: {failure}");
            return;
        }

        Mended(fetch.BytesTaken);
        _base = null;
        if (_newBase == LogIndex.Zero)
        {
            TryAgain();
            return;
        }

        _recovery.BeginBehind(_newBase);
        _environment.Journal.Append(new JournalRecord
        {
            Group = _recovery.Group,
            SegmentsDurable = _newBase,
            LogBase = _newBase,
            Waiter = this,
        });
        _environment.Journal.Flush();
    }

    private void Retried()
    {
        IsTrying = false;
        if (_isAbandoned)
        {
            return;
        }

        switch (_recovery.Open(_environment))
        {
            case RecoveredGroup.Healthy healthy:
                Group = healthy;
                Over(null);
                break;
            case RecoveredGroup.Damaged damaged:
                Over(damaged.Report);
                break;
        }
    }

    private void Over(string? failure)
    {
        (IsOver, Failure, Wish) = (true, failure, null);
        _segment?.Abandon();
        _base?.Abandon();
    }

    /// <summary>Before it nothing may be said by what was fetched.</summary>
    private sealed class MarkTold(QuarantinedRepair repair) : IJournalWaiter
    {
        public void Written(JournalRecord record)
        {
            if (!repair._isAbandoned)
            {
                repair.TryAgain();
            }
        }
    }

    /// <summary>Whether the segment that begins at the next entry is there and whole, as far as it must be.</summary>
    private sealed class SegmentLook(QuarantinedRepair repair) : DiskWork
    {
        private SegmentSummary? _whole;
        private LogIndex _to;

        public override void Execute(IDisk disk)
        {
            GroupRecovery recovery = repair._recovery;
            LogIndex first = repair._next;
            GroupFolder folder = new(disk, recovery.Folder);
            LogIndex? behind = null;
            foreach (LogIndex other in folder.Segments)
            {
                behind ??= other > first ? other : null;
            }

            bool isSealed = behind is { } next && next <= recovery.NeededUpTo;
            _to = isSealed ? behind!.Value.Previous : recovery.NeededUpTo;
            if (first == recovery.Base.Next)
            {
                Begin(disk, folder);
            }

            if (!folder.Segments.Contains(first))
            {
                return;
            }

            using IDiskFile file = disk.Open(SegmentNames.Log(recovery.Folder, first), DiskFileMode.Existing);
            SparseIndex? index = null;
            SegmentScanner scanner = new(file, 0, file.Length, SegmentSet.ScanReadBytes);
            while (index is null || index.Summary.Last < _to)
            {
                if (!scanner.TryNext(out EntryHeader header, out ReadOnlyMemory<byte> entry)
                    || !header.Group.IsLifeOf(recovery.Group)
                    || !StoredEntry.TryReadWhole(entry.Span, out _))
                {
                    return;
                }

                index ??= new SparseIndex(first, header.BaseOffset);
                if (!index.Summary.IsFollowedBy(header) || header.Term < repair._term)
                {
                    return;
                }

                index.Add(header);
            }

            SegmentSummary summary = index.Summary;
            _whole = repair.Follows(summary) && (!isSealed || summary.LengthBytes == file.Length) ? summary : null;
        }

        public override void Complete() => repair.Looked(_whole, _to);

        /// <summary>Offsets begin with zero, or where the base of the log's beginning says; without one, with whatever the first segment says.</summary>
        private void Begin(IDisk disk, GroupFolder folder)
        {
            LogIndex known = repair._recovery.Base;
            repair._offset = known == LogIndex.Zero ? 0
                : !folder.Bases.Contains(known) ? -1
                : CheckpointFile.TryRead(disk, folder.Path, CheckpointKind.Base, known, repair._recovery.Group)?.Head.NextOffset ?? -1;
        }
    }

    private sealed class CheckpointLook(QuarantinedRepair repair) : DiskWork
    {
        private bool _needsBase;

        public override void Execute(IDisk disk)
        {
            GroupRecovery recovery = repair._recovery;
            GroupFolder folder = new(disk, recovery.Folder);
            LogIndex known = recovery.Base;
            _needsBase = known > LogIndex.Zero
                && !folder.Bases.Select(index => (CheckpointKind.Base, Index: index))
                    .Concat(folder.Newest.Select(index => (CheckpointKind.Newest, Index: index)))
                    .Where(found => found.Index >= known && found.Index <= recovery.CheckpointsMax)
                    .Any(found => CheckpointFile.TryRead(disk, folder.Path, found.Item1, found.Index, recovery.Group) is not null);
        }

        public override void Complete() => repair.CheckpointsLooked(_needsBase);
    }

    /// <summary>The journal says that the log begins behind it: it is the log's base now.</summary>
    private sealed class BaseRename(QuarantinedRepair repair, LogIndex index) : DiskWork
    {
        public override void Execute(IDisk disk)
        {
            string folder = repair._recovery.Folder;
            if (disk.FileExists(CheckpointFile.InstallPath(folder, index)))
            {
                disk.Rename(CheckpointFile.InstallPath(folder, index), CheckpointFile.Path(folder, CheckpointKind.Base, index));
                disk.SyncFolder(folder);
            }
        }

        public override void Complete()
        {
            if (!repair._isAbandoned)
            {
                (repair._offset, repair._term) = (-1, Term.Zero);
                repair.LookFrom(repair._recovery.Base.Next);
            }
        }

        public override void Full(DiskFullException fault) => repair.Over("the disk has no room");
    }

    private sealed class Retry(QuarantinedRepair repair) : DiskWork
    {
        public override void Execute(IDisk disk) => repair._recovery.TryAgain();

        public override void Complete() => repair.Retried();

        public override void Full(DiskFullException fault)
        {
            repair.IsTrying = false;
            repair.Over("the disk has no room");
        }
    }
}
