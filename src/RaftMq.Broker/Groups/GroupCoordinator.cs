using System.Diagnostics.CodeAnalysis;
using RaftMq.Raft;

namespace RaftMq.Broker.Groups;

/// <summary>
/// Looks after the consumer groups of one partition of the offsets topic, on the leader of that partition. Its life:
/// 1. made when this replica leads and the no-op of its term is applied; it goes on from the replicated state, every member with a
///    whole session timeout ahead;
/// 2. requests come in, time comes with each of them and with <see cref="Tick"/>; what must not be lost is proposed, and answered only
///    when it is committed (PROGRESS: an offset commit, a generation, an assignment, a deletion is durable before anyone hears of it);
/// 3. leadership ends (<see cref="LeadershipLost"/>): everything that waits is answered <see cref="GroupRefusal.NotCoordinator"/>, and
///    so is everything that comes later. The next leadership makes a new one.
/// Single-threaded: the shard's exclusive section owns it together with the <see cref="GroupStateMachine"/>. Every request checks against
/// the applied state plus what this coordinator has proposed and not seen applied yet.
/// </summary>
public sealed class GroupCoordinator
{
    private static readonly GroupDeleteResult DeleteNotCoordinator = new GroupDeleteResult.Refused(GroupRefusal.NotCoordinator);
    private static readonly LeaveResult LeaveNotCoordinator = new LeaveResult.Refused(GroupRefusal.NotCoordinator);

    private readonly GroupStateMachine _machine;
    private readonly GroupsConfig _config;
    private readonly ReplyOutbox _outbox = new();
    private readonly ProposalWindow _proposals;
    private readonly GroupRebalancer _rebalancer;
    private readonly GroupOffsets _offsets;

    /// <summary>Groups with members, or with something under way that the replicated state does not say yet.</summary>
    private readonly SortedDictionary<ConsumerGroupId, LiveGroup> _live = [];

    private long _nowMs;
    private long _nextRetentionMs;
    private bool _closed;

    /// <param name="machine">The replica's state, with everything committed in earlier terms applied.</param>
    /// <param name="random">For member ids only.</param>
    public GroupCoordinator(
        GroupStateMachine machine,
        GroupsConfig config,
        IGroupProposer proposer,
        ISubscriptionReader subscriptions,
        RandomSource random,
        long nowMs)
    {
        _machine = machine;
        _config = config;
        _proposals = new(proposer, config.Limits, afterCommitted: _outbox.Flush, lost: LeadershipLost);
        _rebalancer = new(config, random, subscriptions, _outbox);
        _offsets = new(machine, config, _proposals, subscriptions);
        _nowMs = nowMs;
        _nextRetentionMs = nowMs + config.RetentionCheckIntervalMs;
        foreach ((ConsumerGroupId id, GroupState state) in machine.Groups)
        {
            if (state.Record is { Members.Length: > 0 } record)
            {
                _live.Add(id, LiveGroup.From(id, record, nowMs));
            }
        }
    }

    /// <summary>Groups with members or with a rebalance under way.</summary>
    public int LiveGroupCount => _live.Count;

    /// <summary>Proposals and reads whose end is awaited; see <see cref="GroupLimits.ProposalsInFlightMax"/>.</summary>
    public int ProposalsInFlight => _proposals.Count;

    /// <summary>The answer waits for the group's rebalance, at most the rebalance timeout, and for the new generation to be durable.</summary>
    public void Join(JoinRequest request, long nowMs, IReply<JoinResult> reply)
    {
        GroupRefusal? refusal = Enter(nowMs) ?? RequestCheck.Join(request, _config.Limits);
        LiveGroup? group = null;
        if (refusal is null && !TryGetLive(request.Group, out group))
        {
            refusal = request.Member.IsNone ? TryMakeLive(request.Group, out group) : GroupRefusal.UnknownMember;
        }

        if (refusal is { } reason)
        {
            _outbox.Refuse(reply, reason);
        }
        else
        {
            _rebalancer.Join(group!, request, _nowMs, reply);
            Settle(group!);
        }

        _outbox.Flush();
    }

