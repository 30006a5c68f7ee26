using RaftMq.Raft;
using RaftMq.Storage.Checkpoints;
using RaftMq.Storage.Files;
using RaftMq.Storage.Index;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Repair;
using RaftMq.Storage.Scrub;
using RaftMq.Storage.Segments;

namespace RaftMq.Storage.Log;

/// <summary>
/// The log of one group on this replica: the tail in memory, the segments behind it, the checkpoints beside them. Single-threaded,
/// owned by the shard's section. The life of an entry:
/// 1. it is put into <see cref="Tail"/> and handed to the journal by the shell;
/// 2. <see cref="Advance"/> says that it is durable, committed, applied;
/// 3. it is written to its segment in a run (<see cref="Pump"/>) and may then leave memory;
/// 4. its segment is fsynced when the journal wants its files back (<see cref="ReleaseUpTo"/>);
/// 5. retention cuts its segment (<see cref="CutTo"/>).
/// </summary>
public sealed class GroupLog
{
    private readonly GroupLogEnvironment _environment;
    private readonly GroupFiles _files;
    private IGroupLogOwner? _owner;

    /// <summary>Counts the repairs that were begun.</summary>
    private int _repairTurn;

    /// <summary>For recovery and for a new group; see <see cref="Recovery.NodeStore"/>.</summary>
    internal GroupLog(GroupId group, string folder, GroupLogEnvironment environment, GroupLogStart start)
    {
        Group = group;
        Folder = folder;
        _environment = environment;
        Tail = new LogTail(group, environment.Tail, start.Tail, start.Terms, RollPolicy.Default);
        _files = new GroupFiles(group, folder, environment, Tail, start.BaseIndex);
        BaseIndex = start.BaseIndex;
        BaseTerm = start.BaseTerm;
        LogStartOffset = start.LogStartOffset;
        foreach (Segment segment in start.Segments)
        {
            _files.Segments.Add(segment);
        }

        foreach (BaseCheckpoint checkpoint in start.Bases)
        {
            _files.Checkpoints.Add(checkpoint);
        }

        _files.Checkpoints.Newest = start.Newest;
        _files.WrittenUpTo = start.Tail.LastIndex;
        _files.SyncedUpTo = start.SyncedUpTo;
        _files.Advance(start.Tail.LastIndex, start.Tail.LastIndex, start.Applied);
        Committed = start.Tail.LastIndex;
        Applied = start.Applied;
    }

    public GroupId Group { get; }

    /// <summary>Relative to the data folder.</summary>
    public string Folder { get; }

    /// <summary>The newest entries. Consensus and the leader write here.</summary>
    public LogTail Tail { get; }

    /// <summary>The last entry that the log no longer holds; zero when it holds all.</summary>
    public LogIndex BaseIndex { get; private set; }

    public Term BaseTerm { get; private set; }

    public LogIndex FirstIndex => BaseIndex.Next;

    public LogIndex LastIndex => Tail.LastIndex;

    /// <summary>The offset that the next record gets.</summary>
    public long NextOffset => Tail.NextOffset;

    /// <summary>The first offset that consumers may read; retention moves it, and files follow by whole segments.</summary>
    public long LogStartOffset { get; private set; }

    public LogIndex Committed { get; private set; }

    public LogIndex Applied { get; private set; }

    public LogIndex WrittenUpTo => _files.WrittenUpTo;

    public LogIndex SyncedUpTo => _files.SyncedUpTo;

    /// <summary>
    /// True while something is with the disk or waits for a further <see cref="Pump"/>: a journal file that waits for this group (L-06), a
    /// checkpoint that waits for the log to be durable, files that wait for their last reader.
    /// </summary>
    public bool HasWork => _files.HasWork;

    /// <summary>There was no room for a segment or checkpoint: produce is refused until a later try succeeds (D-14).</summary>
    public bool NoRoom => _files.NoRoom;

    /// <summary>Bytes of all segments, for retention by size.</summary>
    public long SegmentBytes
    {
        get
        {
            long bytes = 0;
            foreach (Segment segment in _files.Segments.All)
            {
                bytes += segment.Summary.LengthBytes;
            }

            return bytes;
        }
    }

