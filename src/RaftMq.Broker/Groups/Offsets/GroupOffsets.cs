namespace RaftMq.Broker.Groups;

/// <summary>
/// The offsets' half of a coordinator: commit, read, delete, expire. Whether a request may do what it wants with regard to the group's
/// members is decided by the coordinator before it comes here.
/// </summary>
internal sealed class GroupOffsets(
    GroupStateMachine machine, GroupsConfig config, ProposalWindow proposals, ISubscriptionReader subscriptions)
{
    private static readonly OffsetCommitResult CommitNotCoordinator =
        new OffsetCommitResult.Refused(GroupRefusal.NotCoordinator);

    private static readonly OffsetFetchResult FetchNotCoordinator = new OffsetFetchResult.Refused(GroupRefusal.NotCoordinator);
    private static readonly OffsetDeleteResult DeleteNotCoordinator = new OffsetDeleteResult.Refused(GroupRefusal.NotCoordinator);

    /// <summary>Commits proposed and not applied, per group: what is under way must not be expired as missing or old.</summary>
    private readonly Dictionary<ConsumerGroupId, int> _commitsInFlight = [];

    /// <summary>Deleted topics whose entry could not be proposed yet. A topic stands here once, so there are no more than topics.</summary>
    private readonly SortedSet<(string Topic, UInt128 TopicId)> _deletedTopics = new(TopicOrder);

    private int _expiriesInFlight;

    private static Comparer<(string Topic, UInt128 TopicId)> TopicOrder { get; } =
        Comparer<(string Topic, UInt128 TopicId)>.Create((left, right) =>
        {
            int byTopic = string.CompareOrdinal(left.Topic, right.Topic);
            return byTopic != 0 ? byTopic : left.TopicId.CompareTo(right.TopicId);
        });

    /// <summary>Refuses, or answers when the offsets are durable and applied.</summary>
    public GroupRefusal? Commit(OffsetCommitRequest request, bool mayAddGroup, long nowMs, IReply<OffsetCommitResult> reply)
    {
        OffsetCommitOutcome[] outcomes = new OffsetCommitOutcome[request.Offsets.Length];
        List<KeyValuePair<OffsetKey, CommittedOffset>> stored = new(request.Offsets.Length);
        for (int i = 0; i < outcomes.Length; i++)
        {
            OffsetToCommit offset = request.Offsets[i];
            outcomes[i] = RequestCheck.Offset(offset, config.Limits);
            if (outcomes[i] == OffsetCommitOutcome.Stored)
            {
                int leaderEpoch = Math.Max(-1, offset.LeaderEpoch);
                stored.Add(new(
                    new(offset.Topic, offset.Partition),
                    new(offset.Offset, leaderEpoch, offset.Metadata, nowMs, offset.TopicId)));
            }
        }

        OffsetCommitResult committed = new OffsetCommitResult.Committed(outcomes);
        if (stored.Count == 0)
        {
            reply.Complete(committed);
            return null;
        }

        if (!HasRoom(request.Group, stored, mayAddGroup))
        {
            return GroupRefusal.LimitReached;
        }

        ConsumerGroupId group = request.Group;
        GroupRefusal? refusal = proposals.TryPropose(
            new GroupEntry.OffsetsCommitted(group, [.. stored]),
            () =>
            {
                CommitEnded(group);
                reply.Complete(committed);
            },
            () => reply.Complete(CommitNotCoordinator));
        if (refusal is null)
        {
            _commitsInFlight[group] = _commitsInFlight.GetValueOrDefault(group) + 1;
        }

        return refusal;
    }

    /// <summary>Refuses, or answers when leadership is confirmed.</summary>
    public GroupRefusal? Fetch(OffsetFetchRequest request, IReply<OffsetFetchResult> reply) =>
        proposals.TryConfirmLeader(() => reply.Complete(Read(request)), () => reply.Complete(FetchNotCoordinator));

    /// <summary>Refuses, or answers when the offsets are gone. Those of topics in <paramref name="inUse"/> stay.</summary>
    public GroupRefusal? Delete(OffsetDeleteRequest request, SortedSet<string> inUse, IReply<OffsetDeleteResult> reply)
    {
        OffsetDeleteResult deleted = new OffsetDeleteResult.Deleted(Array.ConvertAll(
            request.Offsets,
            key => inUse.Contains(key.Topic) ? OffsetDeleteOutcome.SubscribedToTopic : OffsetDeleteOutcome.Deleted));
        OffsetKey[] keys = [.. request.Offsets.Where(
            key => RequestCheck.CanBeStored(key, config.Limits) && !inUse.Contains(key.Topic))];
        if (keys.Length == 0)
        {
            reply.Complete(deleted);
            return null;
        }

        return proposals.TryPropose(
            new GroupEntry.OffsetsDeleted(request.Group, keys),
            () => reply.Complete(deleted),
            () => reply.Complete(DeleteNotCoordinator));
    }

    public void TopicDeleted(string topic, UInt128 topicId)
    {
        if (_commitsInFlight.Count > 0 || HasOffsets(topic))
        {
            _deletedTopics.Add((topic, topicId));
            ProposeTopicDeletions();
        }
    }

    /// <summary>Proposes what could not be proposed when it came.</summary>
    public void ProposeTopicDeletions()
    {
        while (_deletedTopics.Count > 0)
        {
            (string topic, UInt128 topicId) = _deletedTopics.Min;
            GroupRefusal? refusal = proposals.TryPropose(
                new GroupEntry.TopicOffsetsDeleted(topic, topicId), static () => { }, static () => { });
            if (refusal is not null)
            {
                return;
            }

            _deletedTopics.Remove((topic, topicId));
        }
    }

    public SortedSet<(string Topic, UInt128 TopicId)> TopicsWithOffsets()
    {
        SortedSet<(string Topic, UInt128 TopicId)> topics = new(TopicOrder);
        foreach (GroupState state in machine.Groups.Values)
        {
            foreach ((OffsetKey key, CommittedOffset offset) in state.Offsets)
            {
                topics.Add((key.Topic, offset.TopicId));
            }
        }

        return topics;
    }

    /// <summary>Looks through all groups for offsets to expire, one round after another.</summary>
    public void ProposeExpiries(IReadOnlyDictionary<ConsumerGroupId, LiveGroup> live, long nowMs)
    {
        if (_expiriesInFlight > 0)
        {
            return;
        }

        foreach ((ConsumerGroupId id, GroupState state) in machine.Groups)
        {
            live.TryGetValue(id, out LiveGroup? group);
            SortedSet<string> inUse = new(StringComparer.Ordinal);
            bool decided = !_commitsInFlight.ContainsKey(id)
                && (group is null || (group.IsSettled && TryReadSubscriptions(group, inUse)));
            GroupEntry? entry = decided
                ? OffsetRetention.Decide(id, state, inUse, nowMs, config.OffsetsRetentionMs)
                : null;
            if (entry is null)
            {
                continue;
            }

            if (proposals.TryPropose(entry, () => _expiriesInFlight--, static () => { }) is not null)
            {
                return;
            }

            _expiriesInFlight++;
        }
    }

    /// <summary>Adds the topics that members subscribe to. False when some member's wishes can't be read; then it may want anything.</summary>
    public bool TryReadSubscriptions(LiveGroup group, SortedSet<string> topics)
    {
        foreach (LiveMember member in group.Members)
        {
            foreach (MemberProtocol protocol in member.Protocols)
            {
                if (!subscriptions.TryReadTopics(group.ProtocolType, protocol.Metadata, topics))
                {
                    return false;
                }
            }
        }

        return true;
    }

    private bool HasRoom(
        ConsumerGroupId id, List<KeyValuePair<OffsetKey, CommittedOffset>> offsets, bool mayAddGroup)
    {
        machine.TryGetGroup(id, out GroupState? state);
        int added = state is null ? offsets.Count : offsets.Count(offset => !state.Offsets.ContainsKey(offset.Key));
        return (mayAddGroup || state is not null) && (added == 0 || machine.OffsetCount + added <= config.Limits.OffsetsMax);
    }

    private void CommitEnded(ConsumerGroupId group)
    {
        int left = _commitsInFlight[group] - 1;
        if (left == 0)
        {
            _commitsInFlight.Remove(group);
        }
        else
        {
            _commitsInFlight[group] = left;
        }
    }

    private OffsetFetchResult.Fetched Read(OffsetFetchRequest request)
    {
        if (request.Offsets is { } asked)
        {
            return new(Array.ConvertAll(asked, offset =>
            {
                OffsetKey key = new(offset.Topic, offset.Partition);
                return new FetchedOffset(key, machine.FindOffset(request.Group, key, offset.TopicId));
            }));
        }

        return new(
            machine.TryGetGroup(request.Group, out GroupState? state)
                ? [.. state.Offsets.Select(pair => new FetchedOffset(pair.Key, pair.Value))]
                : []);
    }

    private bool HasOffsets(string topic)
    {
        foreach (GroupState state in machine.Groups.Values)
        {
            foreach (OffsetKey key in state.Offsets.Keys)
            {
                if (key.Topic == topic)
                {
                    return true;
                }
            }
        }

        return false;
    }
}
