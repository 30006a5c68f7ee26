namespace RaftMq.Broker.Groups;

/// <summary>One proposal or read of a coordinator, from the call to its end.</summary>
internal sealed class InFlightProposal(GroupCoordinator coordinator, Action committed, Action lost) : IProposalCallback
{
    /// <summary>Its place among the coordinator's proposals; null when it is decided.</summary>
    public LinkedListNode<InFlightProposal>? Node { get; set; }

    /// <summary>Runs when the entry is committed and applied.</summary>
    public Action OnCommitted { get; } = committed;

    /// <summary>Runs when leadership is lost: answers who waits.</summary>
    public Action OnLost { get; } = lost;

    public void Committed() => coordinator.OnCommitted(this);

    public void Lost() => coordinator.LeadershipLost();
}
