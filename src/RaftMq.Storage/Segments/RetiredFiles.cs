using RaftMq.Raft;
using RaftMq.Storage.Checkpoints;
using RaftMq.Storage.Files;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Log;

namespace RaftMq.Storage.Segments;

/// <summary>
/// Files of one group that are out of its log and still on the disk: segments that retention cut, and all of a log that a snapshot made void. They
/// go when the journal says durably that the log begins behind them, and nobody reads them any more.
/// </summary>
/// <param name="baseIndex">The log begins behind this entry, as the journal says.</param>
/// <param name="baseWritten">The journal says something new.</param>
/// <param name="cutDone">What was cut up to this entry is gone.</param>
internal sealed class RetiredFiles(
    GroupId group,
    string folder,
    GroupLogEnvironment environment,
    CheckpointSet checkpoints,
    LogIndex baseIndex,
    Action baseWritten,
    Action<LogIndex> cutDone)
{
    private readonly List<Segment> _cut = [];

    /// <summary>Grows when the log begins anew behind a snapshot: completions of an older one are void.</summary>
    private int _history;

    /// <summary>Of a log that a snapshot made void.</summary>
    private List<string> _oldFiles = [];
    private List<Segment> _oldSegments = [];
    private List<BaseCheckpoint> _oldBases = [];

    /// <summary>Retention cut these; oldest first.</summary>
    public IReadOnlyList<Segment> Cut => _cut;

    /// <summary>The log begins behind this entry, and the journal says so durably: only files below may be deleted.</summary>
    public LogIndex DurableBase { get; private set; } = baseIndex;

    public bool IsDeleting { get; private set; }

    public bool AnyWait => _cut.Count > 0 || _oldFiles.Count > 0;

    public bool HaveReaders =>
        _cut.Concat(_oldSegments).Any(segment => segment.Readers > 0) || _oldBases.Exists(known => known.Readers > 0);

    /// <summary>
    /// Retention took them out of the log. The journal is told where that begins now; before this is durable no file goes, or a start could not tell
    /// a file that was cut from one that is lost.
    /// </summary>
    public void Add(List<Segment> cut)
    {
        _cut.AddRange(cut);
        LogIndex last = cut[^1].Summary.Last;
        environment.Journal.Append(new JournalRecord
        {
            Group = group,
            LogBase = last,
            Waiter = new BaseWritten(this, _history, last),
        });
        environment.Journal.Flush();
    }

    /// <summary>Deletes what may go.</summary>
    public void Pump()
    {
        PumpCut();
        PumpOld();
    }

    /// <summary>A snapshot's reset is durable, or the group is closed: all that there was is void.</summary>
    /// <param name="files">What is to be deleted of it.</param>
    public void BeginHistory(LogIndex newBase, List<Segment> segments, List<BaseCheckpoint> bases, List<string> files)
    {
        _oldFiles = [.. _oldFiles, .. files];
        _oldSegments = [.. _oldSegments, .. _cut, .. segments];
        _oldBases = [.. _oldBases, .. bases];
        _cut.Clear();
        _history++;
        IsDeleting = false;
        DurableBase = newBase;
    }

    private void PumpCut()
    {
        if (IsDeleting || _cut.Count == 0)
        {
            return;
        }

        // Oldest first, and only as far as nobody reads: what is left after a crash has no gap.
        List<Segment> idle = [.. _cut.TakeWhile(segment => segment.Readers == 0 && segment.Summary.Last <= DurableBase)];
        if (idle.Count == 0)
        {
            return;
        }

        _cut.RemoveRange(0, idle.Count);
        LogIndex last = idle[^1].Summary.Last;
        List<BaseCheckpoint> bases =
            [.. checkpoints.Bases.Where(b => b.Index < last && b is { IsDurable: true, Readers: 0 })];
        foreach (BaseCheckpoint old in bases)
        {
            checkpoints.Remove(old);
        }

        IsDeleting = true;
        int history = _history;
        environment.Disk.Submit(DiskLane.Background, new SegmentDeletion(
            folder,
            idle,
            bases,
            done =>
            {
                if (history == _history)
                {
                    IsDeleting = false;
                    cutDone(done.LastIndex);
                    PumpCut();
                }
            }));
    }

    private void PumpOld()
    {
        if (_oldFiles.Count == 0
            || _oldSegments.Exists(segment => segment.Readers > 0)
            || _oldBases.Exists(known => known.Readers > 0))
        {
            return;
        }

        environment.Disk.Submit(DiskLane.Background, new OldLogDeletion(folder, _oldFiles));
        _oldFiles = [];
        _oldSegments = [];
        _oldBases = [];
    }

    private void BaseIsDurable(LogIndex index)
    {
        DurableBase = LogIndex.Max(DurableBase, index);
        baseWritten();
    }

    private sealed class BaseWritten(RetiredFiles files, int history, LogIndex index) : IJournalWaiter
    {
        public void Written(JournalRecord record)
        {
            if (history == files._history)
            {
                files.BaseIsDurable(index);
            }
        }
    }
}
