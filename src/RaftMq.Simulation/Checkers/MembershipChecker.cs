using RaftMq.Raft;

namespace RaftMq.Simulation.Checkers;

/// <summary>
/// How replicas come and go (Raft 6, dissertation 4.2): who begins to vote was a learner and has the entry that made it one; a replica that
/// came by a movement begins without a membership, and neither takes part in elections nor counts itself a voter before its log has one that speaks of it, nor answers a leader that takes it for its
/// predecessor on the node; no node gives up a replica that votes; and a number does not pass to another folder before the one it had is removed.
/// </summary>
public sealed class MembershipChecker : PromiseChecker
{
    private readonly DurableReplicas _media = new();

    /// <summary>The entry that made a replica a learner, of whichever leader.</summary>
    private readonly Dictionary<(GroupId Group, ReplicaId Replica), LogIndex> _learners = [];

    /// <summary>The highest commit index that a leader had, and who was a member there.</summary>
    private readonly Dictionary<GroupId, (LogIndex At, Membership Membership)> _committed = [];
    private readonly Dictionary<(NodeId Node, GroupId Key), LogIndex> _bornFrom = [];

    /// <summary>What each leader goes by, of what it said last.</summary>
    private readonly Dictionary<(NodeId Leader, GroupId Group), HistoryEvent.LeaderCommitted> _leaders = [];
    private readonly HashSet<GroupId> _deleted = [];

    /// <summary>By which folders each number was known, and which of all are out of the cluster.</summary>
    private readonly Dictionary<NodeId, HashSet<ReplicaId>> _folders = [];
    private readonly HashSet<ReplicaId> _removed = [];

    /// <summary>What the folders of topics begin with that anybody may delete at any time.</summary>
    private readonly List<string> _shared = [];

    /// <summary>What the folders of partitions begin with that a topic had grown by and that went with it before any client had found them.</summary>
    private readonly HashSet<string> _unfound = [];

    /// <summary>Partitions that clients know.</summary>
    private readonly HashSet<GroupId> _found = [];

    public override string Promise => "membership";

    public override string? Observe(HistoryEvent happened)
    {
        _media.Observe(happened);
        switch (happened)
        {
            case HistoryEvent.PartitionDeleted deleted:
                _deleted.Add(deleted.Group);
                return null;
            case HistoryEvent.TopicShared shared:
                _shared.Add($"{shared.Name}-");
                return null;
            case HistoryEvent.UnfoundDeleted unfound:
                _unfound.UnionWith(Enumerable.Range(unfound.From, unfound.To - unfound.From).Select(number => $"{unfound.Topic}-{number}"));
                return null;
            case HistoryEvent.PartitionCreated created:
                _found.Add(created.Group);
                return null;
            case HistoryEvent.ReplicaMade made:
                _bornFrom[(made.Node, made.Key)] = made.BornFrom;
                return made.BeginsWith > 0
                    ? $"{made.Node} makes {made.Key}, which came by a movement, with a membership of {made.BeginsWith} voters, and only its log can tell it one"
                    : null;
            case HistoryEvent.VoterSeen seen:
                return _bornFrom.TryGetValue((seen.Node, seen.Key), out LogIndex since) && seen.MembershipAt < since
                    ? $"{seen.Node}'s replica {seen.Key} is a {seen.Role}; the newest membership in its log is of {seen.MembershipAt}, and none below {since} speaks of it"
                    : null;
            case HistoryEvent.LeaderCommitted leader:
                _leaders[(leader.By.Node, leader.Group)] = leader;
                return BeganToVote(leader) ?? Learn(leader);
            case HistoryEvent.FolderKnown known:
                return IsExchanged(known);
            case HistoryEvent.ReplicaGivenUp gone when !_shared.Exists(name => gone.Folder.StartsWith(name, StringComparison.Ordinal)):
                return StillVotes(gone);
            case HistoryEvent.Said { Message: VoteRequest or PreVoteRequest or VoteReply { Granted: true } or PreVoteReply { Granted: true } } said:
                return IsUnborn(said);
            case HistoryEvent.Said { Message: AppendAccepted or HeartbeatReply } said:
                return IsTakenForPredecessor(said);
            default:
                return null;
        }
    }

    /// <summary>A movement stands behind a ~, the incarnation behind the last dash.</summary>
    private bool IsUnfound(string folder) =>
        _unfound.Count > 0 && folder.LastIndexOf('-') is var dash and > 0 && _unfound.Contains(folder[..dash].Split('~')[0]);