    /// <summary>The answer waits for the leader's assignment, at most the rebalance timeout, and for it to be durable.</summary>
    public void Sync(SyncRequest request, long nowMs, IReply<SyncResult> reply)
    {
        GroupRefusal? refusal = Enter(nowMs) ?? RequestCheck.Group(request.Group, _config.Limits);
        LiveGroup? group = null;
        if (refusal is null && !TryGetLive(request.Group, out group))
        {
            refusal = GroupRefusal.UnknownMember;
        }

        if (refusal is { } reason)
        {
            _outbox.Refuse(reply, reason);
        }
        else
        {
            _rebalancer.Sync(group!, request, _nowMs, reply);
            Settle(group!);
        }

        _outbox.Flush();
    }

    /// <summary>Keeps the member's session and tells it whether to join again. Answered at once.</summary>
    public HeartbeatResult Heartbeat(
        ConsumerGroupId group, Generation generation, MemberId member, InstanceId? instance, long nowMs)
    {
        GroupRefusal? refusal = Enter(nowMs) ?? RequestCheck.Group(group, _config.Limits);
        if (refusal is { } reason)
        {
            return new HeartbeatResult.Refused(reason);
        }

        return TryGetLive(group, out LiveGroup? live)
            ? GroupRebalancer.Heartbeat(live, generation, member, instance, _nowMs)
            : new HeartbeatResult.Refused(GroupRefusal.UnknownMember);
    }

    /// <summary>
    /// Members leave. When that empties the group or ends its rebalance, the answer waits until the new generation is durable; else
    /// the next generation will say it, and a coordinator that takes over before waits for the member until its session ends.
    /// </summary>
    public void Leave(LeaveRequest request, long nowMs, IReply<LeaveResult> reply)
    {
        GroupRefusal? refusal = Enter(nowMs) ?? RequestCheck.Group(request.Group, _config.Limits);
        if (refusal is { } reason)
        {
            reply.Complete(new LeaveResult.Refused(reason));
            return;
        }

        GroupRefusal?[] members = new GroupRefusal?[request.Members.Length];
        if (!TryGetLive(request.Group, out LiveGroup? group))
        {
            Array.Fill(members, GroupRefusal.UnknownMember);
            reply.Complete(new LeaveResult.Left(members));
            return;
        }

        for (int i = 0; i < members.Length; i++)
        {
            members[i] = _rebalancer.Leave(group, request.Members[i], _nowMs);
        }

        HeldReply<LeaveResult> held = new(reply, new LeaveResult.Left(members), LeaveNotCoordinator);
        if (!group.TryHold(held))
        {
            _outbox.Add(held);
        }

        Settle(group);
        _outbox.Flush();
    }

    /// <summary>Stores offsets. Answered when they are durable and applied; a commit counts as a sign of life of its member.</summary>
    public void CommitOffsets(OffsetCommitRequest request, long nowMs, IReply<OffsetCommitResult> reply)
    {
        GroupRefusal? refusal = Enter(nowMs)
            ?? RequestCheck.Group(request.Group, _config.Limits, mayBeEmpty: true)
            ?? CheckCommitter(request)
            ?? _offsets.Commit(request, MayAdd(request.Group), _nowMs, reply);
        if (refusal is { } reason)
        {
            reply.Complete(new OffsetCommitResult.Refused(reason));
        }
    }

    /// <summary>Reads offsets after a majority has confirmed that this is still the leader, so that no acknowledged commit is missed (O-12).</summary>
    public void FetchOffsets(OffsetFetchRequest request, long nowMs, IReply<OffsetFetchResult> reply)
    {
        GroupRefusal? refusal = Enter(nowMs)
            ?? RequestCheck.Group(request.Group, _config.Limits, mayBeEmpty: true)
            ?? _offsets.Fetch(request, reply);
        if (refusal is { } reason)
        {
            reply.Complete(new OffsetFetchResult.Refused(reason));
        }
    }

    /// <summary>
    /// Forgets offsets. In a group with members only those of topics nobody subscribes to, and only where subscriptions can be read.
    /// </summary>
    public void DeleteOffsets(OffsetDeleteRequest request, long nowMs, IReply<OffsetDeleteResult> reply)
    {
        GroupRefusal? refusal = Enter(nowMs)
            ?? RequestCheck.Group(request.Group, _config.Limits)
            ?? (Exists(request.Group) ? null : GroupRefusal.GroupNotFound);
        SortedSet<string> inUse = new(StringComparer.Ordinal);
        if (refusal is null && TryGetLive(request.Group, out LiveGroup? live) && !_offsets.TryReadSubscriptions(live, inUse))
        {
            refusal = GroupRefusal.GroupNotEmpty;
        }

        refusal ??= _offsets.Delete(request, inUse, reply);
        if (refusal is { } reason)
        {
            reply.Complete(new OffsetDeleteResult.Refused(reason));
        }
    }

