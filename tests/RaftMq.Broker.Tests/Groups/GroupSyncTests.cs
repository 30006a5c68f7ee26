using RaftMq.Broker.Groups;

namespace RaftMq.Broker.Tests.Groups;

public sealed class GroupSyncTests
{
    private readonly GroupWorld _world = new();

    [Fact]
    public void Syncs_wait_for_the_leader_and_for_the_assignment_to_be_durable()
    {
        JoinResult.Joined[] members = TwoJoined();
        Answer<SyncResult> follower = _world.Sync(members[1]);
        Assert.True(follower.IsWaiting);
        Answer<SyncResult> leader = _world.Sync(members[0]);
        Assert.True(leader.IsWaiting);
        Assert.True(follower.IsWaiting);

        _world.Commit();

        Assert.Equal(GroupWorld.Bytes($"{members[0].Generation}:{members[0].Member}"), leader.Assignment());
        Assert.Equal(GroupWorld.Bytes($"{members[1].Generation}:{members[1].Member}"), follower.Assignment());
        Assert.Equal(GroupPhase.Stable, _world.Machine.Groups[GroupWorld.G].Record!.Phase);
    }

    [Fact]
    public void Sync_of_a_stable_group_gives_the_assignment_again()
    {
        JoinResult.Joined[] members = _world.Stable(2);
        Assert.NotEmpty(_world.Sync(members[1]).Assignment());
    }

    [Fact]
    public void Sync_while_the_assignment_is_proposed_waits_for_it()
    {
        JoinResult.Joined[] members = TwoJoined();
        _world.Sync(members[0]);
        Answer<SyncResult> late = _world.Sync(members[1]);
        Assert.True(late.IsWaiting);
        _world.Commit();
        Assert.NotEmpty(late.Assignment());
    }

    [Fact]
    public void Members_the_leader_does_not_name_get_nothing_and_strangers_are_ignored()
    {
        JoinResult.Joined[] members = TwoJoined();
        Answer<SyncResult> follower = _world.Sync(members[1]);
        JoinedMember stranger = new(new("stranger"), null, []);
        _world.Sync(members[0] with { Members = [members[0].Members[0], stranger] });
        _world.Commit();
        Assert.Empty(follower.Assignment());
    }

    [Fact]
    public void Syncs_of_other_generations_members_and_protocols_are_refused()
    {
        JoinResult.Joined[] members = TwoJoined();
        _world.Sync(members[0] with { Generation = members[0].Generation.Next }).IsRefused(GroupRefusal.IllegalGeneration);
        _world.Sync(members[0] with { Member = new("stranger") }).IsRefused(GroupRefusal.UnknownMember);
        _world.Sync(members[0], protocolName: "other").IsRefused(GroupRefusal.InconsistentProtocol);
        _world.Sync(members[0], protocolType: "other").IsRefused(GroupRefusal.InconsistentProtocol);
        Answer<SyncResult> right = _world.Sync(members[0], protocolType: "consumer", protocolName: "range");
        _world.Commit();
        Assert.NotEmpty(right.Assignment());
    }

    [Fact]
    public void New_rebalance_sends_waiting_syncs_back()
    {
        JoinResult.Joined[] members = TwoJoined();
        Answer<SyncResult> follower = _world.Sync(members[1]);
        _world.Join();
        follower.IsRefused(GroupRefusal.RebalanceInProgress);
        _world.Sync(members[0]).IsRefused(GroupRefusal.RebalanceInProgress);
    }

    [Fact]
    public void Rebalance_that_begins_before_the_assignment_is_durable_does_not_hide_it()
    {
        JoinResult.Joined[] members = TwoJoined();
        Answer<SyncResult> follower = _world.Sync(members[1]);
        _world.Sync(members[0]);
        _world.Join();
        _world.Commit();
        Assert.NotEmpty(follower.Assignment());
        Assert.Equal(new HeartbeatResult.Refused(GroupRefusal.RebalanceInProgress), _world.Heartbeat(members[1]));
    }

    [Fact]
    public void Leader_that_dies_before_it_assigns_is_replaced()
    {
        JoinResult.Joined[] members = TwoJoined();
        Answer<SyncResult> follower = _world.Sync(members[1]);
        _world.Pass(GroupWorld.SessionMs);
        follower.IsRefused(GroupRefusal.RebalanceInProgress);

        Answer<JoinResult> again = _world.Join(members[1].Member.Value);
        _world.Commit();
        Assert.Equal(members[1].Member, again.Joined().Leader);
    }

    [Fact]
    public void Member_that_lives_but_never_syncs_is_removed_at_the_rebalance_timeout()
    {
        JoinResult.Joined[] members = TwoJoined();
        Answer<SyncResult> follower = _world.Sync(members[1]);
        for (int waited = 0; waited < GroupWorld.RebalanceMs; waited += 5000)
        {
            Assert.True(follower.IsWaiting);
            Assert.IsType<HeartbeatResult.Alive>(_world.Heartbeat(members[0]));
            _world.Pass(5000);
        }

        follower.IsRefused(GroupRefusal.RebalanceInProgress);
        Assert.Equal(new HeartbeatResult.Refused(GroupRefusal.UnknownMember), _world.Heartbeat(members[0]));
    }

    [Fact]
    public void Assignment_beyond_the_groups_bytes_is_refused_to_the_leader()
    {
        GroupWorld world = new(new GroupsConfig
        {
            InitialRebalanceDelayMs = 0,
            Limits = new GroupLimits { GroupBytesMax = 10 },
        });
        Answer<JoinResult> joined = world.Join();
        world.Commit();
        world.Sync(joined.Joined()).IsRefused(GroupRefusal.TooLarge);
        Assert.Equal(GroupPhase.Syncing, world.Describe().Phase);
    }

    [Fact]
    public void Records_that_could_not_be_proposed_are_proposed_later()
    {
        _world.Proposer.IsBusy = true;
        Answer<JoinResult> answer = _world.Join();
        _world.Commit();
        Assert.True(answer.IsWaiting);
        Assert.Equal(new GroupDeleteResult.Refused(GroupRefusal.GroupNotEmpty), _world.DeleteGroup().Result);

        _world.Proposer.IsBusy = false;
        _world.Pass(100);
        _world.Commit();
        Assert.Equal(new Generation(1), answer.Joined().Generation);
    }

    [Fact]
    public void Generation_that_gives_way_before_it_is_proposed_is_told_to_nobody()
    {
        JoinResult.Joined first = Assert.Single(_world.Stable(1));
        _world.Proposer.IsBusy = true;
        Answer<JoinResult> skipped = _world.Join(first.Member.Value);
        Answer<JoinResult> newcomer = _world.Join();
        Answer<JoinResult> again = _world.Join(first.Member.Value);
        skipped.IsRefused(GroupRefusal.RebalanceInProgress);

        _world.Proposer.IsBusy = false;
        _world.Pass(100);
        _world.Commit();
        Assert.Equal(2, again.Joined().Members.Length);
        Assert.Equal(again.Joined().Generation, newcomer.Joined().Generation);
        Assert.Equal(first.Generation.Value + 2, again.Joined().Generation.Value);
    }

    private JoinResult.Joined[] TwoJoined()
    {
        JoinResult.Joined first = Assert.Single(_world.Stable(1));
        Answer<JoinResult> second = _world.Join();
        Answer<JoinResult> again = _world.Join(first.Member.Value);
        _world.Commit();
        return [again.Joined(), second.Joined()];
    }
}
