using RaftMq.Raft;

namespace RaftMq.Broker.Digests;

/// <summary>
/// What the members of a group said their state was, as its leader hears it. What a majority of the voters says is right; who says otherwise has diverged.
/// Where all voters spoke and no majority agrees nobody can tell who is right.
/// </summary>
internal sealed class DigestTally
{
    private readonly SortedDictionary<LogIndex, SortedDictionary<ReplicaId, StateDigest>> _points = [];
    private LogIndex _undecidedTold;

    /// <summary>Takes one member's word.</summary>
    public DigestVerdict Add(ReplicaId from, in StateDigest digest, Membership membership)
    {
        if (membership.IsJoint || !membership.IsMember(from))
        {
            return DigestVerdict.None;
        }

        if (!_points.TryGetValue(digest.Index, out SortedDictionary<ReplicaId, StateDigest>? said))
        {
            if (_points.Count == DigestPoints.Remembered)
            {
                LogIndex oldest = _points.Keys.First();
                if (digest.Index < oldest)
                {
                    return DigestVerdict.None;
                }

                _points.Remove(oldest);
            }

            said = [];
            _points.Add(digest.Index, said);
        }

        said[from] = digest;
        return Judge(said, membership);
    }

    /// <summary>Another leadership hears everything anew.</summary>
    public void Clear() => _points.Clear();

    private DigestVerdict Judge(SortedDictionary<ReplicaId, StateDigest> said, Membership membership)
    {
        StateDigest[] votes = [.. said.Where(word => membership.IsVoter(word.Key)).Select(static word => word.Value)];
        int majority = (membership.Voters.Count / 2) + 1;
        foreach (StateDigest right in votes)
        {
            if (votes.Count(vote => vote == right) < majority)
            {
                continue;
            }

            return new DigestVerdict(
                right, [.. said.Where(word => word.Value.Version == right.Version && word.Value != right).Select(static word => word.Key)], IsUndecided: false);
        }

        // A difference of versions is an upgrade under way.
        bool isUndecided = votes.Length == membership.Voters.Count && votes.All(vote => vote.Version == votes[0].Version)
            && votes[0].Index > _undecidedTold;
        if (isUndecided)
        {
            _undecidedTold = votes[0].Index;
        }

        return isUndecided ? new DigestVerdict(votes[0], [], IsUndecided: true) : DigestVerdict.None;
    }
}

/// <param name="Right">What a majority has; where <paramref name="IsUndecided"/>, one of those that were said.</param>
/// <param name="Diverged">Members whose state is another one.</param>
/// <param name="IsUndecided">Said once per point: no majority agrees.</param>
internal readonly record struct DigestVerdict(StateDigest Right, IReadOnlyList<ReplicaId> Diverged, bool IsUndecided)
{
    public static readonly DigestVerdict None = new(default, [], IsUndecided: false);
}
