using RaftMq.Raft;
using RaftMq.Storage.Files;

namespace RaftMq.Storage.Journal;

/// <summary>
/// The journal's files in their turn; it knows nothing of what is written to them. The life of a file: prepared ahead, current, full, free when no
/// group needs its entries, and prepared again under another number once a durable header says that it is not needed.
/// </summary>
/// <param name="ready">The file that was waited for is there.</param>
/// <param name="noRoom">The disk had none for it, and had some before: files in use should be asked for.</param>
internal sealed class JournalFiles(
    JournalOptions options, JournalStart start, IDiskQueue queue, IJournalOwner owner, Action ready, Action noRoom) : IDisposable
{
    /// <summary>A file costs much work in vain while the disk has no room.</summary>
    private const int RoomTriedEveryMs = 100;

    private readonly JournalLedger _ledger = start.Ledger;
    private readonly JournalMarkFile _markFile = start.MarkFile;

    /// <summary>Files with something needed, ascending; the last is the one being written.</summary>
    private readonly List<JournalFile> _used = start.Files;
    private readonly List<FreeFile> _free = start.Free;

    /// <summary>The newest file whose first batch is durable.</summary>
    private long _openedFile = start.Opening.FileNumber;

    /// <summary>As the last durable header says it. Only files below it may lose their content or name.</summary>
    private long _durableFirstNeeded = start.Opening.FirstNeededFile;

    /// <summary>Ready to be written next: durable, with its name. Null while it is being prepared or there is no room for one.</summary>
    private JournalFile? _next;
    private FilePreparation? _preparing;

    /// <summary>A single large record or very many groups want the next file at least this large.</summary>
    private long _nextFileBytesMin;
    private bool _noRoom;
    private long _roomTriedAtMs = long.MinValue / 2;

    /// <summary>The last file that was to be prepared had no room, and none was since.</summary>
    private bool _lastHadNoRoom;

    /// <summary>The end of the last file, kept for records that release others, is used up and more of them wait.</summary>
    private bool _releaseNeedsFile;

    public IReadOnlyList<JournalFile> Used => _used;

    public JournalFile Current => _used[^1];

    public JournalFile? Next => _next;

    /// <summary>The number of the oldest file in use: what the next header says is needed.</summary>
    public long FirstNeeded => _used[0].Number;

    public long Opened { get; private set; }

    public long Recycled { get; private set; }

    /// <summary>See <see cref="NodeJournal.IsFull"/>.</summary>
    public bool AreFull => (_used.Count > 1 && UsedBytes >= options.FullBytes) || _lastHadNoRoom;

    /// <summary>Another file would pass <see cref="JournalOptions.HardBytesMax"/>. Nobody is asked to release the current one, so one that is alone, however large, is followed by another.</summary>
    public bool AreAtHardLimit => _used.Count > 1 && UsedBytes + options.FileBytes > options.HardBytesMax;

    /// <summary>The disk has no room for the file that comes next.</summary>
    public bool HaveNoRoom => _lastHadNoRoom;

    public long UsedBytes
    {
        get
        {
            long bytes = 0;
            foreach (JournalFile file in _used)
            {
                bytes += file.SizeBytes;
            }

            return bytes;
        }
    }

    /// <summary>Of the current file. Without a next one its end is kept for hard states and for what releases files.</summary>
    public long UsableBytes => Current.SizeBytes - (_next is null ? options.ReserveBytes : 0);

    /// <summary>Files are free but for a durable header that says so, and the next header would.</summary>
    public bool FreeOnesWait => _free.Exists(file => file.Number >= _durableFirstNeeded) && FirstNeeded > _durableFirstNeeded;

    /// <summary>The journal lives from here on.</summary>
    public void Begin()
    {
        FreeUnneeded();
        PrepareNext();
    }

    /// <summary>
    /// A batch in the current file is durable and what it says was applied to the ledger. Only now the file behind one that it opened is
    /// prepared, so that the mark can name both.
    /// </summary>
    public void BatchIsDurable(in BatchHeader header)
    {
        _durableFirstNeeded = header.FirstNeededFile;
        if (header.OpensFile)
        {
            _openedFile = header.FileNumber;
        }

        FreeUnneeded();
        PrepareNext();
    }

    public void Tick(long nowMs)
    {
        if (_noRoom && nowMs - _roomTriedAtMs >= RoomTriedEveryMs)
        {
            _noRoom = false;
            _roomTriedAtMs = nowMs;
            PrepareNext();
        }
    }

    /// <summary>The next file becomes the current one.</summary>
    public void Roll()
    {
        Invariant.Holds(_next is not null);
        Current.Handle!.Dispose();
        Current.Handle = null;
        _used.Add(_next);
        _next = null;
        _nextFileBytesMin = 0;
        Opened++;
    }

    /// <summary>The next file is too small for its first batch.</summary>
    public void EnlargeNext(long batchBytes)
    {
        Probe.Reached(RareBranch.NextFileEnlarged);
        JournalFile small = _next!;
        _next = null;
        small.Handle!.Dispose();
        _nextFileBytesMin = batchBytes + options.ReserveBytes;
        Prepare(new JournalFile(small.Number, small.BasePosition, NextFileBytes()), small.Path);
    }

    /// <summary>Has a file made ready behind the current one, unless there is one or may be none.</summary>
    public void PrepareNext()
    {
        if (_next is not null || _preparing is not null || _noRoom)
        {
            return;
        }

        JournalFile current = Current;
        // A free one as well: what is in use is what a start reads, and what the groups hold back.
        if (!_releaseNeedsFile && AreAtHardLimit)
        {
            return;
        }

        _releaseNeedsFile = false;
        int reusable = _free.FindIndex(file => file.Number < _durableFirstNeeded);
        string? recycles = reusable < 0 ? null : _free[reusable].Path;
        if (reusable >= 0)
        {
            _free.RemoveAt(reusable);
        }

        Invariant.Holds(!_used.Exists(file => file.Path == recycles));
        Prepare(new JournalFile(current.Number + 1, current.BasePosition + current.SizeBytes, NextFileBytes()), recycles);
    }

    /// <summary>What releases files has no room itself: one more file, or nothing ever moves again (L-06).</summary>
    public void PrepareNextForReleases()
    {
        if (_next is not null || _preparing is not null)
        {
            // It waits for that one, and for none behind it.
            return;
        }

        _releaseNeedsFile = true;
        PrepareNext();
    }

    /// <summary>Asks the groups for the oldest files, once for each, when so much is in use that they are due. The journal is telling then.</summary>
    public void AskForReleases()
    {
        // Where the disk has no room for a file, those in use are the only ones that the journal can get.
        long dueBytes = _lastHadNoRoom ? 0 : options.DueBytes;
        long bytes = UsedBytes;
        for (int i = 0; i < _used.Count - 1 && bytes > dueBytes; i++)
        {
            JournalFile file = _used[i];
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
                        owner.ReleaseWanted(group.Group, run.Last);
                        break;
                    }
                }
            }
        }
    }

    public void Dispose()
    {
        Current.Handle?.Dispose();
        _next?.Handle?.Dispose();
    }

    private void FreeUnneeded()
    {
        while (_used.Count > 1 && _used[0].NeededRuns == 0)
        {
            JournalFile file = _used[0];
            _used.RemoveAt(0);
            _ledger.Recycled(file);
            if (!file.IsKept)
            {
                _free.Add(new FreeFile(file.Path, file.Number));
            }
        }
    }

    private void Prepare(JournalFile file, string? recycles)
    {
        _preparing = new FilePreparation(file, recycles, Prepared, NoRoom) { MarkFile = _markFile, OpenedFile = _openedFile };
        queue.Submit(DiskLane.Background, _preparing);
    }

    /// <summary>The states of all groups open each file, in two copies; they must not be what it is full of.</summary>
    private long NextFileBytes()
    {
        const int stateBytesGuess = 96;
        long openingBytes = 2L * stateBytesGuess * _ledger.Groups.Count;
        long bytes = Math.Max(options.FileBytes, _nextFileBytesMin);
        bytes = Math.Max(bytes, 4 * openingBytes);
        return (long)BatchLayout.Blocks(bytes) * BatchLayout.BlockBytes;
    }

    private void Prepared(FilePreparation preparation)
    {
        _preparing = null;
        _lastHadNoRoom = false;
        _next = preparation.File;
        if (preparation.Recycles is not null)
        {
            Recycled++;
        }

        ready();
    }

    private void NoRoom(FilePreparation preparation)
    {
        _preparing = null;
        _noRoom = true;
        if (preparation.Recycles is { } recycled)
        {
            // With its new name it must be the next one to be tried: another one would be renamed over it. Number 0 is below any needed file.
            _free.Insert(0, new FreeFile(preparation.IsRenamed ? preparation.File.Path : recycled, Number: 0));
        }

        if (!_lastHadNoRoom)
        {
            _lastHadNoRoom = true;
            noRoom();
        }
    }
}
