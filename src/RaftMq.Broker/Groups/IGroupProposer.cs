namespace RaftMq.Broker.Groups;

/// <summary>The coordinator's way into its partition's Raft group. Callbacks come later, never from inside these calls.</summary>
public interface IGroupProposer
{
    /// <summary>
    /// Proposes an entry; entries are committed in the order of these calls. The array is handed over.
    /// </summary>
    /// <returns>False when nothing was proposed (the group has as much uncommitted as it may have); the callback is then never called.</returns>
    bool Propose(byte[] entry, IProposalCallback callback);

    /// <summary>
    /// Asks for a linearizable read (dissertation 6.4): <see cref="IProposalCallback.Committed"/> when a majority has confirmed this
    /// leader since the call and everything committed at the call is applied.
    /// </summary>
    /// <returns>False when it cannot be asked now; the callback is then never called.</returns>
    bool ConfirmLeader(IProposalCallback callback);
}

/// <summary>What became of a proposal. Exactly one of the two is called, once.</summary>
public interface IProposalCallback
{
    /// <summary>The entry is committed (durable on a majority) <b>and applied</b> to this replica's <see cref="GroupStateMachine"/>.</summary>
    void Committed();

    /// <summary>Leadership ended before the entry was seen committed; it may still become so under another leader. Ends the coordinator.</summary>
    void Lost();
}