    /// <summary>Deletes a group without members, with its offsets.</summary>
    public void DeleteGroup(ConsumerGroupId group, long nowMs, IReply<GroupDeleteResult> reply)
    {
        GroupRefusal? refusal = Enter(nowMs)
            ?? RequestCheck.Group(group, _config.Limits, mayBeEmpty: true)
            ?? (Exists(group) ? null : GroupRefusal.GroupNotFound);
        if (refusal is null && TryGetLive(group, out LiveGroup? live))
        {
            refusal = live.Members.Count > 0 || live.Promised.Count > 0 ? GroupRefusal.GroupNotEmpty
                : live.Unwritten is not null ? GroupRefusal.Busy
                : null;
        }

        refusal ??= _proposals.TryPropose(
            new GroupEntry.GroupDeleted(group),
            () => reply.Complete(new GroupDeleteResult.Deleted()),
            () => reply.Complete(DeleteNotCoordinator));
        if (refusal is { } reason)
        {
            reply.Complete(new GroupDeleteResult.Refused(reason));
        }
    }

    /// <summary>What this coordinator believes now; may be ahead of what is durable.</summary>
    public GroupDescribeResult Describe(ConsumerGroupId group)
    {
        if (_closed)
        {
            return new GroupDescribeResult.Refused(GroupRefusal.NotCoordinator);
        }

        if (TryGetLive(group, out LiveGroup? live))
        {
            DescribedMember[] members = [.. live.Members.Select(member => new DescribedMember(
                member.Id,
                member.Instance,
                member.ClientId,
                member.ClientHost,
                member.FindProtocol(live.ProtocolName)?.Metadata ?? [],
                member.Assignment))];
            string protocolName = live.Phase == GroupPhase.Joining ? "" : live.ProtocolName;
            return new GroupDescribeResult.Described(
                group, live.Phase, live.Generation, live.ProtocolType, protocolName, members);
        }

        return _machine.TryGetGroup(group, out GroupState? state)
            ? new GroupDescribeResult.Described(
                group, GroupPhase.Empty, state.Record?.Generation ?? Generation.Zero, state.Record?.ProtocolType ?? "", "", [])
            : new GroupDescribeResult.Refused(GroupRefusal.GroupNotFound);
    }

    /// <summary>All groups of this coordinator.</summary>
    public GroupListResult List()
    {
        if (_closed)
        {
            return new GroupListResult.Refused(GroupRefusal.NotCoordinator);
        }

        SortedDictionary<ConsumerGroupId, ListedGroup> groups = [];
        foreach ((ConsumerGroupId id, GroupState state) in _machine.Groups)
        {
            groups[id] = new(id, GroupPhase.Empty, state.Record?.ProtocolType ?? "");
        }

        foreach ((ConsumerGroupId id, LiveGroup live) in _live)
        {
            groups[id] = new(id, live.Phase, live.ProtocolType);
        }

        return new GroupListResult.Listed([.. groups.Values]);
    }

    /// <summary>
    /// A topic was deleted: its offsets go, by an entry. A new leader calls it too, for each of <see cref="TopicsWithOffsets"/> of whose
    /// deletion its replica has heard, because the call may have come in vain under the leader before.
    /// </summary>
    /// <param name="topicId">The deleted incarnation; zero takes all offsets of that name.</param>
    public void TopicDeleted(string topic, UInt128 topicId, long nowMs)
    {
        if (Enter(nowMs) is null)
        {
            _offsets.TopicDeleted(topic, topicId);
        }
    }

    /// <summary>The topics of all stored offsets, sorted by name, then id (zero where unknown).</summary>
    public SortedSet<(string Topic, UInt128 TopicId)> TopicsWithOffsets() => _offsets.TopicsWithOffsets();

    /// <summary>Does what is due by time: sessions and rebalances that end, records not proposed yet, offsets to expire. Call it about
    /// every 100 ms; what is due is late by at most that.</summary>
    public void Tick(long nowMs)
    {
        if (Enter(nowMs) is not null)
        {
            return;
        }

        List<LiveGroup> due = [.. _live.Values.Where(group => group.NextDeadlineMs <= _nowMs || group.Unwritten is not null)];
        foreach (LiveGroup group in due)
        {
            _rebalancer.Expire(group, _nowMs);
            Settle(group);
        }

        _offsets.ProposeTopicDeletions();
        if (_nowMs >= _nextRetentionMs)
        {
            _nextRetentionMs = _nowMs + _config.RetentionCheckIntervalMs;
            _offsets.ProposeExpiries(_live, _nowMs);
        }

        _outbox.Flush();
    }

