namespace RaftMq.Raft;

/// <summary>
/// What was handed to the disk and not yet confirmed. A truncation lowers what every write in flight stands for: its bytes may become
/// durable, but the entries at and behind the cut are not the log's any more, even if the same index and term return later.
/// </summary>
internal sealed class PersistTracker(LogIndex durable)
{
    private readonly Queue<Write> _inFlight = new();

    /// <summary>The log is durable here up to this index. Falls only by truncation.</summary>
    public LogIndex Durable { get; private set; } = durable;

    public long LastIssued { get; private set; }

    public long LastConfirmed { get; private set; }

    public PersistToken Issue(LogIndex last, Term lastTerm)
    {
        PersistToken token = new(++LastIssued, last, lastTerm);
        _inFlight.Enqueue(new Write(token));
        return token;
    }

    /// <summary>
    /// A write is confirmed, and with it all earlier ones (the store keeps their order). A repeated notice changes nothing.
    /// </summary>
    public void Confirm(PersistToken token)
    {
        Invariant.Holds(token.Sequence <= LastIssued);
        while (_inFlight.TryPeek(out Write? write) && write.Token.Sequence <= token.Sequence)
        {
            Invariant.Holds(write.Token.Sequence != token.Sequence || write.Token == token);
            Durable = LogIndex.Max(Durable, write.StandsFor);
            LastConfirmed = write.Token.Sequence;
            _inFlight.Dequeue();
        }
    }

    public void TruncateFrom(LogIndex index)
    {
        LogIndex kept = index.Previous;
        Durable = LogIndex.Min(Durable, kept);
        foreach (Write write in _inFlight)
        {
            Probe.ReachedWhen(write.StandsFor > kept, RareBranch.WriteInFlightVoided);
            write.StandsFor = PlantedBug.WrittenNoticeWithoutTerm ? write.StandsFor : LogIndex.Min(write.StandsFor, kept);
        }
    }

    /// <summary>A durable snapshot took the log's place: writes in flight stand for nothing any more.</summary>
    public void ResetTo(LogIndex index)
    {
        TruncateFrom(LogIndex.Zero.Next);
        Durable = index;
    }

    private sealed class Write(PersistToken token)
    {
        public PersistToken Token { get; } = token;

        public LogIndex StandsFor { get; set; } = token.LastIndex;
    }
}