    /// <summary>Who is told of what the log does by itself. Once, before the first entry is applied.</summary>
    public void Attach(IGroupLogOwner owner)
    {
        _owner = owner;
        _files.DamageFound = owner.LogDamaged;
        _files.NewestDamageFound = owner.NewestDamaged;
    }

    /// <summary>
    /// Says how far things are, after each step of the group.
    /// </summary>
    /// <param name="durable">
    /// Consensus' own durable position (<see cref="RaftGroup.DurableIndex"/>): it knows of late notices. The only one of the three
    /// that may go back, by a truncation.
    /// </param>
    public void Advance(LogIndex durable, LogIndex committed, LogIndex applied)
    {
        Invariant.Holds(committed <= LastIndex);
        Invariant.Holds(applied <= committed);
        Committed = LogIndex.Max(Committed, committed);
        Applied = LogIndex.Max(Applied, applied);
        Tail.Committed = Committed;
        _files.Advance(durable, Committed, Applied);
        Pump();
    }

    /// <summary>Starts the disk work that is due. Called by <see cref="Advance"/>, and by the shell's tick for what had to wait.</summary>
    public void Pump()
    {
        _files.Pump();
        _files.CheckInvariants();
    }

    /// <summary>
    /// A journal file is due (<see cref="IJournalOwner.ReleaseWanted"/>). Committed entries are written and fsynced and the journal is
    /// told; uncommitted ones are given to it again.
    /// </summary>
    public void ReleaseUpTo(LogIndex upTo) => _files.Release(upTo, Committed);

    // --- reading ---

    /// <summary>
    /// Record batches from the one that holds <paramref name="offset"/> on: at least one, then up to <paramref name="maxBytes"/>, none that
    /// ends above <paramref name="upToOffset"/> (the high watermark, or the last stable offset).
    /// </summary>
    public LogRead ReadForConsumer(long offset, int maxBytes, long upToOffset, ILogReadWaiter waiter)
    {
        LogRead read = new(waiter) { NextOffset = offset };
        if (offset < LogStartOffset)
        {
            return Done(read, LogReadStatus.BelowStart);
        }

        if (offset >= Math.Min(upToOffset, NextOffset))
        {
            return Done(read, LogReadStatus.Done);
        }

        if (offset < FirstOffsetInMemory)
        {
            return Submit(_files.Segments.EndingAbove(offset), read, new SegmentQuestion(
                SegmentQuestionKind.ConsumerBatches, offset, default, 0, upToOffset, default, maxBytes));
        }

        if (Tail.FirstEndingAbove(offset) is { } from)
        {
            Tail.ReadBatches(from, upToOffset, maxBytes, read);
        }

        return Done(read, LogReadStatus.Done);
    }

    /// <summary>
    /// Entries <paramref name="from"/>..<paramref name="to"/> for a follower (<see cref="Ready.LogReads"/>): at least one, then up to the limit.
    /// </summary>
    public LogRead ReadForFollower(LogIndex from, LogIndex to, int maxBytes, ILogReadWaiter waiter)
    {
        LogRead read = new(waiter);
        if (from < FirstIndex)
        {
            return Done(read, LogReadStatus.BelowStart);
        }

        if (from > LastIndex || from > to)
        {
            return Done(read, LogReadStatus.Done);
        }

        if (from >= Tail.FirstInMemory)
        {
            List<Entry> entries = [];
            Tail.TryRead(from, to, int.MaxValue, maxBytes, entries);
            foreach (Entry entry in entries)
            {
                read.Add(entry);
            }

            return Done(read, LogReadStatus.Done);
        }

        return Submit(_files.Segments.Holding(from), read, new SegmentQuestion(
            SegmentQuestionKind.FollowerEntries, 0, from, 0, 0, to, maxBytes));
    }