    private string? BeganToVote(HistoryEvent.LeaderCommitted leader)
    {
        // Who stood still and does not know what was committed since has begun it long ago, if at all, and nobody takes it.
        bool isFormer = leader.Commit < _committed.GetValueOrDefault(leader.Group).At;
        if (!leader.Membership.IsJoint || isFormer)
        {
            return null;
        }

        foreach (ReplicaId voter in leader.Membership.Voters.Where(v => !leader.Membership.OutgoingVoters.Contains(v)))
        {
            if (!_learners.TryGetValue((leader.Group, voter), out LogIndex since))
            {
                return $"group {leader.Group}: {voter} votes since {leader.MembershipAt} by {leader.By} and was no learner before";
            }

            if (_media.Find(voter, leader.Group) is not { } medium || medium.Last < since)
            {
                return $"group {leader.Group}: {voter} votes since {leader.MembershipAt} by {leader.By}, and its medium has not the entry {since} that made it a learner";
            }
        }

        return null;
    }

    private string? Learn(HistoryEvent.LeaderCommitted leader)
    {
        foreach (ReplicaId learner in leader.Membership.Learners)
        {
            // Also where that entry is lost and comes again at another index.
            if (!_learners.TryGetValue((leader.Group, learner), out LogIndex since) || leader.MembershipAt < since)
            {
                _learners[(leader.Group, learner)] = leader.MembershipAt;
            }
        }

        if (_committed.GetValueOrDefault(leader.Group).At <= leader.Commit)
        {
            _committed[leader.Group] = (leader.Commit, leader.Committed);
            foreach ((GroupId, ReplicaId) former in _learners.Keys
                .Where(l => l.Group == leader.Group && !leader.Committed.IsMember(l.Replica) && !leader.Membership.IsMember(l.Replica)).ToArray())
            {
                _learners.Remove(former);
            }
        }

        return null;
    }

    private string? StillVotes(HistoryEvent.ReplicaGivenUp gone)
    {
        foreach ((GroupId group, (LogIndex at, Membership membership)) in _committed)
        {
            bool isExcused = _deleted.Contains(group) || (!_found.Contains(group) && IsUnfound(gone.Folder));
            if (group.IsLifeOf(gone.Key) && !isExcused && _media.Here(gone.Node) is { } replica && membership.IsVoter(replica)
                && _media.KeyOf(replica, group) == gone.Key)
            {
                return $"group {group}: {replica} gives up its replica, which votes in what is committed up to {at}";
            }
        }

        return null;
    }

    /// <summary>With its former folder went what the node had promised.</summary>
    private string? IsExchanged(HistoryEvent.FolderKnown known)
    {
        _removed.UnionWith(known.Removed);
        if (!_folders.TryGetValue(known.Folder.Node, out HashSet<ReplicaId>? folders))
        {
            _folders.Add(known.Folder.Node, folders = []);
        }

        if (!folders.Add(known.Folder) || _removed.Contains(known.Folder))
        {
            return null;
        }

        foreach (ReplicaId other in folders)
        {
            if (other != known.Folder && !_removed.Contains(other))
            {
                return $"{known.By} knows {known.Folder.Node} with the folder {known.Folder.Store}, and {other.Store}, which it had, was never removed";
            }
        }

        return null;
    }

    /// <summary>What it answers in the leader's term counts there as its predecessor's word, who had promised more.</summary>
    private string? IsTakenForPredecessor(HistoryEvent.Said said) =>
        _leaders.TryGetValue((said.To, said.Group), out HistoryEvent.LeaderCommitted? leader) && leader.Term == said.Message.Term
        && _media.KeyOf(said.By, said.Group) is { } key && _bornFrom.TryGetValue((said.By.Node, key), out LogIndex from)
        && leader.MembershipAt < from && leader.Membership.IsMember(said.By)
            ? $"group {said.Group}: {said.By} answers {said.To} in {leader.Term} ({said.Message.GetType().Name}), and what that one knows of it is of {leader.MembershipAt}, "
                + $"before the group let its predecessor go: {key} is since {from}"
            : null;

    private string? IsUnborn(HistoryEvent.Said said) =>
        _media.KeyOf(said.By, said.Group) is { } key && _bornFrom.TryGetValue((said.By.Node, key), out LogIndex from)
        && _media.Find(said.By, said.Group)!.Membership is var newest && newest < from
            ? $"group {said.Group}: {said.By} takes part in an election ({said.Message.GetType().Name} of {said.Message.Term}); the newest membership in its log is of {newest}, and none below {from} speaks of it"
            : null;
}
