using RaftMq.Raft;

namespace RaftMq.Broker.Movement;

/// <summary>
/// Brings a group's membership to the wanted set, one committed change after the other (dissertation 4.2, 4.3):
/// 1. who is wanted and no member becomes a learner, which takes part in no decision;
/// 2. once all of them have caught up, and a majority of the wanted set has, the voters become the wanted set through a joint membership;
/// 3. that is left by itself. A leader that is not wanted hands over before, where one that stays can take over.
/// Pure: what was done so far is in the membership itself, so any leader goes on where the last one stopped. For any group.
/// </summary>
internal static class ReplicaMover
{
    /// <summary>Heard of within the shortest election time (0.6 s).</summary>
    public const int HeardTicksMax = 12;

    /// <summary>It had everything that there was a second ago: then a long queue of new entries does not keep it out.</summary>
    public const int CaughtUpTicksMax = 20;

    /// <param name="view">What the group's leader sees.</param>
    /// <param name="wanted">The wanted voters, at least one.</param>
    /// <param name="windowEntries">As many entries may be on their way to a follower: one that lacks no more has caught up.</param>
    /// <param name="mayHandOver">False after it was tried without success.</param>
    public static MoveStep Next(in MoveView view, IReadOnlyList<ReplicaId> wanted, int windowEntries, bool mayHandOver)
    {
        Membership membership = view.Membership;
        if (!PlantedBug.ChangeUnderWayIgnored && (membership.IsJoint || view.MembershipIndex > view.Commit))
        {
            return MoveStep.AwaitChange.Instance;
        }

        ReplicaId[] voters = [.. wanted.Order()];
        ReplicaId[] learners = [.. voters.Where(r => !membership.Voters.Contains(r))];
        if (!learners.SequenceEqual(membership.Learners) && !(PlantedBug.PromotedWithoutCatchUp && learners.Length > 0))
        {
            return new MoveStep.SetLearners(learners, IsStart: learners.Any(r => !membership.Learners.Contains(r)));
        }

        if (voters.SequenceEqual(membership.Voters))
        {
            return MoveStep.Settled.Instance;
        }

        MoveView seen = view;
        ReplicaId[] behind = [.. learners.Where(r => !HasCaughtUp(seen, r, windowEntries))];
        if (behind.Length > 0 && !PlantedBug.PromotedWithoutCatchUp)
        {
            return new MoveStep.AwaitCatchUp(behind);
        }

        // Without a majority of the new voters nothing could be committed any more, and the change not be taken back.
        ReplicaId[] absent = [.. voters.Where(r => r != seen.Self && !HasCaughtUp(seen, r, windowEntries))];
        if (absent.Length * 2 >= voters.Length)
        {
            return new MoveStep.AwaitCatchUp(absent);
        }

        return mayHandOver && !voters.Contains(view.Self) && Successor(seen, wanted, windowEntries) is { } successor
            ? new MoveStep.HandOver(successor)
            : MoveStep.SetVoters.Instance;
    }

    /// <summary>
    /// A learner votes only when its log holds, durably, the entry that made it one. Without that the group could wait for a replica that
    /// is far behind. And a replica of the same node that left before might still be there, count as this one, and be deleted: it never
    /// had that entry, or it would know that it was taken in again.
    /// </summary>
    private static bool HasCaughtUp(in MoveView view, ReplicaId replica, int windowEntries)
    {
        foreach (PeerProgress peer in view.Progress)
        {
            if (peer.Replica == replica)
            {
                return !peer.InSnapshot && peer.TicksSinceHeard <= HeardTicksMax && peer.Match >= view.MembershipIndex
                    && (view.LastIndex - peer.Match <= windowEntries || peer.TicksSinceCaughtUp <= CaughtUpTicksMax);
            }
        }

        return false;
    }

    private static NodeId? Successor(in MoveView view, IReadOnlyList<ReplicaId> wanted, int windowEntries)
    {
        foreach (ReplicaId replica in wanted)
        {
            if (view.Membership.Voters.Contains(replica) && HasCaughtUp(view, replica, windowEntries))
            {
                return replica.Node;
            }
        }

        return null;
    }
}
