using RaftMq.Raft;

namespace RaftMq.Broker.Groups;

/// <summary>
/// The transitions of a group (the classic consumer group protocol):
/// 1. a first join, a changed or leaving member, or an ended session begins a rebalance (Joining);
/// 2. when all members have joined again, or the rebalance timeout is over, the next generation is fixed and written (Syncing),
///    then the joins are answered;
/// 3. the leader's sync brings the assignment, which is written (Stable), then the syncs are answered.
/// Departure from the usual way: the generation is durable before members hear of it, not only its assignment; so a new coordinator
/// never gives the same number to another rebalance.
/// </summary>
internal sealed class GroupRebalancer(
    GroupsConfig config, RandomSource random, ISubscriptionReader subscriptions, ReplyOutbox outbox)
{
    private static readonly JoinResult JoinNotCoordinator = new JoinResult.Refused(GroupRefusal.NotCoordinator);
    private static readonly SyncResult SyncNotCoordinator = new SyncResult.Refused(GroupRefusal.NotCoordinator);
    private static readonly JoinResult JoinAgain = new JoinResult.Refused(GroupRefusal.RebalanceInProgress);
    private static readonly SyncResult SyncAgain = new SyncResult.Refused(GroupRefusal.RebalanceInProgress);
    private static readonly HeartbeatResult Alive = new HeartbeatResult.Alive();

    public void Join(LiveGroup group, JoinRequest request, long nowMs, IReply<JoinResult> reply)
    {
        LiveMember? self = null;
        if (request.Instance is { } instance)
        {
            group.TryGetMember(instance, out self);
        }
        else if (!request.Member.IsNone)
        {
            group.TryGetMember(request.Member, out self);
        }

        if (!group.Accepts(request.ProtocolType, request.Protocols, self))
        {
            outbox.Refuse(reply, GroupRefusal.InconsistentProtocol);
            return;
        }

        int bytes = request.Protocols.Sum(protocol => protocol.Metadata.Length);
        if (group.Bytes() - (self?.Bytes ?? 0) + bytes > config.Limits.GroupBytesMax)
        {
            outbox.Refuse(reply, GroupRefusal.TooLarge);
            return;
        }

        if (!request.Member.IsNone)
        {
            JoinKnown(group, request, nowMs, reply);
        }
        else if (self is not null)
        {
            ReplaceStatic(group, self, request, nowMs, reply);
        }
        else
        {
            JoinNew(group, request, nowMs, reply);
        }
    }

    public void Sync(LiveGroup group, SyncRequest request, long nowMs, IReply<SyncResult> reply)
    {
        GroupRefusal? refusal = group.Find(request.Member, request.Instance, out LiveMember? member);
        refusal ??= request.Generation == group.Generation ? null : GroupRefusal.IllegalGeneration;
        refusal ??= group.Phase == GroupPhase.Joining ? GroupRefusal.RebalanceInProgress : null;
        refusal ??= (request.ProtocolType ?? group.ProtocolType) == group.ProtocolType
            && (request.ProtocolName ?? group.ProtocolName) == group.ProtocolName ? null : GroupRefusal.InconsistentProtocol;
        if (refusal is { } reason)
        {
            outbox.Refuse(reply, reason);
            return;
        }

        member!.OwesSync = false;
        Heard(member, nowMs);
        if (group.Phase == GroupPhase.Stable)
        {
            Answer(group, member, reply);
            return;
        }

        Invariant.Holds(group.Phase == GroupPhase.Syncing);
        outbox.Refuse(member.WaitingSync, GroupRefusal.RebalanceInProgress);
        member.WaitingSync = reply;
        if (member.Id == group.Leader)
        {
            Assign(group, member, request.Assignments, nowMs);
        }
    }

    public static HeartbeatResult Heartbeat(
        LiveGroup group, Generation generation, MemberId id, InstanceId? instance, long nowMs)
    {
        GroupRefusal? refusal = group.Find(id, instance, out LiveMember? member);
        refusal ??= generation == group.Generation ? null : GroupRefusal.IllegalGeneration;
        if (refusal is { } reason)
        {
            return new HeartbeatResult.Refused(reason);
        }

        Heard(member!, nowMs);
        return group.Phase == GroupPhase.Joining ? new HeartbeatResult.Refused(GroupRefusal.RebalanceInProgress) : Alive;
    }

    /// <summary>Null when the member left.</summary>
    public GroupRefusal? Leave(LiveGroup group, LeavingMember leaving, long nowMs)
    {
        if (leaving.Instance is null && group.Promised.Remove(leaving.Member))
        {
            TryCompleteJoin(group, nowMs);
            return null;
        }

        LiveMember? member;
        if (leaving.Member.IsNone)
        {
            if (leaving.Instance is not { } instance || !group.TryGetMember(instance, out member))
            {
                return GroupRefusal.UnknownMember;
            }
        }
        else if (group.Find(leaving.Member, leaving.Instance, out member) is { } refusal)
        {
            return refusal;
        }

        RemoveAndRebalance(group, member!, nowMs);
        return null;
    }

    /// <summary>Does what is due by time.</summary>
    public void Expire(LiveGroup group, long nowMs)
    {
        foreach (MemberId promised in group.Promised.Where(pair => pair.Value <= nowMs).Select(pair => pair.Key).ToList())
        {
            group.Promised.Remove(promised);
        }

        foreach (LiveMember member in group.Members.ToArray())
        {
            // A removal may have ended the rebalance, which removes others or gives them a new session: each is looked at as it is now.
            if (group.Has(member) && member.CanExpire && member.DeadlineMs <= nowMs)
            {
                RemoveAndRebalance(group, member, nowMs);
            }
        }

        TryCompleteJoin(group, nowMs);
        if (group.Phase is GroupPhase.Syncing or GroupPhase.Stable && nowMs >= group.SyncDeadlineMs)
        {
            foreach (LiveMember member in group.Members.Where(member => member.OwesSync).ToArray())
            {
                if (group.Has(member))
                {
                    RemoveAndRebalance(group, member, nowMs);
                }
            }
        }
    }

    /// <summary>A member that was just answered has a whole session from here.</summary>
    public static void Heard(LiveMember member, long nowMs)
    {
        if (!member.IsNew)
        {
            member.DeadlineMs = nowMs + member.SessionTimeoutMs;
        }
    }

    private void JoinNew(LiveGroup group, JoinRequest request, long nowMs, IReply<JoinResult> reply)
    {
        if (group.Members.Count + group.Promised.Count >= config.Limits.MembersPerGroupMax)
        {
            outbox.Refuse(reply, GroupRefusal.GroupFull);
            return;
        }

        MemberId id = NewMemberId(request);
        if (request.Instance is null && request.RequireKnownMember)
        {
            group.Promised.Add(id, nowMs + request.SessionTimeoutMs);
            outbox.Add(reply, new JoinResult.MemberIdRequired(id));
            return;
        }

        AddAndRebalance(group, id, request, nowMs, reply);
    }

    private void JoinKnown(LiveGroup group, JoinRequest request, long nowMs, IReply<JoinResult> reply)
    {
        if (request.Instance is null && group.Promised.Remove(request.Member))
        {
            AddAndRebalance(group, request.Member, request, nowMs, reply);
            return;
        }

        if (group.Find(request.Member, request.Instance, out LiveMember? member) is { } refusal)
        {
            outbox.Refuse(reply, refusal);
            return;
        }

        // An unchanged member that joins in a finished generation only missed the answer. The leader's join in a stable group is
        // a wish for a rebalance: it saw that what it assigns has changed.
        bool unchanged = MemberProtocol.Same(member!.Protocols, request.Protocols);
        bool missedAnswer = unchanged
            && (group.Phase == GroupPhase.Syncing || (group.Phase == GroupPhase.Stable && member.Id != group.Leader));
        if (missedAnswer)
        {
            Heard(member, nowMs);
            Answer(group, member, member.Id == group.Leader ? group.ToJoinedMembers() : [], group.Leader, skip: false, reply);
            return;
        }

        Update(member, request, nowMs);
        Wait(group, member, nowMs, reply);
    }

    private void ReplaceStatic(
        LiveGroup group, LiveMember member, JoinRequest request, long nowMs, IReply<JoinResult> reply)
    {
        outbox.Refuse(member.WaitingJoin, GroupRefusal.FencedInstance);
        outbox.Refuse(member.WaitingSync, GroupRefusal.FencedInstance);
        member.WaitingJoin = null;
        member.WaitingSync = null;

        MemberId leaderBefore = group.Leader;
        MemberProtocol? before = member.FindProtocol(group.ProtocolName);
        group.Rename(member, NewMemberId(request));
        Update(member, request, nowMs);
        bool goesOn = group.Phase == GroupPhase.Stable
            && group.SelectProtocol() == group.ProtocolName
            && SubscribesAlike(group.ProtocolType, before!.Metadata, member.FindProtocol(group.ProtocolName)!.Metadata);
        if (!goesOn)
        {
            Wait(group, member, nowMs, reply);
            return;
        }

        // The new member id is written before anyone hears of it: a new coordinator must not fence the wrong one.
        member.OwesSync = false;
        group.MarkChanged(nowMs);
        bool skip = request.CanSkipAssignment && member.Id == group.Leader;
        MemberId leaderShown = request.CanSkipAssignment ? group.Leader : leaderBefore;
        Answer(group, member, skip ? group.ToJoinedMembers() : [], leaderShown, skip, reply);
    }

    private void AddAndRebalance(
        LiveGroup group, MemberId id, JoinRequest request, long nowMs, IReply<JoinResult> reply)
    {
        if (group.Members.Count == 0)
        {
            group.ProtocolType = request.ProtocolType;
        }

        LiveMember member = new(id, request.Instance) { IsNew = true };
        Update(member, request, nowMs);
        member.DeadlineMs = nowMs + config.Limits.NewMemberJoinMsMax;
        group.Add(member);
        if (group is { Phase: GroupPhase.Joining, IsGathering: true })
        {
            Gather(group, nowMs);
        }

        Wait(group, member, nowMs, reply);
    }

    private void Update(LiveMember member, JoinRequest request, long nowMs)
    {
        member.ClientId = Cut(request.ClientId);
        member.ClientHost = Cut(request.ClientHost);
        member.SessionTimeoutMs = request.SessionTimeoutMs;
        int rebalanceTimeoutMs = request.RebalanceTimeoutMs > 0 ? request.RebalanceTimeoutMs : request.SessionTimeoutMs;
        member.RebalanceTimeoutMs = Math.Min(rebalanceTimeoutMs, config.Limits.RebalanceTimeoutMsMax);
        member.Protocols = request.Protocols;
        Heard(member, nowMs);
    }

    /// <summary>The member's join waits for the next generation.</summary>
    private void Wait(LiveGroup group, LiveMember member, long nowMs, IReply<JoinResult> reply)
    {
        if (group.Phase != GroupPhase.Joining)
        {
            BeginJoin(group, nowMs);
        }

        outbox.Refuse(member.WaitingJoin, GroupRefusal.RebalanceInProgress);
        member.WaitingJoin = reply;
        TryCompleteJoin(group, nowMs);
    }

    private void RemoveAndRebalance(LiveGroup group, LiveMember member, long nowMs)
    {
        outbox.Refuse(member.WaitingJoin, GroupRefusal.UnknownMember);
        outbox.Refuse(member.WaitingSync, GroupRefusal.UnknownMember);
        member.WaitingJoin = null;
        member.WaitingSync = null;
        group.Remove(member);
        if (group.Phase != GroupPhase.Joining)
        {
            BeginJoin(group, nowMs);
        }

        if (group.Members.Count == 0)
        {
            // Nobody is left to wait for.
            group.IsGathering = false;
            group.JoinDeadlineMs = nowMs;
        }

        TryCompleteJoin(group, nowMs);
    }

    private void BeginJoin(LiveGroup group, long nowMs)
    {
        foreach (LiveMember member in group.Members)
        {
            if (member.WaitingSync is { } sync)
            {
                // While it waited it could not be heard: it has a whole session to join again.
                Heard(member, nowMs);
                outbox.Refuse(sync, GroupRefusal.RebalanceInProgress);
                member.WaitingSync = null;
            }

            member.OwesSync = false;
        }

        bool wasEmpty = group.Phase == GroupPhase.Empty;
        group.Phase = GroupPhase.Joining;
        group.JoinNotBeforeMs = nowMs;
        group.JoinDeadlineMs = nowMs + group.RebalanceTimeoutMs();
        group.IsGathering = wasEmpty && config.InitialRebalanceDelayMs > 0;
        if (group.IsGathering)
        {
            Gather(group, nowMs);
        }
    }

    private void Gather(LiveGroup group, long nowMs) =>
        group.JoinNotBeforeMs = Math.Min(nowMs + config.InitialRebalanceDelayMs, group.JoinDeadlineMs);

    private void TryCompleteJoin(LiveGroup group, long nowMs)
    {
        if (group.Phase != GroupPhase.Joining)
        {
            return;
        }

        bool complete = group.AllJoined() && nowMs >= group.JoinNotBeforeMs;
        if (!complete && nowMs < group.JoinDeadlineMs)
        {
            return;
        }

        foreach (LiveMember absent in group.Members.Where(NeedNotBeKept).ToArray())
        {
            group.Remove(absent);
        }

        if (group.Members.Count > 0 && group.Members.TrueForAll(member => member.WaitingJoin is null))
        {
            // Only static members, and none of them is here: they keep their places until their sessions end.
            group.JoinDeadlineMs = nowMs + Math.Max(1, group.RebalanceTimeoutMs());
            return;
        }

        FixGeneration(group, nowMs);
    }

    /// <summary>A static member that did not join in time may be restarting: its session decides (KIP-345).</summary>
    private static bool NeedNotBeKept(LiveMember member) => member.WaitingJoin is null && member.Instance is null;

    private void FixGeneration(LiveGroup group, long nowMs)
    {
        group.Generation = group.Generation.Next;
        group.TakeSuperseded().ForEach(outbox.Add);
        group.IsGathering = false;
        if (group.Members.Count == 0)
        {
            group.Phase = GroupPhase.Empty;
            group.ProtocolName = "";
            Invariant.Holds(group.Leader.IsNone);
            group.MarkChanged(nowMs);
            return;
        }

        group.Phase = GroupPhase.Syncing;
        group.ProtocolName = group.SelectProtocol();
        group.SyncDeadlineMs = nowMs + group.RebalanceTimeoutMs();
        if (!group.TryGetMember(group.Leader, out LiveMember? leader) || leader.WaitingJoin is null)
        {
            group.Leader = group.Members.First(member => member.WaitingJoin is not null).Id;
        }

        List<(LiveMember Member, IReply<JoinResult> Reply)> joined = [];
        foreach (LiveMember member in group.Members)
        {
            member.Assignment = [];
            member.IsNew = false;
            member.OwesSync = member.WaitingJoin is not null;
            if (member.WaitingJoin is { } reply)
            {
                Heard(member, nowMs);
                joined.Add((member, reply));
                member.WaitingJoin = null;
            }
        }

        group.MarkChanged(nowMs);
        foreach ((LiveMember member, IReply<JoinResult> reply) in joined)
        {
            Answer(group, member, member.Id == group.Leader ? group.ToJoinedMembers() : [], group.Leader, skip: false, reply);
        }
    }

    private void Assign(LiveGroup group, LiveMember leader, MemberAssignment[] assignments, long nowMs)
    {
        long bytes = group.Bytes() + assignments.Sum(assignment => (long)assignment.Assignment.Length);
        if (bytes > config.Limits.GroupBytesMax)
        {
            outbox.Refuse(leader.WaitingSync, GroupRefusal.TooLarge);
            leader.WaitingSync = null;
            leader.OwesSync = true;
            return;
        }

        foreach (MemberAssignment assignment in assignments)
        {
            if (group.TryGetMember(assignment.Member, out LiveMember? member))
            {
                member.Assignment = assignment.Assignment;
            }
        }

        group.Phase = GroupPhase.Stable;
        group.MarkChanged(nowMs);
        foreach (LiveMember member in group.Members)
        {
            if (member.WaitingSync is { } reply)
            {
                Heard(member, nowMs);
                Answer(group, member, reply);
                member.WaitingSync = null;
            }
        }
    }

    private void Answer(
        LiveGroup group,
        LiveMember member,
        JoinedMember[] members,
        MemberId leader,
        bool skip,
        IReply<JoinResult> reply)
    {
        JoinResult result = new JoinResult.Joined(
            group.Generation, group.ProtocolType, group.ProtocolName, leader, member.Id, skip, members);
        Answer(group, new HeldReply<JoinResult>(reply, result, JoinNotCoordinator, JoinAgain));
    }

    private void Answer(LiveGroup group, LiveMember member, IReply<SyncResult> reply)
    {
        SyncResult result = new SyncResult.Synced(group.ProtocolType, group.ProtocolName, member.Assignment);
        Answer(group, new HeldReply<SyncResult>(reply, result, SyncNotCoordinator, SyncAgain));
    }

    private void Answer(LiveGroup group, HeldReply reply)
    {
        if (!group.TryHold(reply))
        {
            outbox.Add(reply);
        }
    }

    /// <summary>
    /// A static member's new process may want other topics than the one before; then the group must rebalance although its protocol
    /// stays. Bytes that are no subscription say nothing about it.
    /// </summary>
    private bool SubscribesAlike(string protocolType, byte[] before, byte[] after)
    {
        SortedSet<string> topicsBefore = new(StringComparer.Ordinal);
        SortedSet<string> topicsAfter = new(StringComparer.Ordinal);
        return !subscriptions.TryReadTopics(protocolType, before, topicsBefore)
            || !subscriptions.TryReadTopics(protocolType, after, topicsAfter)
            || topicsBefore.SetEquals(topicsAfter);
    }

    private MemberId NewMemberId(JoinRequest request) =>
        new($"{request.Instance?.Value ?? Cut(request.ClientId)}-{random.NextUInt128():x32}");

    private string Cut(string text)
    {
        int length = Math.Min(text.Length, config.Limits.ClientTextCharsMax);
        if (length < text.Length && char.IsHighSurrogate(text[length - 1]))
        {
            // Half a character would come back from the wire as another one.
            length--;
        }

        return text[..length];
    }
}
