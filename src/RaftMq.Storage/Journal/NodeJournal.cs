using System.Runtime.InteropServices;
using RaftMq.Raft;
using RaftMq.Storage.Files;
using RaftMq.Storage.Log;

namespace RaftMq.Storage.Journal;

/// <summary>
/// The node's journal: all groups' records in one sequence of batches (design 4). One exclusive section owns it. Its life:
/// 1. <see cref="Recovery.JournalRecovery.Open"/> replays what is there and opens a generation of its own;
/// 2. <see cref="Append"/> queues records, <see cref="Flush"/> starts a batch unless one is on its way; while it is, records gather, so
///    batches grow by themselves under load (group commit);
/// 3. a batch that is durable moves the ledger, tells the waiters in order, and the next one starts;
/// 4. <see cref="Tick"/> seals an idle journal; files that nobody needs are named anew and used again;
/// 5. <see cref="Dispose"/> closes the files. What was not reported as written may or may not be there at the next start.
/// </summary>
public sealed class NodeJournal : IJournal, IDisposable
{
    /// <summary>A file costs much work in vain while the disk has no room.</summary>
    private const int RoomTriedEveryMs = 100;

    private readonly JournalOptions _options;
    private readonly StoreId _store;
    private readonly IDiskQueue _queue;
    private readonly IJournalOwner _owner;
    private readonly JournalLedger _ledger;
    private readonly JournalMarkFile _markFile;
    private readonly JournalQueue _waiting = new();
    private readonly JournalBatch _batch;

    /// <summary>Files with something needed, ascending; the last is the one being written.</summary>
    private readonly List<JournalFile> _files;
    private readonly List<FreeFile> _free;

    /// <summary>Ready to be written next: durable, with its name. Null while it is being prepared or there is no room for one.</summary>
    private JournalFile? _next;
    private FilePreparation? _preparing;

    /// <summary>The newest file whose first batch is durable.</summary>
    private long _openedFile;

    /// <summary>A single large record or very many groups want the next file at least this large.</summary>
    private long _nextFileBytesMin;
    private bool _noRoom;
    private long _roomTriedAtMs = long.MinValue / 2;

    /// <summary>The last file that was to be prepared had no room, and none was since.</summary>
    private bool _lastHadNoRoom;

    /// <summary>The end of the last file, kept for records that release others, is used up and more of them wait.</summary>
    private bool _releaseNeedsFile;

    // The chain: of the last durable batch.
    private ulong _hash;
    private long _sequence;
    private long _durableUpTo;

    /// <summary>As the last durable header says it. Only files below it may lose their content or name.</summary>
    private long _durableFirstNeeded;

    private bool _inFlight;

    /// <summary>Waiters and owner are being called; what they append waits until all were told.</summary>
    private bool _telling;
    private bool _unsealed = true;
    private long? _idleSinceMs;
    private IJournalObserver? _observer;
    private JournalStatistics _statistics;
    private bool _disposed;

    internal NodeJournal(JournalOptions options, JournalStart start, IDiskQueue queue, IJournalOwner owner)
    {
        Invariant.Holds(options.Faults().Count == 0);
        _options = options;
        _store = start.Store;
        _queue = queue;
        _owner = owner;
        _ledger = start.Ledger;
        _markFile = start.MarkFile;
        _openedFile = start.Opening.FileNumber;
        _files = start.Files;
        _free = start.Free;
        _batch = new JournalBatch(Completed);
        _hash = start.OpeningHash;
        _sequence = start.Opening.Sequence;
        _durableUpTo = start.Opening.End;
        _durableFirstNeeded = start.Opening.FirstNeededFile;
        Generation = start.Opening.Generation;
        Report = start.Report;
        foreach (GroupLedger group in _ledger.Groups)
        {
            group.QueuedLastIndex = group.LastIndex;
        }

        FreeUnneeded();
        PrepareNext();
    }

    /// <summary>Grows with each start.</summary>
    public long Generation { get; }

    /// <summary>What was found at the start.</summary>
    public JournalRecoveryReport Report { get; }

    public JournalStatistics Statistics => _statistics;

