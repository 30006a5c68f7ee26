using RaftMq.Broker.Groups;

namespace RaftMq.Broker.Tests.Groups;

public sealed class GroupOffsetTests
{
    private const long DayMs = 24L * 60 * 60 * 1000;

    private readonly GroupWorld _world = new();

    [Fact]
    public void Commit_is_answered_only_when_it_is_committed_and_then_readable()
    {
        JoinResult.Joined member = Assert.Single(_world.Stable(1));
        Answer<OffsetCommitResult> answer = _world.CommitOffset(42, member, metadata: "note");
        Assert.True(answer.IsWaiting);
        _world.Commit();
        answer.IsStored();

        CommittedOffset stored = _world.Machine.FindOffset(GroupWorld.G, new("t", 0), 0)!;
        Assert.Equal(new CommittedOffset(42, 3, "note", _world.NowMs, 0), stored);
        Assert.Equal(42, _world.FetchNow());
    }

    [Fact]
    public void Group_nobody_knows_has_no_offsets_and_that_is_no_error()
    {
        Assert.Equal(-1, _world.FetchNow(group: "unknown"));
        Answer<OffsetFetchResult> all = new();
        _world.Coordinator.FetchOffsets(new OffsetFetchRequest { Group = new("unknown"), Offsets = null }, _world.NowMs, all);
        _world.Commit();
        Assert.Empty(Assert.IsType<OffsetFetchResult.Fetched>(all.Result).Offsets);
    }

    [Fact]
    public void All_offsets_come_sorted()
    {
        _world.CommitOffset(1, topic: "b");
        _world.CommitOffset(2, topic: "a", partition: 10);
        _world.CommitOffset(3, topic: "a", partition: 9);
        Answer<OffsetFetchResult> all = new();
        _world.Coordinator.FetchOffsets(new OffsetFetchRequest { Group = GroupWorld.G, Offsets = null }, _world.NowMs, all);
        _world.Commit();
        Assert.Equal(
            [new("a", 9), new("a", 10), new OffsetKey("b", 0)],
            Assert.IsType<OffsetFetchResult.Fetched>(all.Result).Offsets.Select(offset => offset.Key));
    }

    [Fact]
    public void Read_waits_until_leadership_is_confirmed_and_sees_what_was_committed_meanwhile()
    {
        _world.CommitOffset(7);
        Answer<OffsetFetchResult> answer = _world.Fetch();
        Assert.True(answer.IsWaiting);
        _world.Commit();
        Assert.Equal(7, Assert.IsType<OffsetFetchResult.Fetched>(answer.Result).Offsets[0].Committed!.Offset);
    }

    [Fact]
    public void Deposed_coordinator_does_not_answer_reads()
    {
        Answer<OffsetFetchResult> answer = _world.Fetch();
        _world.Failover();
        Assert.Equal(new OffsetFetchResult.Refused(GroupRefusal.NotCoordinator), answer.Result);
    }

    [Fact]
    public void User_without_membership_commits_only_while_the_group_has_no_members()
    {
        Answer<OffsetCommitResult> free = _world.CommitOffset(1);
        _world.Commit();
        free.IsStored();

        JoinResult.Joined member = Assert.Single(_world.Stable(1));
        _world.CommitOffset(2).IsRefused(GroupRefusal.UnknownMember);
        _world.Leave(member.Member.Value);
        Answer<OffsetCommitResult> again = _world.CommitOffset(3);
        _world.Commit();
        again.IsStored();
    }

    [Fact]
    public void Commits_of_others_than_members_of_the_generation_are_refused()
    {
        JoinResult.Joined member = Assert.Single(_world.Stable(1));
        _world.CommitOffset(1, member with { Generation = new(7) }).IsRefused(GroupRefusal.IllegalGeneration);
        _world.CommitOffset(1, member with { Member = new("stranger") }).IsRefused(GroupRefusal.UnknownMember);
        _world.CommitOffset(1, member, instance: "none").IsRefused(GroupRefusal.UnknownMember);
        _world.CommitOffset(1, member, generation: -1).IsRefused(GroupRefusal.IllegalGeneration);
        _world.CommitOffset(1, member, group: "other").IsRefused(GroupRefusal.IllegalGeneration);
        _world.Leave(member.Member.Value);
        _world.Commit();
        _world.CommitOffset(1, member).IsRefused(GroupRefusal.UnknownMember);
        Assert.Equal(-1, _world.FetchNow());
    }