    /// <summary>The header of the entry that holds an offset, or of the next one that holds any: <see cref="LogRead.Found"/>.</summary>
    public LogRead FindOffset(long offset, ILogReadWaiter waiter)
    {
        LogRead read = new(waiter) { NextOffset = offset };
        if (offset < LogStartOffset)
        {
            return Done(read, LogReadStatus.BelowStart);
        }

        if (offset >= FirstOffsetInMemory)
        {
            read.Found = Tail.FirstEndingAbove(offset) is { } index ? Tail.HeaderAt(index) : null;
            return Done(read, LogReadStatus.Done);
        }

        return Submit(_files.Segments.EndingAbove(offset), read, new SegmentQuestion(
            SegmentQuestionKind.HeaderByOffset, offset, default, 0, 0, default, 0));
    }

    /// <summary>
    /// The header of the first committed entry whose greatest record timestamp is at or above the one asked for, in log order
    /// (timestamps need not grow) and that ends above an offset: <see cref="LogRead.Found"/>. Without one, and with a <see cref="LogRead.NextOffset"/>
    /// above that offset, the file that was looked at has none, and the question is to be asked again from there.
    /// </summary>
    /// <param name="fromOffset">What ends at or below does not count: records below the log's start are gone though their file may still be there (O-13).</param>
    public LogRead FindTimestamp(long timestampMs, long fromOffset, ILogReadWaiter waiter)
    {
        LogRead read = new(waiter);
        if (_files.Segments.ReachingTimestamp(timestampMs, fromOffset) is { } segment)
        {
            return Submit(segment, read, new SegmentQuestion(
                SegmentQuestionKind.HeaderByTimestamp, fromOffset, default, timestampMs, 0, default, 0));
        }

        // No written entry is that young; memory may still hold entries below, even ones that were cut.
        read.Found = Tail.FirstAtOrAfter(timestampMs, WrittenUpTo.Next, Committed, fromOffset);
        read.NextOffset = fromOffset;
        return Done(read, LogReadStatus.Done);
    }

    /// <summary>
    /// The greatest record timestamp among committed entries that end above an offset (Kafka KIP-734): <see cref="LogRead.GreatestTimestampMs"/>. Segments
    /// know theirs; only the one that holds the offset is looked through, where it could have it.
    /// </summary>
    public LogRead FindGreatestTimestamp(long fromOffset, ILogReadWaiter waiter)
    {
        LogRead read = new(waiter);
        Segment? holding = null;
        foreach (Segment segment in _files.Segments.All)
        {
            SegmentSummary summary = segment.Summary;
            if (summary.FirstOffset >= fromOffset)
            {
                read.GreatestTimestampMs = Math.Max(read.GreatestTimestampMs, summary.MaxTimestampMs);
            }
            else if (summary.NextOffset > fromOffset)
            {
                holding = segment;
            }
        }

        for (LogIndex index = LogIndex.Max(WrittenUpTo.Next, Tail.FirstInMemory); index <= Committed; index = index.Next)
        {
            EntryHeader header = Tail.HeaderAt(index);
            bool counts = header.RecordCount > 0 && header.NextOffset > fromOffset;
            read.GreatestTimestampMs = counts ? Math.Max(read.GreatestTimestampMs, header.TimestampMs) : read.GreatestTimestampMs;
        }

        return holding is { Summary.MaxTimestampMs: var max } && max > read.GreatestTimestampMs
            ? Submit(holding, read, new SegmentQuestion(SegmentQuestionKind.GreatestTimestamp, fromOffset, default, 0, 0, default, 0))
            : Done(read, LogReadStatus.Done);
    }

    // --- checkpoints ---

    /// <summary>
    /// True when <paramref name="next"/>, about to be applied, begins a segment whose base is still to be taken: the state as it is now.
    /// </summary>
    public bool NeedsBaseBefore(in EntryHeader next) =>
        next.Flags.HasFlag(EntryFlags.StartsSegment)
        && next.Index.Previous > BaseIndex
        && _files.Checkpoints.BaseAt(next.Index.Previous) is null;