    public JournalOptions Options => _options;

    /// <summary>Entry bytes that wait for a batch or are on their way in one. Bounded by the node's limit on uncommitted bytes.</summary>
    public long QueuedBytes => _waiting.EntryBytes + (_inFlight ? _batch.Header.BodyBytes : 0);

    public int QueuedRecords => _waiting.Count + (_inFlight ? _batch.Records.Count : 0);

    /// <summary>Files in use, the free and the prepared ones not counted.</summary>
    public int UsedFiles => _files.Count;

    /// <summary>Bytes of all files in use, the free and the prepared ones not counted.</summary>
    public long UsedBytes
    {
        get
        {
            long bytes = 0;
            foreach (JournalFile file in _files)
            {
                bytes += file.SizeBytes;
            }

            return bytes;
        }
    }

    /// <summary>
    /// Groups don't release files as fast as they fill, or the disk has no room for the next file. Producers and leaders' appends
    /// should wait; records are still taken and queue up. Ends by itself: the oldest file was asked for before
    /// (<see cref="JournalOptions.DueBytes"/>), what answers that overtakes all that waits, and with a single file, which nothing could
    /// release, the journal is never full.
    /// </summary>
    public bool IsFull => (_files.Count > 1 && UsedBytes >= _options.FullBytes) || _lastHadNoRoom;

    /// <summary>True while a batch is on its way.</summary>
    public bool IsWriting => _inFlight;

    /// <summary>True while <see cref="Tick"/> has something to do soon: at least every 2 ms then, every 10 ms or so otherwise.</summary>
    public bool WantsTick => _unsealed;

    /// <summary>Sets who watches; null for nobody.</summary>
    public void Observe(IJournalObserver? observer) => _observer = observer;

    public void Append(JournalRecord record)
    {
        BatchRow row = BatchRow.Of(record);
        GroupLedger group = _ledger.GetOrAdd(record.Group);
        CheckRecord(record, group);
        if (group.Deleted)
        {
            row = new BatchRow { Group = record.Group };
        }

        if (record.Reset is { } reset)
        {
            group.QueuedLastIndex = reset.Index;
        }

        if (record.Entries.Count > 0)
        {
            Invariant.Holds(row.FirstIndex <= group.QueuedLastIndex.Next);
            group.QueuedLastIndex = row.LastIndex;
        }

        if (record.SegmentsDurable is { } durable)
        {
            group.QueuedLastIndex = LogIndex.Max(group.QueuedLastIndex, durable);
        }

        _waiting.Add(record, row);
    }

    public void Flush() => StartBatch(seal: false);