    [Fact]
    public void Members_commit_while_they_join_but_not_before_they_are_assigned()
    {
        JoinResult.Joined first = Assert.Single(_world.Stable(1));
        _world.Join();
        Answer<OffsetCommitResult> joining = _world.CommitOffset(5, first);
        _world.Commit();
        joining.IsStored();

        Answer<JoinResult> again = _world.Join(first.Member.Value);
        _world.Commit();
        _world.CommitOffset(6, again.Joined()).IsRefused(GroupRefusal.RebalanceInProgress);
        _world.CommitOffset(6, first).IsRefused(GroupRefusal.IllegalGeneration);
    }

    [Fact]
    public void Newcomer_cannot_commit_with_the_generation_before_it()
    {
        JoinResult.Joined first = Assert.Single(_world.Stable(1));
        JoinResult.MemberIdRequired promised =
            Assert.IsType<JoinResult.MemberIdRequired>(_world.Join(requireKnown: true).Result);
        _world.Join(promised.Member.Value);
        _world.CommitOffset(9, first with { Member = promised.Member }).IsRefused(GroupRefusal.IllegalGeneration);
    }

    [Fact]
    public void Bad_offsets_are_refused_one_by_one()
    {
        Answer<OffsetCommitResult> answer = new();
        _world.Coordinator.CommitOffsets(
            new OffsetCommitRequest
            {
                Group = GroupWorld.G,
                Generation = Generation.None,
                Member = MemberId.None,
                Offsets =
                [
                    new("t", 0, 0, 1, -1, new string('x', 4097)),
                    new("t", 0, 1, 1, -1, new string('x', 4096)),
                    new("t", 0, -1, 1, -1, ""),
                    new("", 0, 1, 1, -1, ""),
                    new("t", 0, 2, -1, -1, ""),
                    new(new string('ä', 513), 0, 1, 1, -1, ""),
                    new(new string('ä', 512), 0, 1, 1, -1, new string('ä', 2048)),
                    new("t", 0, 3, 1, -1, new string('ä', 2049)),
                ],
            },
            _world.NowMs,
            answer);
        _world.Commit();
        Assert.Equal(
            [
                OffsetCommitOutcome.MetadataTooLarge,
                OffsetCommitOutcome.Stored,
                OffsetCommitOutcome.Invalid,
                OffsetCommitOutcome.Invalid,
                OffsetCommitOutcome.Invalid,
                OffsetCommitOutcome.Invalid,
                OffsetCommitOutcome.Stored,
                OffsetCommitOutcome.MetadataTooLarge,
            ],
            Assert.IsType<OffsetCommitResult.Committed>(answer.Result).Offsets);
        Assert.Equal(2, _world.Machine.OffsetCount);
    }

    [Fact]
    public void At_the_limits_commits_are_refused_but_known_offsets_still_move()
    {
        GroupWorld world = new(new GroupsConfig { Limits = new GroupLimits { OffsetsMax = 1, ProposalsInFlightMax = 1 } });
        Answer<OffsetCommitResult> first = world.CommitOffset(1);
        world.CommitOffset(2).IsRefused(GroupRefusal.Busy);
        Assert.Equal(new OffsetFetchResult.Refused(GroupRefusal.Busy), world.Fetch().Result);
        world.Commit();
        first.IsStored();
        world.CommitOffset(1, partition: 1).IsRefused(GroupRefusal.LimitReached);
        Answer<OffsetCommitResult> known = world.CommitOffset(3);
        world.Commit();
        known.IsStored();
    }

    [Fact]
    public void Commit_that_cannot_be_proposed_or_is_too_large_is_refused()
    {
        _world.Proposer.IsBusy = true;
        _world.CommitOffset(1).IsRefused(GroupRefusal.Busy);
        Assert.Equal(0, _world.Coordinator.ProposalsInFlight);

        GroupWorld world = new(new GroupsConfig { Limits = new GroupLimits { CommitBytesMax = 50 } });
        world.CommitOffset(1).IsRefused(GroupRefusal.TooLarge);
    }

