using RaftMq.Broker.Groups;

namespace RaftMq.Broker.Tests.Groups;

/// <summary>KIP-345.</summary>
public sealed class GroupStaticMemberTests
{
    private readonly GroupWorld _world = new();

    [Fact]
    public void Static_member_that_comes_back_keeps_its_assignment_without_a_rebalance()
    {
        JoinResult.Joined[] members = _world.Stable(2, "i");
        byte[] before = _world.Sync(members[1], "i1").Assignment();

        Answer<JoinResult> back = _world.Join(instance: "i1");
        Assert.True(back.IsWaiting);
        _world.Commit();

        Assert.NotEqual(members[1].Member, back.Joined().Member);
        Assert.Equal(members[1].Generation, back.Joined().Generation);
        Assert.Equal(members[0].Member, back.Joined().Leader);
        Assert.Equal(before, _world.Sync(back.Joined(), "i1").Assignment());
        Assert.IsType<HeartbeatResult.Alive>(_world.Heartbeat(members[0], "i0"));
    }

    [Fact]
    public void Replaced_member_is_fenced_everywhere()
    {
        JoinResult.Joined[] members = _world.Stable(2, "i");
        _world.Join(instance: "i1");
        _world.Commit();

        JoinResult.Joined old = members[1];
        Assert.Equal(new HeartbeatResult.Refused(GroupRefusal.FencedInstance), _world.Heartbeat(old, "i1"));
        Assert.Equal(new HeartbeatResult.Refused(GroupRefusal.UnknownMember), _world.Heartbeat(old));
        _world.Join(old.Member.Value, "i1").IsRefused(GroupRefusal.FencedInstance);
        _world.Sync(old, "i1").IsRefused(GroupRefusal.FencedInstance);
        _world.CommitOffset(5, old, instance: "i1").IsRefused(GroupRefusal.FencedInstance);
        _world.Leave(old.Member.Value, "i1").Left(GroupRefusal.FencedInstance);
    }

    [Fact]
    public void Returned_static_leader_is_told_to_skip_the_assignment_or_not_shown_as_leader()
    {
        JoinResult.Joined[] members = _world.Stable(2, "i");
        Answer<JoinResult> skipping = _world.Join(instance: "i0", canSkip: true);
        _world.Commit();
        Assert.True(skipping.Joined().SkipAssignment);
        Assert.Equal(skipping.Joined().Member, skipping.Joined().Leader);
        Assert.Equal(2, skipping.Joined().Members.Length);

        Answer<JoinResult> older = _world.Join(instance: "i0");
        _world.Commit();
        Assert.False(older.Joined().SkipAssignment);
        Assert.Equal(skipping.Joined().Member, older.Joined().Leader);
        Assert.Empty(older.Joined().Members);
        Assert.NotEmpty(_world.Sync(older.Joined(), "i0", assign: false).Assignment());
    }

    [Fact]
    public void Static_member_that_comes_back_with_other_topics_begins_a_rebalance()
    {
        _world.Stable(2, "i");
        _world.Join(instance: "i1", metadata: "t,u");
        Assert.Equal(GroupPhase.Joining, _world.Describe().Phase);
    }

    [Fact]
    public void Other_bytes_with_the_same_topics_do_not()
    {
        _world.Stable(2, "i", "t|#owned-1");
        _world.Join(instance: "i1", metadata: "t|#owned-2");
        Assert.Equal(GroupPhase.Stable, _world.Describe().Phase);
    }

    [Fact]
    public void Replacement_while_the_assignment_is_awaited_begins_a_rebalance_and_fences_the_waiting_sync()
    {
        JoinResult.Joined first = Assert.Single(_world.Stable(1, "i"));
        Answer<JoinResult> second = _world.Join(instance: "i1");
        _world.Join(first.Member.Value, "i0");
        _world.Commit();
        Answer<SyncResult> sync = _world.Sync(second.Joined(), "i1");

        Answer<JoinResult> replacing = _world.Join(instance: "i1");
        sync.IsRefused(GroupRefusal.FencedInstance);
        Assert.True(replacing.IsWaiting);
        Assert.Equal(GroupPhase.Joining, _world.Describe().Phase);
    }

    [Fact]
    public void Replacement_while_the_join_waits_fences_it()
    {
        JoinResult.Joined[] members = _world.Stable(2, "i");
        _world.Join(members[0].Member.Value, "i0");
        Answer<JoinResult> waiting = _world.Join(instance: "i2");
        Answer<JoinResult> replacing = _world.Join(instance: "i2");
        waiting.IsRefused(GroupRefusal.FencedInstance);
        Assert.True(replacing.IsWaiting);
    }

    [Fact]
    public void Static_member_that_misses_a_rebalance_keeps_its_place_until_its_session_ends()
    {
        JoinResult.Joined[] members = _world.Stable(2, "i");
        _world.Join(members[0].Member.Value, "i0", rebalanceMs: 7_000, metadata: "t,u");
        _world.Join(members[1].Member.Value, "i1", rebalanceMs: 7_000, metadata: "t,u");
        _world.Commit();
        Answer<JoinResult> one = _world.Join(members[0].Member.Value, "i0", rebalanceMs: 7_000, metadata: "t");
        _world.Pass(7_000);
        _world.Commit();
        Assert.Equal(2, one.Joined().Members.Length);

        Answer<SyncResult> sync = _world.Sync(one.Joined(), "i0");
        _world.Commit();
        Assert.NotEmpty(sync.Assignment());
        _world.Pass(GroupWorld.SessionMs - 7_000);
        Assert.Equal(
            new HeartbeatResult.Refused(GroupRefusal.RebalanceInProgress), _world.Heartbeat(one.Joined(), "i0"));
    }

    [Fact]
    public void Operator_removes_a_static_member_by_its_instance_id()
    {
        JoinResult.Joined[] members = _world.Stable(2, "i");
        _world.Leave("", "i1").Left();
        Assert.Equal(new HeartbeatResult.Refused(GroupRefusal.UnknownMember), _world.Heartbeat(members[1], "i1"));
        Assert.Equal(new HeartbeatResult.Refused(GroupRefusal.RebalanceInProgress), _world.Heartbeat(members[0], "i0"));
    }

    [Fact]
    public void Unknown_instance_with_a_member_id_is_an_unknown_member()
    {
        _world.Stable(1, "i");
        _world.Join("someone", "i9").IsRefused(GroupRefusal.UnknownMember);
    }

    [Fact]
    public void Replacement_survives_a_failover()
    {
        JoinResult.Joined[] members = _world.Stable(2, "i");
        Answer<JoinResult> back = _world.Join(instance: "i1");
        _world.Commit();
        _world.Failover();
        Assert.Equal(new HeartbeatResult.Refused(GroupRefusal.FencedInstance), _world.Heartbeat(members[1], "i1"));
        Assert.IsType<HeartbeatResult.Alive>(_world.Heartbeat(back.Joined(), "i1"));
    }
}
