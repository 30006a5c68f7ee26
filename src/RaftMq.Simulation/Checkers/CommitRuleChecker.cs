using RaftMq.Raft;

namespace RaftMq.Simulation.Checkers;

/// <summary>
/// A leader commits entries of its own term only, and what is before them with them (Raft 5.4.2), and only what a majority of the voters
/// has on its media, of both halves while the membership is joint (Raft 6). Counted from the journals' synced bytes.
/// </summary>
public sealed class CommitRuleChecker : PromiseChecker
{
    private readonly DurableReplicas _media = new();

    /// <summary>What a leader knew to be committed when it first spoke as one.</summary>
    private readonly Dictionary<(ReplicaId By, GroupId Group, Term Term), LogIndex> _knownBefore = [];

    public override string Promise => "commit rule";

    public override string? Observe(HistoryEvent happened)
    {
        _media.Observe(happened);
        if (happened is not HistoryEvent.LeaderCommitted committed
            || _knownBefore.TryAdd((committed.By, committed.Group, committed.Term), committed.Commit)
            || committed.Commit <= _knownBefore[(committed.By, committed.Group, committed.Term)])
        {
            return null;
        }

        string who = $"group {committed.Group}: {committed.By}, leader of {committed.Term}, committed up to {committed.Commit}";
        if (committed.At is { } term && term != committed.Term)
        {
            return $"{who}, an entry of {term}";
        }

        return MajorityWithout(committed) is { } voters ? $"{who}, of which no majority of {voters} has it durably" : null;
    }

    /// <summary>
    /// The half that has none; null when all is well. What was committed before the change was committed by the old half alone, and the new half
    /// counts from the entry that brought it.
    /// </summary>
    private string? MajorityWithout(HistoryEvent.LeaderCommitted committed)
    {
        Membership membership = committed.Membership;
        if (membership.IsJoint && !IsOnMajority(membership.OutgoingVoters, committed))
        {
            return string.Join(' ', membership.OutgoingVoters);
        }

        bool newHalfCounts = !membership.IsJoint || committed.Commit >= committed.MembershipAt;
        return newHalfCounts && !IsOnMajority(membership.Voters, committed) ? string.Join(' ', membership.Voters) : null;
    }

    private bool IsOnMajority(IReadOnlyList<ReplicaId> voters, HistoryEvent.LeaderCommitted committed) =>
        voters.Count(voter => _media.Find(voter, committed.Group)?.HoldsOrHeld(committed.Commit, committed.At) == true) > voters.Count / 2;
}