    [Fact]
    public void Recreated_topic_does_not_inherit_offsets_R16()
    {
        _world.CommitOffset(10, topicId: 1);
        _world.Commit();
        Assert.Equal(10, _world.FetchNow(topicId: 1));
        Assert.Equal(10, _world.FetchNow(topicId: 0));
        Assert.Equal(-1, _world.FetchNow(topicId: 2));

        _world.CommitOffset(3, topicId: 2);
        _world.Commit();
        Assert.Equal(3, _world.FetchNow(topicId: 2));
        Assert.Equal(-1, _world.FetchNow(topicId: 1));
    }

    [Fact]
    public void Deleted_topic_takes_its_offsets_along_and_leaves_those_of_its_successor()
    {
        _world.CommitOffset(1, topicId: 1);
        _world.CommitOffset(2, topicId: 2, partition: 1);
        _world.CommitOffset(3, partition: 2);
        _world.CommitOffset(4, topic: "u", topicId: 9);
        _world.CommitOffset(5, topicId: 1, group: "other");
        _world.Commit();
        Assert.Equal([("t", 0), ("t", 1), ("t", 2), ("u", (UInt128)9)], _world.Coordinator.TopicsWithOffsets());

        _world.Proposer.IsBusy = true;
        _world.Coordinator.TopicDeleted("t", 1, _world.NowMs);
        _world.Proposer.IsBusy = false;
        _world.Pass(100);
        _world.Commit();

        Assert.Equal(-1, _world.FetchNow());
        Assert.Equal(2, _world.FetchNow(partition: 1));
        Assert.Equal(-1, _world.FetchNow(partition: 2));
        Assert.Equal(4, _world.FetchNow("u"));
        Assert.False(_world.Machine.TryGetGroup(new("other"), out _));
        Assert.Equal(2, _world.Machine.OffsetCount);
    }

    [Fact]
    public void Deleted_topic_without_offsets_costs_no_entry()
    {
        _world.CommitOffset(1);
        _world.Commit();
        _world.Coordinator.TopicDeleted("other", 1, _world.NowMs);
        Assert.Equal(0, _world.Proposer.Waiting);
    }

    [Fact]
    public void Offsets_of_topics_in_use_are_not_deleted()
    {
        JoinResult.Joined member = Assert.Single(_world.Stable(1));
        _world.CommitOffset(1, member);
        _world.CommitOffset(2, member, topic: "old");
        _world.Commit();
        Answer<OffsetDeleteResult> inUse = _world.DeleteOffset();
        Answer<OffsetDeleteResult> old = _world.DeleteOffset("old");
        Assert.True(old.IsWaiting);
        _world.Commit();
        Assert.Equal(
            [OffsetDeleteOutcome.SubscribedToTopic], Assert.IsType<OffsetDeleteResult.Deleted>(inUse.Result).Offsets);
        Assert.Equal([OffsetDeleteOutcome.Deleted], Assert.IsType<OffsetDeleteResult.Deleted>(old.Result).Offsets);
        Assert.Equal(1, _world.FetchNow());
        Assert.Equal(-1, _world.FetchNow("old"));
    }

    [Fact]
    public void Offsets_of_members_whose_wishes_are_unknown_and_of_unknown_groups_are_not_deleted()
    {
        Assert.Equal(new OffsetDeleteResult.Refused(GroupRefusal.GroupNotFound), _world.DeleteOffset().Result);
        _world.Stable(1, metadata: "?");
        Assert.Equal(new OffsetDeleteResult.Refused(GroupRefusal.GroupNotEmpty), _world.DeleteOffset().Result);
    }

    [Fact]
    public void Group_without_members_is_deleted_with_its_offsets()
    {
        Assert.Equal(new GroupDeleteResult.Refused(GroupRefusal.GroupNotFound), _world.DeleteGroup().Result);
        JoinResult.Joined member = Assert.Single(_world.Stable(1));
        _world.CommitOffset(1, member);
        _world.Commit();
        Assert.Equal(new GroupDeleteResult.Refused(GroupRefusal.GroupNotEmpty), _world.DeleteGroup().Result);
        _world.Leave(member.Member.Value);
        _world.Commit();

        Answer<GroupDeleteResult> deleted = _world.DeleteGroup();
        Assert.True(deleted.IsWaiting);
        _world.Commit();
        Assert.IsType<GroupDeleteResult.Deleted>(deleted.Result);
        Assert.Equal(-1, _world.FetchNow());
        Assert.Equal(new GroupDescribeResult.Refused(GroupRefusal.GroupNotFound), _world.Coordinator.Describe(GroupWorld.G));
        Assert.Equal(0UL, _world.Machine.StateHash);
    }

