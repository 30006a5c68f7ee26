namespace RaftMq.Raft;

internal enum VoteAnswer
{
    Refused,
    Granted,

    /// <summary>Refused by a damaged voter.</summary>
    Abstained,
}

/// <summary>The answers to one candidacy. A replica is counted once; the membership asked may change under it, hence it is given anew.</summary>
internal sealed class VoteTally
{
    private readonly List<(ReplicaId Voter, VoteAnswer Answer)> _answers = [];

    /// <summary>The first answer of a replica stands: a voter does not change its mind within a term.</summary>
    public void Record(ReplicaId voter, VoteAnswer answer)
    {
        if (!HasAnswer(voter))
        {
            _answers.Add((voter, answer));
        }
    }

    /// <summary>The replica started anew: what its former life answered is void.</summary>
    public void Forget(ReplicaId voter) => _answers.RemoveAll(a => a.Voter == voter);

    public bool HasAnswer(ReplicaId voter) => IndexOf(voter) >= 0;

    public VoteOutcome Outcome(Membership membership)
    {
        // Without voters nobody can be elected; the mathematics of an empty list must not say otherwise.
        return membership.Voters.Count == 0
            ? VoteOutcome.Lost
            : PlantedBug.JointQuorumOfNewHalf ? OutcomeOf(membership.Voters)
            : Majority.Joint(OutcomeOf(membership.Voters), OutcomeOf(membership.OutgoingVoters));
    }

    private VoteOutcome OutcomeOf(IReadOnlyList<ReplicaId> voters)
    {
        int granted = 0;
        int refused = 0;
        int abstained = 0;
        for (int i = 0; i < voters.Count; i++)
        {
            int at = IndexOf(voters[i]);
            granted += at >= 0 && _answers[at].Answer == VoteAnswer.Granted ? 1 : 0;
            refused += at >= 0 && _answers[at].Answer == VoteAnswer.Refused ? 1 : 0;
            abstained += at >= 0 && _answers[at].Answer == VoteAnswer.Abstained ? 1 : 0;
        }

        return Majority.Outcome(voters.Count, granted, refused, abstained);
    }

    private int IndexOf(ReplicaId voter)
    {
        for (int i = 0; i < _answers.Count; i++)
        {
            if (_answers[i].Voter == voter)
            {
                return i;
            }
        }

        return -1;
    }
}
