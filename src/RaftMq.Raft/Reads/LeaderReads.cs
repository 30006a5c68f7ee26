namespace RaftMq.Raft;

/// <summary>
/// The linearizable reads of one leadership: those that wait, the rounds of heartbeats that confirm them, and the lease that an answered
/// round gives (dissertation 6.4).
/// </summary>
internal sealed class LeaderReads(GroupState state, PeerTable peers)
{
    private readonly ReadQueue _queue = new(state.Config.ReadsWaitingMax);
    private readonly RoundClock _rounds = new();

    // A target that was told to campaign may do so late, past every "leader heard": no lease can be trusted in this term any more.
    private bool _leaseGivenUp;

    public bool IsEmpty => _queue.IsEmpty;

    public bool WantsRound => _queue.WantsRound;

    /// <summary>The latest round that was sent.</summary>
    public long Round => _rounds.Round;

    public void Tick() => _rounds.Tick();

    /// <summary>The group was quiet: no round until now gives a lease.</summary>
    public void Woken() => _rounds.VoidEarlier();

    public void GiveUpLease() => _leaseGivenUp = true;

    public void Add(long readId)
    {
        if (!_queue.TryAdd(readId))
        {
            state.Out.ReadRefused(new ReadRefused(readId));
        }
    }

    /// <summary>Begins with all that wait. True: a round must be sent for them now.</summary>
    public bool Begin(bool isHandingOver)
    {
        if (PlantedBug.ReadWithoutRound || (!isHandingOver && HoldsLease()))
        {
            _queue.Begin(0, state.Log.Commit);
            _queue.Answered(0, state.Out);
            return false;
        }

        _queue.Begin(_rounds.Round + 1, state.Log.Commit);
        return true;
    }

    /// <summary>A round of heartbeats is being sent.</summary>
    public void NextRound() => _rounds.Next();

    public void Answered(Peer peer, long round)
    {
        if (round > peer.RoundAnswered && round <= _rounds.Round)
        {
            peer.RoundAnswered = round;
            Confirm();
        }
    }

    /// <summary>Confirms what a quorum's answers allow.</summary>
    public void Confirm() => _queue.Answered(RoundOfQuorum(), state.Out);

    public void RefuseAll() => _queue.RefuseAll(state.Out);

    private bool HoldsLease() => state.Config.LeaseReads && !_leaseGivenUp
        && _rounds.AgeTicks(RoundOfQuorum()) < state.Config.ElectionTicksMin * 3 / 4;

    private long RoundOfQuorum() => peers.Reached(static p => p.RoundAnswered, long.MaxValue);
}
