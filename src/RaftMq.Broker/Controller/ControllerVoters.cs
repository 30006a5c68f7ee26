using RaftMq.Raft;

namespace RaftMq.Broker.Controller;

/// <summary>A registered node as a member of the controller group.</summary>
/// <param name="Duty">Draining: it votes only while nobody else can in its place. Leaving: the same.</param>
/// <param name="IsGone">Nothing but the controller group is left to leave.</param>
/// <param name="IsReady">Alive, and its replica has all but the newest entries: it may begin to vote.</param>
internal readonly record struct ControllerCandidate(ReplicaId Replica, string? Rack, NodeDuty Duty, bool IsGone, bool IsAlive, bool IsReady);

/// <summary>
/// Who should vote in the controller group: up to five nodes, an odd number of them (two of two: one would lose all with its
/// disk), over racks. All others are learners. Pure; the controller's leader asks again after each change, which go one at a time.
/// A voter that is merely down stays one: it comes back, and nothing can tell a node that is cut off from one that is lost. An operator does
/// (drain, remove).
/// </summary>
internal static class ControllerVoters
{
    private const int VotersMax = 5;

    /// <summary>The next membership, or null while the one there is is right or can't be bettered now.</summary>
    /// <param name="removed">Folders that left the cluster. A member that is neither here nor among the nodes is left alone: it registers yet.</param>
    public static (IReadOnlyList<ReplicaId> Voters, IReadOnlyList<ReplicaId> Learners)? Next(
        Membership current, ReplicaId leader, IReadOnlyList<ControllerCandidate> nodes, IReadOnlyCollection<ReplicaId> removed)
    {
        if (current.IsJoint)
        {
            return null;
        }

        bool IsOut(ReplicaId member) => removed.Contains(member) || nodes.Any(n => n.Replica == member && n.IsGone);

        // Learners first: no quorum changes with them.
        ReplicaId[] learners =
        [
            .. current.Learners.Where(l => !IsOut(l)),
            .. nodes.Where(n => !n.IsGone && !current.IsMember(n.Replica) && !current.Voters.Concat(current.Learners).Any(m => m.Node == n.Replica.Node))
                .Select(n => n.Replica),
        ];
        if (!learners.Order().SequenceEqual(current.Learners))
        {
            return (current.Voters, learners);
        }

        List<ReplicaId> voters = [.. current.Voters];
        int target = Target(nodes.Count(n => !n.IsGone));
        IReadOnlyList<ControllerCandidate> substitutes =
            [.. nodes.Where(n => n is { Duty: NodeDuty.Serving, IsReady: true } && current.Learners.Contains(n.Replica))];
        ReplaceThoseThatGo(voters, nodes, substitutes, IsOut, target);
        AddUpTo(voters, nodes, substitutes, target);
        DropDownTo(voters, nodes, leader, target);
        return voters.Order().SequenceEqual(current.Voters)
            ? null
            : (voters, [.. nodes.Where(n => !n.IsGone && !voters.Contains(n.Replica) && current.IsMember(n.Replica)).Select(n => n.Replica)]);
    }

    /// <summary>For so many nodes.</summary>
    public static int Target(int nodes) => nodes >= VotersMax ? VotersMax : nodes >= 3 ? 3 : Math.Max(1, nodes);

    private static void ReplaceThoseThatGo(
        List<ReplicaId> voters, IReadOnlyList<ControllerCandidate> nodes, IReadOnlyList<ControllerCandidate> substitutes,
        Func<ReplicaId, bool> isOut, int target)
    {
        foreach (ReplicaId voter in voters.ToArray())
        {
            bool isOutOfIt = isOut(voter);
            bool isUnwanted = isOutOfIt || nodes.Any(n => n.Replica == voter && n.Duty != NodeDuty.Serving);
            if (!isUnwanted)
            {
                continue;
            }

            ReplicaId? substitute = BestOf(voters, nodes, substitutes);
            bool othersSuffice = voters.Count > target;
            if (substitute is { } next && !othersSuffice)
            {
                voters.Remove(voter);
                voters.Add(next);
            }
            else if (othersSuffice || (isOutOfIt && voters.Count > 1))
            {
                voters.Remove(voter);
            }
        }
    }

    private static void AddUpTo(
        List<ReplicaId> voters, IReadOnlyList<ControllerCandidate> nodes, IReadOnlyList<ControllerCandidate> substitutes, int target)
    {
        while (voters.Count < target && BestOf(voters, nodes, substitutes) is { } next)
        {
            voters.Add(next);
        }
    }

    private static void DropDownTo(List<ReplicaId> voters, IReadOnlyList<ControllerCandidate> nodes, ReplicaId leader, int target)
    {
        // A node that has not registered after this start of the cluster is not known enough to be judged.
        while (voters.Count > target && voters.TrueForAll(v => nodes.Any(n => n.Replica == v)))
        {
            ControllerCandidate last = nodes
                .Where(n => voters.Contains(n.Replica) && n.Replica != leader)
                .OrderBy(n => n.Duty == NodeDuty.Serving)
                .ThenBy(n => n.IsAlive)
                .ThenBy(n => n.Rack is null || !nodes.Any(o => o.Replica != n.Replica && voters.Contains(o.Replica) && o.Rack == n.Rack))
                .ThenByDescending(n => n.Replica)
                .First();
            voters.Remove(last.Replica);
        }
    }

    /// <summary>A serving learner that is ready, on a rack without a voter if there is one.</summary>
    private static ReplicaId? BestOf(
        List<ReplicaId> voters, IReadOnlyList<ControllerCandidate> nodes, IReadOnlyList<ControllerCandidate> substitutes)
    {
        ControllerCandidate[] free = [.. substitutes
            .Where(n => !voters.Contains(n.Replica))
            .OrderBy(n => n.Rack is not null && nodes.Any(o => voters.Contains(o.Replica) && o.Rack == n.Rack))
            .ThenBy(n => n.Replica)];
        return free.Length == 0 ? null : free[0].Replica;
    }
}
