namespace RaftMq.Raft;

/// <summary>Decides what entry, if any, starts a change from one membership to another (dissertation 4.3).</summary>
internal static class MembershipPlan
{
    /// <summary>
    /// The membership to append first, or null with the reason why not. A change of learners alone leaves every quorum as it is and
    /// needs one entry; a change of voters goes through a joint membership, from which the leader leaves by itself.
    /// </summary>
    public static Membership? First(
        Membership current, IReadOnlyList<ReplicaId> voters, IReadOnlyList<ReplicaId> learners, out string refusal)
    {
        ReplicaId[] newVoters = [.. voters.Order()];
        ReplicaId[] newLearners = [.. learners.Order()];
        refusal = Fault(newVoters, newLearners);
        if (refusal.Length > 0)
        {
            return null;
        }

        if (newVoters.SequenceEqual(current.Voters))
        {
            if (newLearners.SequenceEqual(current.Learners))
            {
                refusal = "the membership is that already";
                return null;
            }

            return new Membership(newVoters, [], newLearners);
        }

        return new Membership(newVoters, current.Voters, newLearners);
    }

    private static string Fault(ReplicaId[] voters, ReplicaId[] learners)
    {
        if (voters.Length == 0)
        {
            return "a group needs a voter";
        }

        if (voters.Length + learners.Length > MembershipCodec.MembersMax)
        {
            return $"a group has at most {MembershipCodec.MembersMax} members";
        }

        // Two stores of one node in one list would be two votes of one machine.
        return HasRepeatedNode(voters) || HasRepeatedNode(learners) || learners.Any(l => voters.Any(v => v.Node == l.Node))
            ? "a node is named twice"
            : "";
    }

    private static bool HasRepeatedNode(ReplicaId[] sorted)
    {
        for (int i = 1; i < sorted.Length; i++)
        {
            if (sorted[i].Node == sorted[i - 1].Node)
            {
                return true;
            }
        }

        return false;
    }
}
