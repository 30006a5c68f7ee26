using RaftMq.Raft;
using RaftMq.Storage.Files;

namespace RaftMq.Storage.Checkpoints;

/// <summary>The checkpoints of one group on their way to the disk: which may go, which wait, and what became of them.</summary>
internal sealed class CheckpointWrites(IDiskQueue disk, CheckpointSet known)
{
    /// <summary>The first of these may go soonest; of those behind it only the last is of use.</summary>
    private const int WaitingNewestMax = 2;

    /// <summary>Not yet handed to the disk: above what is durable here, or behind another one of their kind.</summary>
    private readonly List<CheckpointWrite> _waiting = [];

    /// <summary>Grows when the log begins anew behind a snapshot: what is on its way for an older one is void.</summary>
    private int _history;

    public bool AnyWait => _waiting.Count > 0;

    /// <summary>With the disk; one at a time.</summary>
    public CheckpointWrite? NewestOnItsWay { get; private set; }

    public void Add(CheckpointWrite work)
    {
        if (work.Kind == CheckpointKind.Base)
        {
            known.Add(new BaseCheckpoint(work.Head.LastIndex, work.Head.LastTerm, work.Head.Membership));
        }
        else if (_waiting.Count(static waiting => waiting.Kind == CheckpointKind.Newest) >= WaitingNewestMax)
        {
            int last = _waiting.FindLastIndex(static waiting => waiting.Kind == CheckpointKind.Newest);
            CheckpointWrite overtaken = _waiting[last];
            _waiting.RemoveAt(last);
            overtaken.Waiter?.CheckpointDropped(overtaken.Head);
        }

        work.History = _history;
        _waiting.Add(work);
    }

    /// <summary>Bases that wait are not written any more: their state is not to be believed, and another replica's takes their place.</summary>
    public void DropWaitingBases()
    {
        foreach (CheckpointWrite doubted in _waiting.Where(static waiting => waiting.Kind == CheckpointKind.Base).ToArray())
        {
            _waiting.Remove(doubted);
            doubted.Waiter?.CheckpointDropped(doubted.Head);
        }
    }

    /// <summary>Hands over what may go.</summary>
    /// <param name="durable">The log is durable up to here: none goes that is above .</param>
    /// <param name="durableBase">
    /// The log begins behind this entry, durably. A checkpoint knows no terms from before the beginning that it names, so a start must not find
    /// one without that beginning.
    /// </param>
    public void Pump(LogIndex durable, LogIndex durableBase)
    {
        for (int i = 0; i < _waiting.Count; i++)
        {
            CheckpointWrite work = _waiting[i];
            Probe.ReachedWhen(work.Head.LastIndex > durable, RareBranch.CheckpointWaited);
            if ((!PlantedBug.CheckpointAboveDurableLog && work.Head.LastIndex > durable)
                || work.Head.LogStartIndex > durableBase.Next
                || AwaitsBase(work.Head.LastIndex)
                || (work.Kind == CheckpointKind.Newest && NewestOnItsWay is not null))
            {
                continue;
            }

            _waiting.RemoveAt(i--);
            if (work.Kind == CheckpointKind.Newest)
            {
                work.Replaced = known.Newest == work.Head.LastIndex ? null : known.Newest;
                NewestOnItsWay = work;
            }

            disk.Submit(DiskLane.Background, work);
        }
    }

    /// <summary>The disk is done with it. False when it is of a log that a snapshot made void since.</summary>
    public bool TryTakeBack(CheckpointWrite work)
    {
        if (ReferenceEquals(work, NewestOnItsWay))
        {
            NewestOnItsWay = null;
        }

        return work.History == _history;
    }

    public void Done(CheckpointWrite work, bool full)
    {
        Probe.ReachedWhen(full, RareBranch.CheckpointWithoutRoom);
        if (work.Kind == CheckpointKind.Base)
        {
            BaseCheckpoint written = known.BaseAt(work.Head.LastIndex)!;
            written.IsDurable = !full;
            if (full)
            {
                // Without it neither the newest checkpoint nor retention would ever get past its segment: it keeps its place and is tried again.
                _waiting.Insert(0, work);
                return;
            }
        }
        else if (!full)
        {
            known.Newest = work.Head.LastIndex;
        }
        else if (!_waiting.Exists(static waiting => waiting.Kind == CheckpointKind.Newest))
        {
            // Until it is written, or a newer one, the disk counts as full: who gave it up would never see that there is room again.
            _waiting.Add(work);
            return;
        }

        if (full)
        {
            work.Waiter?.CheckpointDropped(work.Head);
        }
        else
        {
            work.Waiter?.CheckpointWritten(work.Head);
        }
    }

    /// <summary>
    /// No checkpoint, whatever its kind, passes a segment's boundary of which the base is not durable: that may find no room yet, and a start takes a base
    /// that is missing below a checkpoint for one that was lost.
    /// </summary>
    private bool AwaitsBase(LogIndex upTo)
    {
        foreach (BaseCheckpoint candidate in known.Bases)
        {
            if (candidate is { IsDurable: false, IsDamaged: false } && candidate.Index < upTo)
            {
                return true;
            }
        }

        return false;
    }

    public void BeginHistory()
    {
        _history++;
        NewestOnItsWay = null;
        foreach (CheckpointWrite waiting in _waiting)
        {
            waiting.Waiter?.CheckpointDropped(waiting.Head);
        }

        _waiting.Clear();
    }
}
