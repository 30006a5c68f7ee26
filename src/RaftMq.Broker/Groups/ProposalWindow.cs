using RaftMq.Raft;

namespace RaftMq.Broker.Groups;

/// <summary>
/// A coordinator's proposals and reads whose end is awaited, bounded. Each ends once: committed, or lost together with all others when
/// leadership ends; what the Raft group says of it later is ignored.
/// </summary>
/// <param name="afterCommitted">Runs after a proposal's own action, when the state is whole.</param>
/// <param name="lost">Runs when the Raft group reports a loss; it is to call <see cref="LoseAll"/>.</param>
internal sealed class ProposalWindow(IGroupProposer proposer, GroupLimits limits, Action afterCommitted, Action lost)
{
    private readonly LinkedList<InFlight> _inFlight = new();
    private bool _starting;

    public int Count => _inFlight.Count;

    /// <returns>Null when it was proposed: then exactly one of the two actions runs, later.</returns>
    public GroupRefusal? TryPropose(GroupEntry entry, Action committed, Action lost)
    {
        byte[] bytes = GroupEntryCodec.Encode(entry);
        if (bytes.Length > limits.CommitBytesMax)
        {
            return GroupRefusal.TooLarge;
        }

        return _inFlight.Count >= limits.ProposalsInFlightMax
            ? GroupRefusal.Busy
            : TryStart(callback => proposer.Propose(bytes, callback), committed, lost);
    }

    /// <summary>For a group's record: of each group at most one is under way, which is limit enough, and its size was checked before.</summary>
    /// <inheritdoc cref="TryPropose"/>
    public GroupRefusal? TryProposeRecord(GroupEntry.GroupChanged entry, Action committed, Action lost)
    {
        byte[] bytes = GroupEntryCodec.Encode(entry);
        return TryStart(callback => proposer.Propose(bytes, callback), committed, lost);
    }

    /// <inheritdoc cref="TryPropose"/>
    public GroupRefusal? TryConfirmLeader(Action confirmed, Action lost) =>
        _inFlight.Count >= limits.ProposalsInFlightMax
            ? GroupRefusal.Busy
            : TryStart(proposer.ConfirmLeader, confirmed, lost);

    public void LoseAll()
    {
        while (_inFlight.First is { } first)
        {
            _inFlight.RemoveFirst();
            first.Value.Node = null;
            first.Value.OnLost();
        }
    }

    private GroupRefusal? TryStart(Func<IProposalCallback, bool> start, Action committed, Action lost)
    {
        InFlight proposal = new(this, committed, lost);
        _starting = true;
        bool started = start(proposal);
        _starting = false;
        if (!started)
        {
            return GroupRefusal.Busy;
        }

        proposal.Node = _inFlight.AddLast(proposal);
        if (PlantedBug.OffsetCommitAckedBeforeCommit && started)
        {
            Committed(proposal);
        }

        return null;
    }

    private void Committed(InFlight proposal)
    {
        Invariant.Holds(!_starting, "a proposal is not decided inside the call that makes it");
        if (proposal.Node is { } node)
        {
            _inFlight.Remove(node);
            proposal.Node = null;
            proposal.OnCommitted();
            afterCommitted();
        }
    }

    private sealed class InFlight(ProposalWindow window, Action committed, Action onLost) : IProposalCallback
    {
        /// <summary>Its place in the window; null before it is started and when it has ended.</summary>
        public LinkedListNode<InFlight>? Node { get; set; }

        public Action OnCommitted { get; } = committed;

        public Action OnLost { get; } = onLost;

        public void Committed() => window.Committed(this);

        public void Lost()
        {
            Invariant.Holds(!window._starting, "a proposal is not decided inside the call that makes it");
            window.Lost();
        }
    }

    private void Lost() => lost();
}