    /// <summary>The part of a checkpoint that the log knows, at the moment when the state is frozen.</summary>
    /// <param name="applied">
    /// The last entry that the state contains. Calls come in ascending order. During start-up's replay only segment boundaries and the
    /// replay's end can be frozen.
    /// </param>
    public CheckpointHead FreezeHead(LogIndex applied)
    {
        Invariant.Holds(applied >= Applied);
        Invariant.Holds(applied <= Committed);
        long nextOffset = applied == LastIndex ? NextOffset
            : applied.Next >= Tail.FirstInMemory ? Tail.HeaderAt(applied.Next).BaseOffset
            : SegmentAt(applied.Next).Summary.FirstOffset;
        return new CheckpointHead(
            Group,
            applied,
            TermAt(applied),
            Tail.MembershipAt(applied),
            nextOffset,
            FirstIndex,
            LogStartOffset,
            Tail.Terms.UpTo(applied));
    }

    /// <summary>Makes the base of a segment durable: frozen just before the segment's first entry was applied.</summary>
    public void WriteBase(CheckpointHead head, int stateVersion, ReadOnlyMemory<byte> state, ICheckpointWaiter? waiter) =>
        _files.Write(new CheckpointWrite(
            Folder, CheckpointKind.Base, new Checkpoint(head, stateVersion, state), waiter, _files));

    /// <summary>What the newest durable checkpoint is of; zero when there is none.</summary>
    public LogIndex CheckpointedUpTo => _files.Checkpoints.Newest ?? LogIndex.Zero;

    /// <summary>
    /// Renews the newest checkpoint. False, and nothing is written, when it would pass a segment boundary whose base was never written
    /// or had no room: take that first, at the next start at the latest. It waits by itself for the log to be durable there.
    /// </summary>
    public bool WriteNewest(CheckpointHead head, int stateVersion, ReadOnlyMemory<byte> state, ICheckpointWaiter? waiter)
    {
        if (!HasBasesUpTo(head.LastIndex))
        {
            return false;
        }

        _files.Write(new CheckpointWrite(
            Folder, CheckpointKind.Newest, new Checkpoint(head, stateVersion, state), waiter, _files));
        return true;
    }

    // --- retention ---

    /// <summary>
    /// Where the log should start by retention: behind the whole segments that are too old, or too many for the size. By size the last
    /// one with records always stays; by age all goes when no record at all is young enough. Null when nothing is to go.
    /// </summary>
    /// <param name="retentionMs">-1: never by age.</param>
    /// <param name="retentionBytes">-1: never by size. Counts segments as written.</param>
    /// <param name="endOffset">Behind the last committed record; null: the last segment stays in any case.</param>
    public long? RetentionStart(long nowMs, long retentionMs, long retentionBytes, long? endOffset)
    {
        IReadOnlyList<Segment> segments = _files.Segments.All;
        long bytes = SegmentBytes;
        long? start = null;
        bool allAreOld = retentionMs >= 0;
        for (int i = 0; i < segments.Count; i++)
        {
            SegmentSummary summary = segments[i].Summary;
            long newestMs = PlantedBug.RetentionByFirstRecord ? summary.FirstTimestampMs : summary.MaxTimestampMs;
            bool tooOld = retentionMs >= 0 && IsTooOld(newestMs, nowMs, retentionMs);
            allAreOld &= tooOld;
            if (i == segments.Count - 1 && !PlantedBug.RetentionTakesHead)
            {
                break;
            }

            // An entry without records may have begun the last segment: what came last is in one before it then, and stays.
            bool isLastWithRecords = summary.NextOffset == segments[^1].Summary.NextOffset && !PlantedBug.RetentionTakesHead;
            bool tooMuch = retentionBytes >= 0 && bytes > retentionBytes && !isLastWithRecords;
            if (!tooOld && !tooMuch)
            {
                break;
            }

            bytes -= summary.LengthBytes;
            start = summary.NextOffset;
        }

        // What is in no segment yet lies behind all of them.
        if (allAreOld && endOffset is not null && Tail.FirstAtOrAfter(nowMs - retentionMs, WrittenUpTo.Next, Committed, fromOffset: 0) is null)
        {
            start = endOffset;
        }

        return start > LogStartOffset ? start : null;
    }

    private static bool IsTooOld(long timestampMs, long nowMs, long retentionMs) => timestampMs < nowMs - retentionMs;

