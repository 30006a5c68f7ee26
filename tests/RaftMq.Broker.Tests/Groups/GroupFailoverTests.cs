using RaftMq.Broker.Groups;

namespace RaftMq.Broker.Tests.Groups;

/// <summary>L-02: the coordinator moves in the middle of things.</summary>
public sealed class GroupFailoverTests
{
    private readonly GroupWorld _world = new();

    [Fact]
    public void Everything_that_waits_and_comes_later_is_answered_not_coordinator()
    {
        JoinResult.Joined[] members = _world.Stable(2);
        Answer<JoinResult> held = _world.Join(group: "other");
        Answer<OffsetCommitResult> commit = _world.CommitOffset(1, members[0]);
        Answer<OffsetFetchResult> fetch = _world.Fetch();
        Answer<JoinResult> waiting = _world.Join(members[0].Member.Value);
        GroupCoordinator old = _world.Coordinator;
        _world.Failover();

        held.IsRefused(GroupRefusal.NotCoordinator);
        waiting.IsRefused(GroupRefusal.NotCoordinator);
        commit.IsRefused(GroupRefusal.NotCoordinator);
        Assert.Equal(new OffsetFetchResult.Refused(GroupRefusal.NotCoordinator), fetch.Result);

        Answer<OffsetCommitResult> late = new();
        old.CommitOffsets(
            new OffsetCommitRequest { Group = GroupWorld.G, Generation = Generation.None, Member = MemberId.None, Offsets = [] },
            _world.NowMs,
            late);
        late.IsRefused(GroupRefusal.NotCoordinator);
        Assert.Equal(new GroupDescribeResult.Refused(GroupRefusal.NotCoordinator), old.Describe(GroupWorld.G));
        Assert.Equal(new GroupListResult.Refused(GroupRefusal.NotCoordinator), old.List());
        Assert.Equal(
            new HeartbeatResult.Refused(GroupRefusal.NotCoordinator),
            old.Heartbeat(GroupWorld.G, members[0].Generation, members[0].Member, null, _world.NowMs));
        old.Tick(_world.NowMs);
    }

    [Fact]
    public void Waiting_syncs_and_leaves_and_deletions_are_answered_too()
    {
        JoinResult.Joined first = Assert.Single(_world.Stable(1));
        Answer<JoinResult> second = _world.Join();
        _world.Join(first.Member.Value);
        _world.Commit();
        Answer<SyncResult> sync = _world.Sync(second.Joined());
        _world.CommitOffset(1, group: "other");
        _world.Commit();
        Answer<GroupDeleteResult> deletion = new();
        _world.Coordinator.DeleteGroup(new("other"), _world.NowMs, deletion);
        _world.Failover();
        sync.IsRefused(GroupRefusal.NotCoordinator);
        Assert.Equal(new GroupDeleteResult.Refused(GroupRefusal.NotCoordinator), deletion.Result);

        GroupWorld world = new();
        JoinResult.Joined only = Assert.Single(world.Stable(1));
        Answer<LeaveResult> leave = world.Leave(only.Member.Value);
        world.Failover();
        Assert.Equal(new LeaveResult.Refused(GroupRefusal.NotCoordinator), leave.Result);
    }

    [Fact]
    public void Stable_group_goes_on_under_the_next_coordinator_with_whole_sessions()
    {
        JoinResult.Joined[] members = _world.Stable(3);
        byte[] before = _world.Sync(members[2]).Assignment();
        _world.NowMs += GroupWorld.SessionMs - 1;
        _world.Failover();
        _world.Pass(GroupWorld.SessionMs - 1);
        Assert.All(members, member => Assert.IsType<HeartbeatResult.Alive>(_world.Heartbeat(member)));
        Assert.Equal(before, _world.Sync(members[2]).Assignment());
        Answer<OffsetCommitResult> commit = _world.CommitOffset(3, members[1]);
        _world.Commit();
        commit.IsStored();
    }

    [Fact]
    public void Member_that_died_with_the_coordinator_is_noticed_by_the_next()
    {
        JoinResult.Joined[] members = _world.Stable(2);
        _world.Failover();
        _world.Pass(GroupWorld.SessionMs - 1);
        _world.Heartbeat(members[0]);
        _world.Pass(1);
        Assert.Equal(new HeartbeatResult.Refused(GroupRefusal.RebalanceInProgress), _world.Heartbeat(members[0]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Generation_lost_or_kept_before_its_members_heard_of_it_is_not_given_to_another_rebalance(int survivors)
    {
        JoinResult.Joined[] members = _world.Stable(2);
        _world.Join(members[0].Member.Value);
        _world.Join(members[1].Member.Value);
        _world.Failover(survivors);

        Answer<JoinResult> leader = _world.Join(members[0].Member.Value, metadata: "t,u");
        Answer<JoinResult> follower = _world.Join(members[1].Member.Value, metadata: "t,u");
        _world.Commit();
        Assert.Equal(members[0].Generation.Value + 1 + survivors, leader.Joined().Generation.Value);
        Assert.Equal(leader.Joined().Generation, follower.Joined().Generation);
    }

    [Fact]
    public void Members_that_joined_under_one_coordinator_sync_under_the_next()
    {
        JoinResult.Joined first = Assert.Single(_world.Stable(1));
        Answer<JoinResult> second = _world.Join();
        Answer<JoinResult> again = _world.Join(first.Member.Value);
        _world.Commit();
        _world.Failover();
        _world.SyncAll([again.Joined(), second.Joined()]);
        Assert.Equal(GroupPhase.Stable, _world.Describe().Phase);
    }

    [Fact]
    public void Assignment_that_survives_unseen_is_the_one_its_members_get()
    {
        Answer<JoinResult> joined = _world.Join();
        _world.Commit();
        Answer<SyncResult> lost = _world.Sync(joined.Joined());
        _world.Failover(survivors: 1);
        lost.IsRefused(GroupRefusal.NotCoordinator);
        Assert.Equal(
            GroupWorld.Bytes($"{joined.Joined().Generation}:{joined.Joined().Member}"),
            _world.Sync(joined.Joined(), assign: false).Assignment());
    }

    [Fact]
    public void Newcomer_whose_join_waited_under_the_old_coordinator_begins_anew()
    {
        _world.Stable(1);
        JoinResult.MemberIdRequired promised =
            Assert.IsType<JoinResult.MemberIdRequired>(_world.Join(requireKnown: true).Result);
        _world.Failover();
        _world.Join(promised.Member.Value).IsRefused(GroupRefusal.UnknownMember);
    }

    [Fact]
    public void Commit_the_next_leader_keeps_is_readable_though_its_answer_was_lost()
    {
        Answer<OffsetCommitResult> commit = _world.CommitOffset(8);
        _world.Failover(survivors: 1);
        commit.IsRefused(GroupRefusal.NotCoordinator);
        Assert.Equal(8, _world.FetchNow());
    }

    [Fact]
    public void Late_word_from_the_raft_group_changes_nothing()
    {
        Answer<OffsetCommitResult> commit = _world.CommitOffset(8);
        FakeProposer old = _world.Proposer;
        _world.Coordinator.LeadershipLost();
        commit.IsRefused(GroupRefusal.NotCoordinator);
        old.CommitAll();
        Assert.Equal(8, _world.Machine.FindOffset(GroupWorld.G, new("t", 0), 0)!.Offset);
    }
}
