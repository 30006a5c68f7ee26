namespace RaftMq.Raft;

/// <summary>
/// Who votes and who listens (Raft 6, dissertation 4.3). While <see cref="OutgoingVoters"/> is not empty the membership is joint: a
/// decision needs a majority of <see cref="Voters"/> and a majority of <see cref="OutgoingVoters"/>. Lists are sorted by node, without repeats.
/// </summary>
public sealed record Membership(
    IReadOnlyList<ReplicaId> Voters, IReadOnlyList<ReplicaId> OutgoingVoters, IReadOnlyList<ReplicaId> Learners)
{
    /// <summary>Nobody: what a replica knows that was made to join a group and heard no leader yet.</summary>
    public static readonly Membership None = new([], [], []);

    public static Membership Of(params IEnumerable<ReplicaId> voters) =>
        new([.. voters.Order()], [], []);

    public bool IsJoint => OutgoingVoters.Count > 0;

    /// <summary>Votes in either half.</summary>
    public bool IsVoter(ReplicaId replica) => Has(Voters, replica) || Has(OutgoingVoters, replica);

    public bool IsMember(ReplicaId replica) => IsVoter(replica) || Has(Learners, replica);

    /// <summary>Some replica of that node votes or listens.</summary>
    public bool Names(NodeId node) => Names(Voters, node) || Names(OutgoingVoters, node) || Names(Learners, node);

    /// <summary>The membership after a joint one: the outgoing half leaves.</summary>
    public Membership WithoutOutgoing() => this with { OutgoingVoters = [] };

    public override string ToString() =>
        $"({string.Join(' ', Voters)})"
        + (IsJoint ? $" leaving ({string.Join(' ', OutgoingVoters)})" : "")
        + (Learners.Count > 0 ? $" learners ({string.Join(' ', Learners)})" : "");

    internal static bool Has(IReadOnlyList<ReplicaId> list, ReplicaId replica)
    {
        for (int i = 0; i < list.Count; i++)
        {
            if (list[i] == replica)
            {
                return true;
            }
        }

        return false;
    }

    private static bool Names(IReadOnlyList<ReplicaId> list, NodeId node)
    {
        for (int i = 0; i < list.Count; i++)
        {
            if (list[i].Node == node)
            {
                return true;
            }
        }

        return false;
    }
}
