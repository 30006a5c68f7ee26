using RaftMq.Raft;
using RaftMq.Storage.Checkpoints;
using RaftMq.Storage.Files;
using RaftMq.Storage.Index;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Log;

namespace RaftMq.Storage.Segments;

/// <summary>
/// Moves one group's committed entries from the tail to segments and makes them and its checkpoints durable: decides the next piece
/// of disk work and takes its completion. At most one run and one sync are on their way.
/// </summary>
internal sealed class GroupFiles
{
    /// <summary>Smaller runs are written only when somebody waits for them (design 4).</summary>
    public const int RunBytesMin = 256 << 10;

    /// <summary>One run holds the disk's background lane about 2 ms at most.</summary>
    public const int RunBytesMax = 1 << 20;

    private readonly GroupId _group;
    private readonly string _folder;
    private readonly GroupLogEnvironment _environment;
    private readonly LogTail _tail;

    private readonly CheckpointWrites _checkpointWrites;
    private readonly RetiredFiles _retired;

    private SegmentRun? _run;
    private SegmentSync? _sync;

    /// <summary>What the journal wants released and may go to segments; zero when nothing.</summary>
    private LogIndex _wanted;

    /// <summary>
    /// What the journal wants released and was not committed when it asked; zero when nothing. It was carried again, but in a full
    /// journal that record waits for room which only segments can make: so they are written as soon as they may (L-06).
    /// </summary>
    private LogIndex _wantedOnceCommitted;

    private LogIndex _applied;
    private Action? _whenUnread;

    /// <summary>An installed base that found no room for its name; at the next pump it is tried again.</summary>
    private InstallRename? _unnamedInstall;

    public GroupFiles(GroupId group, string folder, GroupLogEnvironment environment, LogTail tail, LogIndex baseIndex)
    {
        _group = group;
        _folder = folder;
        _environment = environment;
        _tail = tail;
        _checkpointWrites = new CheckpointWrites(environment.Disk, Checkpoints);
        _retired = new RetiredFiles(group, folder, environment, Checkpoints, baseIndex, Pump, CutDone);
    }

    public GroupId Group => _group;

    public SegmentSet Segments { get; } = new();

    public CheckpointSet Checkpoints { get; } = new();

    /// <summary>Hears of damage that a read found.</summary>
    public Action<string>? DamageFound { get; set; }

    /// <summary>The last entry that lies in a segment, durable or not. Never above <see cref="Writable"/>.</summary>
    public LogIndex WrittenUpTo { get; set; }

    /// <summary>The last entry that is durable in a segment.</summary>
    public LogIndex SyncedUpTo { get; set; }

    /// <summary>Committed and durable in the journal: may go to segments.</summary>
    public LogIndex Writable { get; private set; }

    public LogIndex Durable { get; private set; }

    /// <summary>The disk had no room for the last piece of work. It is tried again at the next pump.</summary>
    public bool NoRoom { get; private set; }

    /// <summary>
    /// The reset of an installed snapshot is on its way to the journal. Entries given to it behind the reset would be taken for ones of the new
    /// log; the reset itself releases them.
    /// </summary>
    public bool EndsSoon { get; set; }

    /// <summary>True while work is with the disk whose end the log waits for.</summary>
    public bool IsBusy => _run is not null || _sync is not null || _checkpointWrites.NewestOnItsWay is not null || _retired.IsDeleting;

    /// <summary>True while something is left to do that a further pump may start.</summary>
    public bool HasWork => IsBusy || _wanted > LogIndex.Zero || _checkpointWrites.AnyWait || _retired.AnyWait;

    public void Advance(LogIndex durable, LogIndex committed, LogIndex applied)
    {
        Durable = durable;
        _applied = applied;
        Writable = LogIndex.Max(Writable, LogIndex.Min(durable, committed));
        if (_wantedOnceCommitted > LogIndex.Zero && Writable > SyncedUpTo)
        {
            _wanted = LogIndex.Max(_wanted, LogIndex.Min(_wantedOnceCommitted, Writable));
            _wantedOnceCommitted = Writable < _wantedOnceCommitted ? _wantedOnceCommitted : LogIndex.Zero;
        }
    }