    /// <summary>This replica does not lead any more. Answers all that waits; later calls are answered the same way. Idempotent.</summary>
    public void LeadershipLost()
    {
        if (_closed)
        {
            return;
        }

        _closed = true;
        _proposals.LoseAll();
        foreach (LiveGroup group in _live.Values)
        {
            group.WaitForUnwritten.ForEach(reply => reply.Refuse());
            foreach (LiveMember member in group.Members)
            {
                _outbox.Refuse(member.WaitingJoin, GroupRefusal.NotCoordinator);
                _outbox.Refuse(member.WaitingSync, GroupRefusal.NotCoordinator);
            }
        }

        _live.Clear();
        _outbox.Flush();
    }

    private GroupRefusal? Enter(long nowMs)
    {
        // The clock may be set back; sessions and timestamps here never are.
        _nowMs = Math.Max(_nowMs, nowMs);
        return _closed ? GroupRefusal.NotCoordinator : null;
    }

    private bool Exists(ConsumerGroupId group) => TryGetLive(group, out _) || _machine.TryGetGroup(group, out _);

    private bool TryGetLive(ConsumerGroupId id, [NotNullWhen(true)] out LiveGroup? group) =>
        _live.TryGetValue(id, out group);

    private GroupRefusal? TryMakeLive(ConsumerGroupId id, out LiveGroup? group)
    {
        group = null;
        if (!MayAdd(id))
        {
            return GroupRefusal.LimitReached;
        }

        _machine.TryGetGroup(id, out GroupState? state);
        group = state?.Record is { } record ? LiveGroup.From(id, record, _nowMs) : new LiveGroup(id);
        _live.Add(id, group);
        return null;
    }

    private bool MayAdd(ConsumerGroupId group) =>
        Exists(group) || (_machine.GroupCount < _config.Limits.GroupsMax && _live.Count < _config.Limits.GroupsMax);

    /// <summary>Called after each step of a group: proposes what it has to write, forgets it when the replicated state says all.</summary>
    private void Settle(LiveGroup group)
    {
        group.CheckInvariants();
        if (group.Unwritten is { } record && group.WaitForProposed is null)
        {
            List<HeldReply> waiting = group.WaitForUnwritten;
            GroupRefusal? refusal = _proposals.TryProposeRecord(
                new GroupEntry.GroupChanged(group.Id, record),
                () => OnWritten(group),
                () => group.WaitForProposed!.ForEach(reply => reply.Refuse()));
            if (refusal is null)
            {
                group.WaitForProposed = waiting;
                group.WaitForUnwritten = [];
                group.Unwritten = null;
            }
        }

        group.UpdateNextDeadline();
        if (group.IsIdle)
        {
            _live.Remove(group.Id);
        }
    }

    private void OnWritten(LiveGroup group)
    {
        group.WaitForProposed!.ForEach(_outbox.Add);
        group.WaitForProposed = null;
        Settle(group);
    }

    private GroupRefusal? CheckCommitter(OffsetCommitRequest request)
    {
        TryGetLive(request.Group, out LiveGroup? group);
        if (request.Generation.Value < 0 && request.Member.IsNone && request.Instance is null)
        {
            // One who is no member: the group must have none, else it would move the members' offsets behind their backs.
            return group is null || group.Members.Count == 0 ? null : GroupRefusal.UnknownMember;
        }

        if (group is null)
        {
            return _machine.TryGetGroup(request.Group, out _) ? GroupRefusal.UnknownMember : GroupRefusal.IllegalGeneration;
        }

        if (group.Find(request.Member, request.Instance, out LiveMember? member) is { } refusal)
        {
            return refusal;
        }

        if ((request.Generation != group.Generation && !PlantedBug.FencedCommitAccepted) || member!.IsNew)
        {
            return GroupRefusal.IllegalGeneration;
        }

        // In Joining members still commit what they did in the generation that ends; in Syncing there is nothing yet to commit.
        GroupRebalancer.Heard(member, _nowMs);
        return group.Phase == GroupPhase.Syncing ? GroupRefusal.RebalanceInProgress : null;
    }
}
