namespace RaftMq.Raft;

/// <summary>
/// Who votes and who listens (Raft 6, dissertation 4.3). While <see cref="OutgoingVoters"/> is not empty the membership is joint: a
/// decision needs a majority of <see cref="Voters"/> and a majority of <see cref="OutgoingVoters"/>. Lists are sorted by node, without repeats.
/// </summary>
public sealed record Membership(
    IReadOnlyList<ReplicaId> Voters, IReadOnlyList<ReplicaId> OutgoingVoters, IReadOnlyList<ReplicaId> Learners)
{
    public static Membership Of(params IEnumerable<ReplicaId> voters) =>
        new([.. voters.OrderBy(v => v.Node)], [], []);

    public bool IsJoint => OutgoingVoters.Count > 0;
}