    /// <summary>See <see cref="IJournalOwner.ReleaseWanted"/>.</summary>
    public void Release(LogIndex upTo, LogIndex committed)
    {
        if (upTo > committed && committed < _tail.LastIndex && !EndsSoon)
        {
            Probe.Reached(RareBranch.EntriesCarriedAgain);

            // A record of entries replaces all that stood behind its first one: hence all of them, once.
            List<Entry> entries = [];
            Invariant.Holds(_tail.TryRead(committed.Next, _tail.LastIndex, int.MaxValue, long.MaxValue, entries));
            _environment.Journal.Append(new JournalRecord { Group = _group, Entries = entries, Commit = committed });
            _wantedOnceCommitted = LogIndex.Max(_wantedOnceCommitted, upTo);
        }

        LogIndex wanted = LogIndex.Min(upTo, committed);
        if (wanted <= SyncedUpTo)
        {
            _environment.Journal.Append(new JournalRecord { Group = _group, SegmentsDurable = SyncedUpTo });
        }
        else
        {
            _wanted = LogIndex.Max(_wanted, wanted);
        }

        _environment.Journal.Flush();
        Pump();
    }

    public void Write(CheckpointWrite work)
    {
        _checkpointWrites.Add(work);
        Pump();
    }

    /// <summary>Takes the first <paramref name="count"/> segments out of the log.</summary>
    public void Cut(int count)
    {
        List<Segment> cut = [.. Segments.All.Take(count)];
        for (int i = 0; i < count; i++)
        {
            Segments.RemoveFirst();
        }

        _retired.Add(cut);
    }

    /// <summary>Starts what can be started.</summary>
    public void Pump()
    {
        _tail.EvictableUpTo = LogIndex.Min(WrittenUpTo, _applied);
        if (_environment.Tail.IsFull)
        {
            // Nothing new comes that would ask for room.
            _environment.Tail.Relieve();
        }

        if (_unnamedInstall is { } unnamed)
        {
            _unnamedInstall = null;
            _environment.Disk.Submit(DiskLane.Background, unnamed);
        }

        _checkpointWrites.Pump(Durable, _retired.DurableBase);
        _retired.Pump();
        PumpSync();
        if (_run is not null || WrittenUpTo >= Writable)
        {
            return;
        }

        LogIndex from = WrittenUpTo.Next;
        long pending = _tail.BytesBetween(from, Writable);
        bool isDue = _wanted > WrittenUpTo || _environment.Tail.IsOverBudget;
        if (isDue || pending >= RunBytesMin)
        {
            StartRun(from);
        }
    }

    public void RunDone(SegmentRun run, bool full)
    {
        if (!ReferenceEquals(run, _run))
        {
            return;
        }

        _run = null;
        NoRoom = full;
        if (full)
        {
            return;
        }

        if (run.NewSegment is { } summary)
        {
            Segment? sealedSegment = Segments.Last;
            Segments.Add(new Segment(_folder, summary, new SparseIndex(summary.First, summary.FirstOffset)));
            if (sealedSegment is not null)
            {
                sealedSegment.NameMayBeLost = false;
                Segments.Used(sealedSegment);
            }
        }

        Segment segment = Segments.Last!;
        for (LogIndex index = WrittenUpTo.Next; index <= run.Last; index = index.Next)
        {
            segment.Index!.Add(_tail.HeaderAt(index));
        }

        segment.Summary = segment.Index!.Summary;
        WrittenUpTo = run.Last;
        Pump();
    }

    public void SyncDone(SegmentSync sync, bool full)
    {
        if (!ReferenceEquals(sync, _sync))
        {
            return;
        }

        _sync = null;
        NoRoom = full;
        if (full)
        {
            return;
        }

        foreach ((Segment segment, bool isSealed) in sync.Segments)
        {
            segment.HasIndexFile |= isSealed;
            segment.NameMayBeLost = false;
            Segments.Used(segment);
        }

        SyncedUpTo = LogIndex.Max(SyncedUpTo, sync.UpTo);
        _environment.Journal.Append(new JournalRecord { Group = _group, SegmentsDurable = SyncedUpTo });
        _environment.Journal.Flush();
        if (_wanted <= SyncedUpTo)
        {
            _wanted = LogIndex.Zero;
        }

        Pump();
    }

    public void CheckpointDone(CheckpointWrite work, bool full)
    {
        if (!_checkpointWrites.TryTakeBack(work))
        {
            work.Waiter?.CheckpointDropped(work.Head);
            return;
        }

        NoRoom = full;
        _checkpointWrites.Done(work, full);
        if (!full)
        {
            Pump();
        }
    }