    [Fact]
    public void Group_that_a_member_joins_while_its_deletion_is_proposed_lives()
    {
        _world.CommitOffset(1);
        _world.Commit();
        _world.DeleteGroup();
        Answer<JoinResult> joined = _world.Join();
        _world.Commit();
        _world.SyncAll([joined.Joined()]);
        Assert.Equal(GroupPhase.Stable, _world.Describe().Phase);
        Assert.Equal(-1, _world.FetchNow());
    }

    [Fact]
    public void Offsets_expire_a_retention_after_the_group_became_empty()
    {
        JoinResult.Joined member = Assert.Single(_world.Stable(1));
        _world.CommitOffset(1, member);
        for (int i = 0; i < 8 * 24 * 3600 / 8; i++)
        {
            _world.NowMs += 8000;
            Assert.IsType<HeartbeatResult.Alive>(_world.Heartbeat(member));
        }

        _world.Pass(0);
        _world.Commit();
        Assert.Equal(1, _world.FetchNow());

        _world.Leave(member.Member.Value);
        _world.Commit();
        _world.Pass((7 * DayMs) - 1);
        _world.Commit();
        Assert.Equal(1, _world.FetchNow());
        _world.Pass(600_000);
        _world.Commit();
        Assert.Equal(-1, _world.FetchNow());
        Assert.Equal(0, _world.Machine.GroupCount);
    }

    [Fact]
    public void Offsets_of_a_group_that_never_had_members_expire_one_by_one()
    {
        _world.CommitOffset(1);
        _world.Commit();
        _world.Pass(3 * DayMs);
        _world.CommitOffset(2, partition: 1);
        _world.Commit();
        _world.Pass(4 * DayMs);
        _world.Commit();
        Assert.Equal(-1, _world.FetchNow());
        Assert.Equal(2, _world.FetchNow(partition: 1));
    }

    [Fact]
    public void Offsets_of_topics_nobody_subscribes_to_expire_under_living_members()
    {
        JoinResult.Joined member = Assert.Single(_world.Stable(1));
        _world.CommitOffset(1, member);
        _world.CommitOffset(2, member, topic: "old");
        _world.Commit();
        for (int i = 0; i < 7 * 24 * 3600 / 9; i++)
        {
            _world.NowMs += 9000;
            _world.Heartbeat(member);
        }

        _world.Pass(0);
        _world.NowMs += 9000;
        _world.Heartbeat(member);
        _world.Pass(1_000);
        _world.Commit();
        Assert.Equal(1, _world.FetchNow());
        Assert.Equal(-1, _world.FetchNow("old"));
    }

    [Fact]
    public void Offset_with_a_commit_under_way_does_not_expire()
    {
        _world.CommitOffset(1);
        _world.Commit();
        _world.NowMs += 7 * DayMs;
        Answer<OffsetCommitResult> underWay = _world.CommitOffset(2);
        _world.Pass(0);
        _world.Commit();
        underWay.IsStored();
        Assert.Equal(2, _world.FetchNow());
    }

    [Fact]
    public void Groups_are_listed_with_their_phases()
    {
        _world.CommitOffset(1, group: "simple");
        _world.Commit();
        _world.Stable(1);
        Assert.Equal(
            [
                new ListedGroup(GroupWorld.G, GroupPhase.Stable, "consumer"),
                new ListedGroup(new("simple"), GroupPhase.Empty, ""),
            ],
            Assert.IsType<GroupListResult.Listed>(_world.Coordinator.List()).Groups);
    }

    [Fact]
    public void Coordinator_partition_never_changes()
    {
        Assert.Equal(
            [3, 4, 13, 29],
            new[] { "", "g", "orders", "zahlungen-ä" }.Select(group => CoordinatorPartition.Of(new(group), 50)));
        int[] counts = new int[50];
        for (int i = 0; i < 5000; i++)
        {
            counts[CoordinatorPartition.Of(new($"group-{i}"), 50)]++;
        }

        Assert.InRange(counts.Min(), 60, 100);
        Assert.InRange(counts.Max(), 100, 140);
    }
}
