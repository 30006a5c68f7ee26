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
    /// <summary>So long what waits is left waiting for a release.</summary>
    private const int BlockedMsMax = 1_000;

    private readonly JournalOptions _options;
    private readonly StoreId _store;
    private readonly IDiskQueue _queue;
    private readonly JournalLedger _ledger;
    private readonly JournalQueue _waiting = new();
    private readonly JournalBatch _batch;
    private readonly JournalFiles _files;

    // The chain: of the last durable batch.
    private ulong _hash;
    private long _sequence;
    private long _durableUpTo;

    private bool _inFlight;

    /// <summary>Waiters and owner are being called; what they append waits until all were told.</summary>
    private bool _telling;
    private bool _unsealed = true;
    private long? _idleSinceMs;

    /// <summary>What waits needs a file that it may not have.</summary>
    private bool _isBlocked;
    private long? _blockedSinceMs;
    private IJournalObserver? _observer;
    private JournalStatistics _statistics;
    private bool _disposed;

    internal NodeJournal(JournalOptions options, JournalStart start, IDiskQueue queue, IJournalOwner owner)
    {
        Invariant.Holds(options.Faults().Count == 0);
        _options = options;
        _store = start.Store;
        _queue = queue;
        _ledger = start.Ledger;
        _files = new JournalFiles(options, start, queue, owner, NextReady, NoRoom);
        _batch = new JournalBatch(Completed);
        _hash = start.OpeningHash;
        _sequence = start.Opening.Sequence;
        _durableUpTo = start.Opening.End;
        Generation = start.Opening.Generation;
        Report = start.Report;
        foreach (GroupLedger group in _ledger.Groups)
        {
            group.QueuedLastIndex = group.LastIndex;
        }

        _files.Begin();
    }

    /// <summary>Grows with each start.</summary>
    public long Generation { get; }

    /// <summary>What was found at the start.</summary>
    public JournalRecoveryReport Report { get; }

    public JournalStatistics Statistics =>
        _statistics with { FilesOpened = _files.Opened, FilesRecycled = _files.Recycled };

    public JournalOptions Options => _options;

    /// <summary>Entry bytes that wait for a batch or are on their way in one. Bounded by the node's limit on uncommitted bytes.</summary>
    public long QueuedBytes => _waiting.EntryBytes + (_inFlight ? _batch.Header.BodyBytes : 0);

    public int QueuedRecords => _waiting.Count + (_inFlight ? _batch.Records.Count : 0);

    /// <summary>Files in use, the free and the prepared ones not counted.</summary>
    public int UsedFiles => _files.Used.Count;

    /// <summary>Bytes of all files in use, the free and the prepared ones not counted.</summary>
    public long UsedBytes => _files.UsedBytes;

    /// <summary>
    /// Groups don't release files as fast as they fill, or the disk has no room for the next file. Producers and leaders' appends
    /// should wait; records are still taken and queue up. Ends by itself: the oldest file was asked for before
    /// (<see cref="JournalOptions.DueBytes"/>), what answers that overtakes all that waits, and with a single file, which nothing could
    /// release, the journal is never full.
    /// </summary>
    public bool IsFull => _files.AreFull;

    /// <summary>The disk has no room for the next file: it is full for that reason, and not for want of speed.</summary>
    public bool HasNoRoom => _files.HaveNoRoom;

    public bool IsAtHardLimit => _files.AreAtHardLimit;

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
        Invariant.Holds(!record.Deleted || row.Parts == RowParts.Deleted);

        if (record.GivenUp)
        {
            // It does not run, so nothing else of it waits.
            Invariant.Holds(row.IsEmpty && group.QueuedLastIndex == group.LastIndex);
            row = group.GiveUp(_files.Current.Number + 1);
            group.QueuedLastIndex = row.CutFrom.Previous;
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

        _waiting.Add(record, group.Deleted ? new BatchRow { Group = record.Group } : row);
    }

    public void Flush() => StartBatch(seal: false);

    /// <summary>The passing of time, in ms of any steady clock; see <see cref="WantsTick"/>.</summary>
    public void Tick(long nowMs)
    {
        _files.Tick(nowMs);
        GoOnWhereBlocked(nowMs);
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

    /// <summary>
    /// Groups can't release entries that are not committed, and give them to the journal again, which takes room; where all replicas' journals are past their
    /// limits by such entries, none is ever committed unless somebody goes on. A file a second, then.
    /// </summary>
    private void GoOnWhereBlocked(long nowMs)
    {
        if (!_isBlocked)
        {
            _blockedSinceMs = null;
            return;
        }

        _blockedSinceMs ??= nowMs;
        if (nowMs - _blockedSinceMs >= BlockedMsMax)
        {
            _blockedSinceMs = null;
            Probe.Reached(RareBranch.FilePastHardLimit);
            _files.PrepareNextForReleases();
        }
    }

    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            _files.Dispose();
        }
    }

    private static void CheckRecord(JournalRecord record, GroupLedger group)
    {
        IReadOnlyList<Entry> entries = record.Entries;
        for (int i = 0; i < entries.Count; i++)
        {
            EntryHeader header = EntryLayout.ReadUnchecked(entries[i].Bytes.Span);
            Invariant.Holds(header.LengthBytes == entries[i].Bytes.Length);
            Invariant.Holds(header.Group.IsLifeOf(group.Group));
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
        JournalFile current = _files.Current;
        long batchBytes = BatchLayout.BatchBytes(
            BatchLayout.HeaderBytes(BatchLayout.Blocks(bodyBytes), tableBytes), BatchLayout.Blocks(bodyBytes));

        if (current.UsedBytes + batchBytes <= _files.UsableBytes)
        {
            Take(count);
            Submit(current, BatchFlags.None, tableBytes, bodyBytes);
        }
        else if (TryRoll(tableBytes, bodyBytes))
        {
            Take(count);
            Submit(_files.Current, BatchFlags.OpensFile, tableBytes, bodyBytes);
        }
        else
        {
            StartOvertakingBatch(current);
        }
    }

    private void Take(int count)
    {
        _isBlocked = false;
        _waiting.Take(count, _batch);
        _waiting.TakeHardStates(_batch);
    }

    /// <summary>
    /// Goes to the next file. Its first batch begins with the state of all groups, so that older files are never needed for it.
    /// False when it is not ready yet, or too small. The one behind it is prepared when that batch is durable, so that the mark can say so.
    /// </summary>
    private bool TryRoll(int tableBytes, int bodyBytes)
    {
        _files.PrepareNext();
        if (_files.Next is not { } next)
        {
            return false;
        }

        _batch.Clear();
        int stateBytes = _ledger.AddStates(_batch.Rows);
        int bodyBlocks = BatchLayout.Blocks(bodyBytes);
        long batchBytes = BatchLayout.BatchBytes(BatchLayout.HeaderBytes(bodyBlocks, stateBytes + tableBytes), bodyBlocks);
        if (batchBytes > next.SizeBytes)
        {
            _batch.Clear();
            _files.EnlargeNext(batchBytes);
            return false;
        }

        _files.Roll();
        return true;
    }

    /// <summary>
    /// Nothing ordinary can be written until a file is released. Two things overtake, from the reserve at the file's end: records that
    /// only release, which commute with records of entries and terms and without which nothing would ever move again; and hard states,
    /// so that elections go on (<see cref="JournalQueue.TakeHardStates"/>). The last half of the reserve is for releases alone, so that
    /// however many elections there are, being full can end. A reset releases too, but may not pass its group's entries: it gets what waits
    /// before it one more file, or a group that holds the oldest one until its reset is durable would hold it for ever.
    /// </summary>
    private void StartOvertakingBatch(JournalFile current)
    {
        _isBlocked = true;
        if (_waiting.HasReset)
        {
            _files.PrepareNextForReleases();
        }

        _batch.Clear();
        int releasingBytes = _waiting.ReleasingBytes(_options.BatchRecordsMax);
        int hardStateBytes = _waiting.HardStateBytes;
        bool freeOnesWait = _files.FreeOnesWait;
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
            _files.PrepareNextForReleases();
        }

        if (withReleases || withHardStates)
        {
            Probe.Reached(RareBranch.OvertakingBatch);
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
            flags,
            _store,
            Generation,
            file.Number,
            file.SizeBytes,
            file.UsedBytes,
            file.Position,
            _sequence + 1,
            _hash,
            _durableUpTo,
            _files.FirstNeeded,
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
        Invariant.Holds(ReferenceEquals(file, _files.Current));
        _hash = batch.Hash;
        _sequence = header.Sequence;
        _durableUpTo = header.End;
        file.UsedBytes = header.FileEnd;
        if (header.OpensFile)
        {
            _ledger.NamedBy(file);
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
        _files.BatchIsDurable(header);
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

        _files.AskForReleases();
        _telling = false;
    }

    private void NextReady() => StartBatch(seal: false);

    private void NoRoom()
    {
        _telling = true;
        _files.AskForReleases();
        _telling = false;
        StartBatch(seal: false);
    }
}