    public void InstallHasNoRoom(InstallRename work)
    {
        _unnamedInstall = work;
        NoRoom = true;
    }

    /// <summary>Nothing else may come that would say so.</summary>
    public void InstallHasRoom()
    {
        NoRoom = false;
        Pump();
    }

    public void ReadDone(SegmentRead read)
    {
        if (read.LoadedIndex is { } index && read.Segment.Index is null && index.Summary == read.Segment.Summary)
        {
            read.Segment.Index = index;
        }

        Segments.Used(read.Segment);
        ReaderGone();
        if (read.Read.Damage is { } damage)
        {
            read.Segment.IsDamaged = true;
            DamageFound?.Invoke(damage);
        }

        read.Read.Waiter?.ReadDone(read.Read);
    }

    public string Folder => _folder;

    /// <summary>Hears that the newest checkpoint is damaged: another one should take its place.</summary>
    public Action? NewestDamageFound { get; set; }

    public void NewestIsDamaged() => NewestDamageFound?.Invoke();

    public void SegmentIsDamaged(Segment segment, string what)
    {
        if (Segments.All.Contains(segment) && !segment.IsDamaged)
        {
            segment.IsDamaged = true;
            DamageFound?.Invoke($"segment {segment.Path} is damaged: {what}");
        }
    }

    /// <summary>A sealed segment's index file is made anew.</summary>
    public void WriteIndex(Segment segment, SparseIndex index)
    {
        segment.Readers++;
        _environment.Disk.Submit(DiskLane.Background, new IndexWrite(_group, segment, index, this));
    }

    /// <summary>A base was looked at before it is sent, or by the scrub, and its hash does not fit.</summary>
    public void BaseIsDamaged(BaseCheckpoint damaged)
    {
        if (!damaged.IsDamaged && Checkpoints.Bases.Contains(damaged))
        {
            damaged.IsDamaged = true;
            DamageFound?.Invoke($"base checkpoint {CheckpointFile.Path(_folder, CheckpointKind.Base, damaged.Index)} is damaged: its hash does not fit");
        }
    }

    /// <summary>See <see cref="GroupLog.DoubtBases"/>.</summary>
    public void DoubtBases(LogIndex logBase)
    {
        _checkpointWrites.DropWaitingBases();
        foreach (BaseCheckpoint doubted in Checkpoints.Bases.Where(known => known.Index > logBase && !known.IsDamaged).ToArray())
        {
            doubted.IsDamaged = true;
            string path = CheckpointFile.Path(_folder, CheckpointKind.Base, doubted.Index);
            if (doubted.Readers == 0)
            {
                // What is read just now is replaced once another replica's is here.
                _environment.Disk.Submit(DiskLane.Background, new BaseDeletion(_folder, path));
            }

            DamageFound?.Invoke($"base checkpoint {path} was of a state that is wrong");
        }
    }

    /// <summary>Something of the log is known to be damaged.</summary>
    public bool AnyDamaged =>
        Segments.All.Any(static segment => segment.IsDamaged) || Checkpoints.Bases.Any(static known => known.IsDamaged);

    /// <summary>A whole segment took its place.</summary>
    public void Mended(Segment segment, SparseIndex index)
    {
        segment.IsDamaged = false;
        if (!ReferenceEquals(segment, Segments.Last))
        {
            WriteIndex(segment, index);
        }
    }

    /// <summary>A whole base took its place.</summary>
    public void Mended(BaseCheckpoint damaged, CheckpointHead head)
    {
        if (Checkpoints.Bases.Contains(damaged))
        {
            Checkpoints.Remove(damaged);
            Checkpoints.Add(new BaseCheckpoint(damaged.Index, head.LastTerm, head.Membership) { IsDurable = true });
        }
    }

    /// <summary>A read ended: files that only waited for it may go.</summary>
    public void ReaderGone()
    {
        _retired.Pump();
        if (_whenUnread is { } unread && !HasReaders)
        {
            _whenUnread = null;
            unread();
        }
    }

    public void WhenUnread(Action unread)
    {
        _whenUnread = unread;
        ReaderGone();
    }

    private bool HasReaders =>
        _retired.HaveReaders
        || Segments.All.Any(segment => segment.Readers > 0)
        || Checkpoints.Bases.Any(known => known.Readers > 0);