    /// <summary>The passing of time, in ms of any steady clock; see <see cref="WantsTick"/>.</summary>
    public void Tick(long nowMs)
    {
        if (_noRoom && nowMs - _roomTriedAtMs >= RoomTriedEveryMs)
        {
            _noRoom = false;
            _roomTriedAtMs = nowMs;
            PrepareNext();
        }

        if (_inFlight || _waiting.Count > 0 || !_unsealed)
        {
            _idleSinceMs = null;
            StartBatch(seal: false);
            return;
        }

        _idleSinceMs ??= nowMs;
        if (nowMs - _idleSinceMs >= _options.SealAfterMs)
        {
            StartBatch(seal: true);
        }
    }

    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            _files[^1].Handle?.Dispose();
            _next?.Handle?.Dispose();
        }
    }

    private static void CheckRecord(JournalRecord record, GroupLedger group)
    {
        IReadOnlyList<Entry> entries = record.Entries;
        for (int i = 0; i < entries.Count; i++)
        {
            EntryHeader header = EntryLayout.ReadUnchecked(entries[i].Bytes.Span);
            Invariant.Holds(header.LengthBytes == entries[i].Bytes.Length);
            Invariant.Holds(header.Group == group.Group);
            Invariant.Holds(header.Index == entries[i].Index);
            Invariant.Holds(header.Term == entries[i].Term);
            Invariant.Holds(i == 0 || entries[i].Index == entries[i - 1].Index.Next);
        }
    }

    private void StartBatch(bool seal)
    {
        if (_inFlight || _telling || (_waiting.Count == 0 && !seal))
        {
            return;
        }

        _waiting.Select(_options, out int count, out int tableBytes, out int bodyBytes);
        JournalFile current = _files[^1];
        long batchBytes = BatchLayout.BatchBytes(
            BatchLayout.HeaderBytes(BatchLayout.Blocks(bodyBytes), tableBytes), BatchLayout.Blocks(bodyBytes));

        // Without a next file the end of this one is kept for hard states and for what releases files.
        long usableBytes = current.SizeBytes - (_next is null ? _options.ReserveBytes : 0);
        if (current.UsedBytes + batchBytes <= usableBytes)
        {
            Take(count);
            Submit(current, BatchFlags.None, tableBytes, bodyBytes);
        }
        else if (TryRoll(tableBytes, bodyBytes))
        {
            Take(count);
            Submit(_files[^1], BatchFlags.OpensFile, tableBytes, bodyBytes);
        }
        else
        {
            StartOvertakingBatch(current);
        }
    }

    private void Take(int count)
    {
        _waiting.Take(count, _batch);
        _waiting.TakeHardStates(_batch);
    }

    /// <summary>
    /// Goes to the next file. Its first batch begins with the state of all groups, so that older files are never needed for it.
    /// False when it is not ready yet, or too small. The one behind it is prepared when that batch is durable, so that the mark can say so.
    /// </summary>
    private bool TryRoll(int tableBytes, int bodyBytes)
    {
        PrepareNext();
        if (_next is null)
        {
            return false;
        }

        _batch.Clear();
        int stateBytes = _ledger.AddStates(_batch.Rows);
        int bodyBlocks = BatchLayout.Blocks(bodyBytes);
        long batchBytes = BatchLayout.BatchBytes(BatchLayout.HeaderBytes(bodyBlocks, stateBytes + tableBytes), bodyBlocks);
        if (batchBytes > _next.SizeBytes)
        {
            _batch.Clear();
            Enlarge(batchBytes);
            return false;
        }

        _files[^1].Handle!.Dispose();
        _files[^1].Handle = null;
        _files.Add(_next);
        _next = null;
        _nextFileBytesMin = 0;
        _statistics = _statistics with { FilesOpened = _statistics.FilesOpened + 1 };
        return true;
    }

    /// <summary>
    /// Nothing ordinary can be written until a file is released. Two things overtake, from the reserve at the file's end: records that
    /// only release, which commute with records of entries and terms and without which nothing would ever move again; and hard states,
    /// so that elections go on (<see cref="JournalQueue.TakeHardStates"/>). The last half of the reserve is for releases alone, so that
    /// however many elections there are, being full can end.
    /// </summary>
    private void StartOvertakingBatch(JournalFile current)
    {
        _batch.Clear();
        int releasingBytes = _waiting.ReleasingBytes(_options.BatchRecordsMax);
        int hardStateBytes = _waiting.HardStateBytes;
        bool freeOnesWait = _free.Exists(file => file.Number >= _durableFirstNeeded) && _files[0].Number > _durableFirstNeeded;
        if (releasingBytes + hardStateBytes == 0 && !freeOnesWait)
        {
            return;
        }

        bool withHardStates = hardStateBytes > 0
            && HasRoom(current, releasingBytes + hardStateBytes, current.SizeBytes - _options.ReleaseReserveBytes);
        bool withReleases = (releasingBytes > 0 || freeOnesWait)
            && (withHardStates || HasRoom(current, releasingBytes, current.SizeBytes));
        if (withReleases)
        {
            _waiting.TakeReleasing(_batch, _options.BatchRecordsMax);
        }

        if (withHardStates)
        {
            _waiting.TakeHardStates(_batch);
        }
        else if (hardStateBytes > 0 || !withReleases)
        {
            // What overtakes has no room itself: one more file, or nothing ever moves again (L-06).
            _releaseNeedsFile = true;
            PrepareNext();
        }

        if (withReleases || withHardStates)
        {
            Submit(current, BatchFlags.None, TableBytes(), bodyBytes: 0);
        }
    }

    private static bool HasRoom(JournalFile file, int tableBytes, long upToBytes) =>
        file.UsedBytes + BatchLayout.BatchBytes(BatchLayout.HeaderBytes(0, tableBytes), 0) <= upToBytes;

    private int TableBytes()
    {
        int bytes = 0;
        foreach (ref readonly BatchRow row in CollectionsMarshal.AsSpan(_batch.Rows))
        {
            bytes += row.Bytes;
        }

        return bytes;
    }

    private void Submit(JournalFile file, BatchFlags flags, int tableBytes, int bodyBytes)
    {
        if ((flags & BatchFlags.OpensFile) != 0)
        {
            tableBytes = TableBytes();
        }

        BatchHeader header = new(
            flags | (_ledger.DamageUnknown ? BatchFlags.DamageUnknown : 0),
            _store,
            Generation,
            file.Number,
            file.SizeBytes,
            file.UsedBytes,
            file.Position,
            _sequence + 1,
            _hash,
            _durableUpTo,
            _files[0].Number,
            BatchLayout.HeaderBytes(BatchLayout.Blocks(bodyBytes), tableBytes),
            bodyBytes,
            _batch.Rows.Count,
            ParityChecksum: 0,
            Cut: default);
        Invariant.Holds(header.FileEnd <= file.SizeBytes);
        Invariant.Holds(header.DurableUpTo <= header.Position);
        _batch.Place(file, header);
        _inFlight = true;
        _queue.Submit(DiskLane.Journal, _batch);
    }

    private void Completed(JournalBatch batch)
    {
        JournalFile file = batch.File!;
        BatchHeader header = batch.Header;
        Invariant.Holds(_inFlight);
        Invariant.Holds(ReferenceEquals(file, _files[^1]));
        _hash = batch.Hash;
        _sequence = header.Sequence;
        _durableUpTo = header.End;
        _durableFirstNeeded = header.FirstNeededFile;
        file.UsedBytes = header.FileEnd;
        if (header.OpensFile)
        {
            _ledger.NamedBy(file);
            _openedFile = file.Number;
        }

        int entries = 0;
        foreach (ref readonly BatchRow row in CollectionsMarshal.AsSpan(batch.Rows))
        {
            if (!row.Has(RowParts.State))
            {
                entries += row.EntryCount;
                _ledger.GetOrAdd(row.Group).Apply(row, file);
                if (row.Has(RowParts.Deleted))
                {
                    _waiting.Silence(row.Group);
                }
            }
        }

        _unsealed = batch.Records.Count + batch.HardStates.Count > 0;
        _idleSinceMs = null;
        Count(batch, entries);
        FreeUnneeded();
        PrepareNext();
        Tell(batch);
        batch.Clear();
        _inFlight = false;
        StartBatch(seal: false);
    }

    private void Count(JournalBatch batch, int entries)
    {
        BatchHeader header = batch.Header;
        _statistics = _statistics with
        {
            Batches = _statistics.Batches + 1,
            Seals = _statistics.Seals + (batch.Records.Count + batch.HardStates.Count == 0 ? 1 : 0),
            Records = _statistics.Records + batch.Records.Count,
            EntryBytes = _statistics.EntryBytes + header.BodyBytes,
            BytesWritten = _statistics.BytesWritten + header.BatchBytes,
        };
        _observer?.BatchWritten(
            new JournalBatchFacts(batch.Records.Count, entries, header.BodyBytes, header.BatchBytes, header.OpensFile));
    }

    private void Tell(JournalBatch batch)
    {
        _telling = true;
        foreach (JournalRecord record in batch.Records)
        {
            record.Waiter?.Written(record);
        }

        foreach (JournalRecord record in batch.HardStates)
        {
            record.Waiter?.HardStateWritten(record);
        }

        AskForReleases();
        _telling = false;
    }

    // --- files ---

    private void FreeUnneeded()
    {
        while (_files.Count > 1 && IsDone(_files[0]))
        {
            JournalFile file = _files[0];
            _files.RemoveAt(0);
            _ledger.Recycled(file);
            if (file.NeededRuns == 0)
            {
                _free.Add(new FreeFile(file.Path, file.Number));
            }
        }
    }

    /// <summary>
    /// What only damaged groups need is kept for their healing, but not among the files that turn: such a file stays in the folder,
    /// counted no more, and is read no more since headers now begin behind it.
    /// </summary>
    private bool IsDone(JournalFile file) =>
        file.NeededRuns == 0 || (file.NeededRuns == file.DamagedRuns && UsedBytes > _options.DueBytes);

    private void AskForReleases()
    {
        // Where the disk has no room for a file, those in use are the only ones that the journal can get.
        long dueBytes = _lastHadNoRoom ? 0 : _options.DueBytes;
        long bytes = UsedBytes;
        for (int i = 0; i < _files.Count - 1 && bytes > dueBytes; i++)
        {
            JournalFile file = _files[i];
            bytes -= file.SizeBytes;
            if (file.ReleaseAsked)
            {
                continue;
            }

            file.ReleaseAsked = true;
            foreach (GroupLedger group in file.Holders)
            {
                foreach (EntryRun run in group.Runs)
                {
                    if (ReferenceEquals(run.File, file))
                    {
                        _owner.ReleaseWanted(group.Group, run.Last);
                        break;
                    }
                }
            }
        }
    }

    private void PrepareNext()
    {
        if (_next is not null || _preparing is not null || _noRoom)
        {
            return;
        }

        JournalFile current = _files[^1];
        int reusable = _free.FindIndex(file => file.Number < _durableFirstNeeded);
        if (reusable < 0 && !_releaseNeedsFile && UsedBytes + _options.FileBytes > _options.HardBytesMax)
        {
            return;
        }

        _releaseNeedsFile = false;

        string? recycles = reusable < 0 ? null : _free[reusable].Path;
        if (reusable >= 0)
        {
            _free.RemoveAt(reusable);
        }

        Invariant.Holds(!_files.Exists(file => file.Path == recycles));
        Prepare(new JournalFile(current.Number + 1, current.BasePosition + current.SizeBytes, NextFileBytes()), recycles);
    }

    private void Prepare(JournalFile file, string? recycles)
    {
        _preparing = new FilePreparation(file, recycles, Prepared, NoRoom) { MarkFile = _markFile, OpenedFile = _openedFile };
        _queue.Submit(DiskLane.Background, _preparing);
    }

    /// <summary>The states of all groups open each file, in two copies; they must not be what it is full of.</summary>
    private long NextFileBytes()
    {
        const int stateBytesGuess = 96;
        long openingBytes = 2L * stateBytesGuess * _ledger.Groups.Count;
        long bytes = Math.Max(_options.FileBytes, _nextFileBytesMin);
        bytes = Math.Max(bytes, 4 * openingBytes);
        return (long)BatchLayout.Blocks(bytes) * BatchLayout.BlockBytes;
    }

    private void Enlarge(long batchBytes)
    {
        JournalFile small = _next!;
        _next = null;
        small.Handle!.Dispose();
        _nextFileBytesMin = batchBytes + _options.ReserveBytes;
        Prepare(new JournalFile(small.Number, small.BasePosition, NextFileBytes()), small.Path);
    }

    private void Prepared(FilePreparation preparation)
    {
        _preparing = null;
        _lastHadNoRoom = false;
        _next = preparation.File;
        if (preparation.Recycles is not null)
        {
            _statistics = _statistics with { FilesRecycled = _statistics.FilesRecycled + 1 };
        }

        StartBatch(seal: false);
    }

    private void NoRoom(FilePreparation preparation)
    {
        _preparing = null;
        _noRoom = true;
        if (preparation.Recycles is not null)
        {
            // It has its new name already, so it must be the next one to be tried: another one would be renamed over it. Number 0 is
            // below any needed file.
            _free.Insert(0, new FreeFile(preparation.File.Path, Number: 0));
        }

        if (!_lastHadNoRoom)
        {
            _lastHadNoRoom = true;
            _telling = true;
            AskForReleases();
            _telling = false;
            StartBatch(seal: false);
        }
    }
}
