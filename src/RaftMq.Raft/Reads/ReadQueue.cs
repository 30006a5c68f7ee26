namespace RaftMq.Raft;

/// <summary>
/// Reads on their way to a confirmation (dissertation 6.4): all that wait go into one round of heartbeats with the commit index of its
/// start; when a quorum has answered that round, this replica was still the leader after each of them was asked. One round at a time.
/// </summary>
internal sealed class ReadQueue(int waitingMax)
{
    private List<long> _waiting = [];
    private List<long> _inRound = [];
    private long _round;
    private LogIndex _index;

    public bool IsEmpty => _waiting.Count == 0 && _inRound.Count == 0;

    public bool WantsRound => _waiting.Count > 0 && _inRound.Count == 0;

    public bool TryAdd(long readId)
    {
        if (_waiting.Count >= waitingMax)
        {
            return false;
        }

        _waiting.Add(readId);
        return true;
    }

    public void Begin(long round, LogIndex commit)
    {
        Invariant.Holds(WantsRound);
        (_waiting, _inRound) = (_inRound, _waiting);
        (_round, _index) = (round, commit);
    }

    public void Answered(long roundOfQuorum, Outbox to)
    {
        if (_inRound.Count == 0 || roundOfQuorum < _round)
        {
            return;
        }

        foreach (long readId in _inRound)
        {
            to.ReadConfirmed(new ReadConfirmed(readId, _index));
        }

        _inRound.Clear();
    }

    public void RefuseAll(Outbox to)
    {
        foreach (long readId in _inRound)
        {
            to.ReadRefused(new ReadRefused(readId));
        }

        foreach (long readId in _waiting)
        {
            to.ReadRefused(new ReadRefused(readId));
        }

        _inRound.Clear();
        _waiting.Clear();
    }
}