    /// <summary>All files of the log that belong to the time before a snapshot at <paramref name="installed"/>.</summary>
    private IEnumerable<string> OldFiles(LogIndex installed)
    {
        foreach (Segment segment in _retired.Cut.Concat(Segments.All))
        {
            yield return segment.Path;
            yield return segment.IndexPath;
        }

        if (_run is { NewSegment: { } begun })
        {
            yield return SegmentNames.Log(_folder, begun.First);
        }

        foreach (BaseCheckpoint old in Checkpoints.Bases)
        {
            if (old.Index < installed)
            {
                yield return CheckpointFile.Path(_folder, CheckpointKind.Base, old.Index);
            }
        }

        LogIndex?[] newest = [Checkpoints.Newest, _checkpointWrites.NewestOnItsWay?.Head.LastIndex];
        foreach (LogIndex? index in newest)
        {
            if (index is { } known)
            {
                yield return CheckpointFile.Path(_folder, CheckpointKind.Newest, known);
            }
        }
    }

    /// <summary>The old log is void: what is on its way for it is not taken back any more.</summary>
    public void BeginHistory(LogIndex lastIndex, bool deletesFiles)
    {
        _retired.BeginHistory(lastIndex, [.. Segments.All], [.. Checkpoints.Bases], deletesFiles ? [.. OldFiles(lastIndex)] : []);
        EndsSoon = false;
        _run = null;
        _sync = null;
        _wanted = LogIndex.Zero;
        _wantedOnceCommitted = LogIndex.Zero;
        _checkpointWrites.BeginHistory();
        Segments.Clear();
        Checkpoints.Clear();
        WrittenUpTo = lastIndex;
        SyncedUpTo = lastIndex;
        Writable = lastIndex;
        Durable = lastIndex;
        _applied = lastIndex;
    }

    public void CheckInvariants()
    {
        Invariant.Holds(SyncedUpTo <= WrittenUpTo);
        Invariant.Holds(WrittenUpTo <= Writable);
        Invariant.Holds(_tail.FirstInMemory <= WrittenUpTo.Next);
        Invariant.Holds(Segments.Last is not { } last || last.Summary.Last == WrittenUpTo);
    }

    /// <summary>What is gone need not be synced.</summary>
    private void CutDone(LogIndex last) => SyncedUpTo = LogIndex.Max(SyncedUpTo, last);

    private void PumpSync()
    {
        if (_sync is not null || _run is not null || _wanted == LogIndex.Zero || WrittenUpTo < _wanted)
        {
            return;
        }

        // A cut segment whose file is still there must not be found torn below the mark.
        List<(Segment, bool)> dirty = [];
        foreach (Segment segment in _retired.Cut.Concat(Segments.All))
        {
            bool isSealed = !ReferenceEquals(segment, Segments.Last);
            if (segment.Summary.Last > SyncedUpTo || (isSealed && !segment.HasIndexFile && segment.Index is not null))
            {
                dirty.Add((segment, isSealed));
            }
        }

        bool syncsNames = dirty.Exists(entry => entry.Item1.NameMayBeLost);
        _sync = new SegmentSync(_group, _folder, dirty, syncsNames, WrittenUpTo, this);
        _environment.Disk.Submit(DiskLane.Background, _sync);
    }

    private void StartRun(LogIndex from)
    {
        LogIndex last = Writable;
        if (_tail.NextSegmentStart(from) is { } next && next <= last)
        {
            last = next.Previous;
        }

        while (last > from && _tail.BytesBetween(from, last) > RunBytesMax)
        {
            last = from + ((last - from) / 2);
        }

        EntryHeader first = _tail.HeaderAt(from);
        bool starts = first.Flags.HasFlag(EntryFlags.StartsSegment);
        Invariant.Holds(starts || Segments.Last is not null);
        List<ReadOnlyMemory<byte>> buffers = [];
        _tail.Gather(from, last, buffers);
        _run = new SegmentRun(
            _folder,
            starts ? SegmentNames.Log(_folder, from) : Segments.Last!.Path,
            createsFile: starts,
            starts ? 0 : Segments.Last!.Summary.LengthBytes,
            buffers,
            last,
            this)
        {
            SyncsNamesFirst = starts && Segments.Last is { NameMayBeLost: true },
            NewSegment = starts ? SegmentSummary.Empty(from, first.BaseOffset) : null,
        };
        _environment.Disk.Submit(DiskLane.Background, _run);
    }
}
