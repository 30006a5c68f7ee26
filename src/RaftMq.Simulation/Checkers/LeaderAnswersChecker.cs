using RaftMq.Raft;

namespace RaftMq.Simulation.Checkers;

/// <summary>
/// Who acknowledges a send leads the partition at that moment: a former leader can't know whose entry stands where it awaited its own. And who
/// says where a log ends has heard a majority of the voters since it was asked (dissertation 6.4); leases are off in the simulator.
/// </summary>
public sealed class LeaderAnswersChecker : PromiseChecker
{
    private const int ViewsMax = 3;

    /// <summary>The number of the last answer to a heartbeat that left a replica for a leader.</summary>
    private readonly Dictionary<(GroupId Group, NodeId Leader, ReplicaId By), long> _answers = [];

    /// <summary>The newest memberships in a leader's log, the newest last: a question may be confirmed before the one that is there when it is answered.</summary>
    private readonly Dictionary<(GroupId Group, NodeId Leader), List<(ReplicaId Self, Membership Membership)>> _views = [];

    /// <summary>How many answers there were when a question was asked.</summary>
    private readonly Dictionary<long, long> _asked = [];
    private long _count;

    public override string Promise => "answers of leaders";

    public override string? Observe(HistoryEvent happened)
    {
        switch (happened)
        {
            case HistoryEvent.Said { Message: HeartbeatReply } said:
                _answers[(said.Group, said.To, said.By)] = ++_count;
                return null;
            case HistoryEvent.LeaderCommitted leader:
                Learn(leader);
                return null;
            case HistoryEvent.EndAsked asked:
                _asked[asked.Request] = _count;
                return null;
            case HistoryEvent.SendAcked { IsByLeader: false } acked:
                return $"group {acked.Group}: {acked.By} acknowledges {acked.Mark} at {acked.BaseOffset} and does not lead";
            case HistoryEvent.EndTold told:
                return WithoutRound(told);
            default:
                return null;
        }
    }

    private void Learn(HistoryEvent.LeaderCommitted leader)
    {
        if (!_views.TryGetValue((leader.Group, leader.By.Node), out List<(ReplicaId, Membership)>? views))
        {
            _views.Add((leader.Group, leader.By.Node), views = []);
        }

        views.RemoveAll(view => ReferenceEquals(view.Item2, leader.Membership));
        views.Add((leader.By, leader.Membership));
        if (views.Count > ViewsMax)
        {
            views.RemoveAt(0);
        }
    }

    private string? WithoutRound(HistoryEvent.EndTold told)
    {
        if (!_asked.Remove(told.Request, out long since)
            || !_views.TryGetValue((told.Group, told.By), out List<(ReplicaId Self, Membership Membership)>? views)
            || views.Exists(view => HasHeard(told, since, view.Self, view.Membership)))
        {
            return null;
        }

        return $"group {told.Group}: {told.By} says that the log ends at {told.Offset} and heard no majority of {views[^1].Membership} since it was asked";
    }

    private bool HasHeard(HistoryEvent.EndTold told, long since, ReplicaId self, Membership membership)
    {
        // While joint, what the new half is may be newer here than where the question was confirmed.
        IReadOnlyList<ReplicaId> deciding = membership.IsJoint ? membership.OutgoingVoters : membership.Voters;
        return deciding.Count(voter => voter == self || _answers.GetValueOrDefault((told.Group, told.By, voter)) > since) > deciding.Count / 2;
    }
}