    /// <summary>
    /// Retention's replicated decision: consumers read from here on. Whole segments below go, as far as the base checkpoint of the
    /// first one left is durable; the rest goes with a later call.
    /// </summary>
    public void CutTo(long logStartOffset)
    {
        Invariant.Holds(logStartOffset <= NextOffset);
        LogStartOffset = Math.Max(LogStartOffset, logStartOffset);
        IReadOnlyList<Segment> segments = _files.Segments.All;
        int count = 0;
        for (int i = 1; i < segments.Count && segments[i - 1].Summary.NextOffset <= LogStartOffset; i++)
        {
            LogIndex candidate = segments[i].First.Previous;
            if (candidate <= Applied && (PlantedBug.BaseCutBeforeCheckpoint || _files.Checkpoints.IsUsable(candidate)))
            {
                count = i;
            }
        }

        if (count == 0)
        {
            return;
        }

        LogIndex baseIndex = segments[count].First.Previous;
        BaseTerm = TermAt(baseIndex);
        BaseIndex = baseIndex;
        Tail.Terms.CutBefore(FirstIndex);
        _files.Cut(count);
        _owner?.LogCut(BaseIndex);
    }

    // --- damage ---

    /// <summary>Something of the log is known to be damaged, and served by nobody here until it is mended.</summary>
    public bool IsDamaged => _files.AnyDamaged;

    /// <summary>
    /// Mends a file that is known to be damaged; null when there is none. One at a time and in turn: one that nobody has whole must not keep the others
    /// waiting.
    /// </summary>
    public GroupRepair? BeginRepair()
    {
        BaseCheckpoint[] bases = [.. _files.Checkpoints.Bases.Where(known => known.IsDamaged && known.Index >= BaseIndex)];
        Segment[] segments = [.. _files.Segments.All.Where(static segment => segment.IsDamaged)];
        if (bases.Length + segments.Length == 0)
        {
            return null;
        }

        int turn = _repairTurn++ % (bases.Length + segments.Length);
        return turn < bases.Length
            ? new RunningRepair(this, _files, _environment, bases[turn])
            : new RunningRepair(this, _files, _environment, segments[turn - bases.Length]);
    }

    /// <summary>
    /// Bases here may be of a state that was wrong, which no hash of theirs can tell: all but the one that the log begins behind, which came from another
    /// replica, are dropped and then mended as lost ones are.
    /// </summary>
    public void DoubtBases() => _files.DoubtBases(BaseIndex);

    /// <summary>A pass over all files of this log.</summary>
    /// <param name="done">Told, inside the section, how much a piece has read.</param>
    public LogScrub BeginScrub(Action<long, int> done) => new(Group, _files, _environment.Disk, done);

    /// <summary>What this log knows of the place of another replica's base; null when that does not fit.</summary>
    internal CheckpointHead? OwnHead(CheckpointHead other) =>
        other.LastIndex < BaseIndex || other.LastIndex > Committed || TermAt(other.LastIndex) != other.LastTerm
            ? null
            : other with
            {
                Group = Group,
                LogStartIndex = LogIndex.Min(FirstIndex, other.LastIndex.Next),
                Terms = Tail.Terms.UpTo(other.LastIndex),
            };

    // --- snapshots ---

    /// <summary>
    /// The leader's side: the base checkpoint a follower behind the log's start needs; null when it is damaged here or the log holds
    /// everything.
    /// </summary>
    public (LogIndex Index, Term Term, Membership Membership)? SnapshotToSend =>
        _files.Checkpoints.BaseAt(BaseIndex) is { IsDurable: true, IsDamaged: false, Membership: { } membership }
            ? (BaseIndex, BaseTerm, membership)
            : null;

    /// <summary>
    /// Reads a piece of a base checkpoint's file for sending. False when it is gone: the log was cut since.
    /// </summary>
    public bool ReadSnapshot(LogIndex baseIndex, long position, int maxBytes, ISnapshotChunkWaiter waiter)
    {
        if (_files.Checkpoints.BaseAt(baseIndex) is not { IsDurable: true, IsDamaged: false } checkpoint)
        {
            return false;
        }

        _environment.Disk.Submit(DiskLane.Read, new SnapshotChunkRead(
            CheckpointFile.Path(Folder, CheckpointKind.Base, baseIndex), checkpoint, position, maxBytes, waiter, _files));
        return true;
    }

