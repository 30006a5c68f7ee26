namespace RaftMq.Raft;

internal enum PeerMode
{
    /// <summary>Where the logs meet is not known: one append at a time, the next one after an answer.</summary>
    Probe,

    /// <summary>The logs meet: appends are sent ahead, as far as the window allows.</summary>
    Replicate,

    /// <summary>What it needs is no longer in the log: it was offered a snapshot.</summary>
    Snapshot,
}

/// <summary>
/// What the leader believes of one other replica. Its life: probe, until an append is accepted; replicate, until one is refused; probe
/// again. To snapshot from both, when its next entry is below the log's base, and back to probe with the answer.
/// </summary>
internal sealed class Peer(ReplicaId id, RaftConfig config, LogIndex next)
{
    public ReplicaId Id { get; } = id;

    public bool IsVoter { get; set; }

    public PeerMode Mode { get; private set; }

    /// <summary>Durable there and equal to this log. Grows only, but for a new boot number, which voids it.</summary>
    public LogIndex Match { get; private set; }

    /// <summary>The next index to send. Above <see cref="Match"/>.</summary>
    public LogIndex Next { get; private set; } = next;

    public ReplicationWindow Window { get; } = new(config.WindowEntries, config.WindowBytes);

    /// <summary>In probe: an append is under way; the next one waits for an answer, or for a heartbeat's, which says that it may be lost.</summary>
    public bool ProbePaused { get; set; }

    /// <summary>In probe: the last entry that went along.</summary>
    public LogIndex ProbedTo { get; set; }

    /// <summary>Where the one read from disk under way begins; null when there is none.</summary>
    public LogIndex? ReadingFrom { get; set; }

    /// <summary>In snapshot mode: what was offered; null while the shell prepares it.</summary>
    public InstallSnapshot? Offered { get; set; }

    public int TicksSinceOffered { get; set; }

    /// <summary>The largest commit index sent to it.</summary>
    public LogIndex CommitSent { get; set; }

    /// <summary>The latest round of heartbeats that it answered (dissertation 6.4).</summary>
    public long RoundAnswered { get; set; }

    public int TicksSinceHeard { get; set; }

    public int TicksSinceCaughtUp { get; private set; }

    /// <summary>Caught up is measured against a mark: the last index some ticks ago. Reaching it means "not more than that behind".</summary>
    private LogIndex _mark = next.Previous;

    private int _markAgeTicks;

    /// <summary>
    /// The group falls asleep without it: no tick counts from now on, so what it lacks is counted as lacked for long. It has caught up when it says so.
    /// </summary>
    public void LeftBehind() => TicksSinceCaughtUp = int.MaxValue / 2;

    public void Tick(LogIndex last)
    {
        TicksSinceHeard++;
        TicksSinceOffered++;
        TicksSinceCaughtUp++;
        _markAgeTicks++;
        MeasureLag(last);
    }

    /// <summary>Returns whether the match moved.</summary>
    public bool Accepted(LogIndex durable, LogIndex last)
    {
        Window.Acknowledged(durable);
        if (durable <= Match)
        {
            return false;
        }

        Match = durable;
        Next = LogIndex.Max(Next, durable.Next);
        MeasureLag(last);
        return true;
    }

    /// <summary>
    /// An append was accepted. If that can have been the probe, what went along with it is there too, durable soon; should it not be,
    /// the next append is refused.
    /// </summary>
    public void BecomeReplicate() =>
        Become(PeerMode.Replicate, (Match >= Next.Previous ? LogIndex.Max(Match, ProbedTo) : Match).Next);

    public void BecomeProbe(LogIndex from) => Become(PeerMode.Probe, LogIndex.Max(from, Match.Next));

    public void BecomeSnapshot() => Become(PeerMode.Snapshot, Next);

    /// <summary>It started anew: nothing it acknowledged before counts, nothing sent before arrives.</summary>
    public void Restarted()
    {
        LogIndex guess = Match.Next;
        Match = LogIndex.Zero;
        RoundAnswered = 0;
        CommitSent = LogIndex.Zero;
        TicksSinceHeard = 0;
        Become(PeerMode.Probe, guess);
    }

    public void SentUpTo(LogIndex last) => Next = last.Next;

    private void Become(PeerMode mode, LogIndex from)
    {
        Mode = mode;
        Next = from;
        ProbePaused = false;
        ProbedTo = LogIndex.Zero;
        ReadingFrom = null;
        Offered = null;
        TicksSinceOffered = 0;
        Window.Clear();
    }

    private void MeasureLag(LogIndex last)
    {
        if (Match >= last)
        {
            TicksSinceCaughtUp = 0;
        }
        else if (Match >= _mark)
        {
            TicksSinceCaughtUp = Math.Min(TicksSinceCaughtUp, _markAgeTicks);
        }
        else
        {
            return;
        }

        _mark = last;
        _markAgeTicks = 0;
    }
}