    /// <summary>
    /// The follower's side: takes a leader's base checkpoint piece by piece and, once it is whole and durable, begins the log anew behind
    /// it. Until the install says it is done the old log stays as it is. One at a time.
    /// </summary>
    public SnapshotInstall BeginInstall(LogIndex index, Term term, ISnapshotInstallOwner owner) =>
        new(this, _environment, index, term, owner);

    /// <summary>The reset is given to the journal: whatever the old log has to say must not come behind it.</summary>
    internal void ResetIsUnderWay() => _files.EndsSoon = true;

    /// <summary>The reset is durable: the old log is void from here on, the new one begins behind the snapshot.</summary>
    internal void BeginAnew(CheckpointHead head)
    {
        _files.BeginHistory(head.LastIndex, deletesFiles: true);
        BaseIndex = head.LastIndex;
        BaseTerm = head.LastTerm;

        // What lies before the snapshot is not here, wherever the log began when the leader took it.
        LogStartOffset = Math.Max(head.LogStartOffset, head.NextOffset);
        Committed = head.LastIndex;
        Applied = head.LastIndex;
        Tail.Terms.Reset(head.Terms);
        Tail.Restart(new TailStart(head.LastIndex, head.NextOffset, SegmentFirst: null, [(head.LastIndex, head.Membership)]));
        BaseCheckpoint installed = new(head.LastIndex, head.LastTerm, head.Membership);
        _files.Checkpoints.Add(installed);
        _environment.Disk.Submit(DiskLane.Background, new InstallRename(Folder, installed, _files));
        _files.Pump();
    }

    /// <summary>Calls back, now or later, when no read of the closed log is on its way.</summary>
    internal void WhenUnread(Action unread) => _files.WhenUnread(unread);

    /// <summary>Entries that recovery put into the tail are durable in the journal.</summary>
    internal void RecoveredTail() => _files.Advance(LastIndex, Committed, Applied);

    /// <summary>The group's replica leaves this node: its memory goes back. Files are the <see cref="Recovery.NodeStore"/>'s to delete.</summary>
    internal void Close()
    {
        _files.BeginHistory(LastIndex, deletesFiles: false);
        Tail.Restart(new TailStart(LastIndex, NextOffset, SegmentFirst: null, [(LastIndex, Tail.MembershipAt(Committed))]));
    }

    private long FirstOffsetInMemory =>
        Tail.FirstInMemory > LastIndex ? NextOffset : Tail.HeaderAt(Tail.FirstInMemory).BaseOffset;

    private Term TermAt(LogIndex index) =>
        index == BaseIndex ? BaseTerm : Tail.Terms.TermAt(index) ?? throw new InvariantViolationException($"No term known at {index}.");

    private Segment SegmentAt(LogIndex first)
    {
        Segment? segment = _files.Segments.Holding(first);
        Invariant.Holds(segment is not null && segment.First == first);
        return segment;
    }

    private bool HasBasesUpTo(LogIndex index)
    {
        foreach (Segment segment in _files.Segments.All)
        {
            if (segment.First > FirstIndex && segment.First <= index
                && _files.Checkpoints.BaseAt(segment.First.Previous) is null)
            {
                return false;
            }
        }

        // Segments that exist in memory only so far.
        LogIndex? start = Tail.NextSegmentStart(WrittenUpTo);
        while (start is { } first && first <= index)
        {
            if (first > FirstIndex && _files.Checkpoints.BaseAt(first.Previous) is null)
            {
                return false;
            }

            start = Tail.NextSegmentStart(first);
        }

        return true;
    }

    private LogRead Submit(Segment? segment, LogRead read, in SegmentQuestion question)
    {
        Invariant.Holds(segment is not null);
        _environment.Disk.Submit(DiskLane.Read, new SegmentRead(Group, segment, question, read, _files.ReadDone));
        return read;
    }

    private static LogRead Done(LogRead read, LogReadStatus status)
    {
        read.Status = status;
        return read;
    }
}
