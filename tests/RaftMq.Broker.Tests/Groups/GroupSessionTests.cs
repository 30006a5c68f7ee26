using RaftMq.Broker.Groups;

namespace RaftMq.Broker.Tests.Groups;

public sealed class GroupSessionTests
{
    private readonly GroupWorld _world = new();

    [Fact]
    public void Heartbeats_keep_a_session_and_silence_ends_it()
    {
        JoinResult.Joined[] members = _world.Stable(2);
        _world.Pass(GroupWorld.SessionMs - 1);
        Assert.IsType<HeartbeatResult.Alive>(_world.Heartbeat(members[0]));
        _world.Pass(1);
        Assert.Equal(new HeartbeatResult.Refused(GroupRefusal.RebalanceInProgress), _world.Heartbeat(members[0]));
        Assert.Equal(new HeartbeatResult.Refused(GroupRefusal.UnknownMember), _world.Heartbeat(members[1]));
    }

    [Fact]
    public void Offset_commits_are_signs_of_life()
    {
        JoinResult.Joined member = Assert.Single(_world.Stable(1));
        _world.Pass(GroupWorld.SessionMs - 1);
        _world.CommitOffset(1, member);
        _world.Pass(GroupWorld.SessionMs - 1);
        Assert.IsType<HeartbeatResult.Alive>(_world.Heartbeat(member));
    }

    [Fact]
    public void Heartbeats_of_strangers_and_other_generations_are_refused()
    {
        JoinResult.Joined member = Assert.Single(_world.Stable(1));
        Assert.Equal(
            new HeartbeatResult.Refused(GroupRefusal.IllegalGeneration),
            _world.Heartbeat(member with { Generation = new(9) }));
        Assert.Equal(
            new HeartbeatResult.Refused(GroupRefusal.UnknownMember), _world.Heartbeat(member with { Member = new("x") }));
        Assert.Equal(
            new HeartbeatResult.Refused(GroupRefusal.UnknownMember),
            _world.Coordinator.Heartbeat(new("other"), member.Generation, member.Member, null, _world.NowMs));
    }

    [Fact]
    public void Group_whose_last_member_dies_is_empty_in_a_new_generation()
    {
        JoinResult.Joined member = Assert.Single(_world.Stable(1));
        _world.Pass(GroupWorld.SessionMs);
        _world.Commit();
        GroupRecord record = _world.Machine.Groups[GroupWorld.G].Record!;
        Assert.Equal(GroupPhase.Empty, record.Phase);
        Assert.Equal(member.Generation.Next, record.Generation);
        Assert.Equal(0, _world.Coordinator.LiveGroupCount);

        Answer<JoinResult> next = _world.Join();
        _world.Commit();
        Assert.Equal(member.Generation.Next.Next, next.Joined().Generation);
    }

    [Fact]
    public void Leaving_begins_a_rebalance_at_once()
    {
        JoinResult.Joined[] members = _world.Stable(2);
        _world.Leave(members[0].Member.Value).Left();
        Answer<JoinResult> again = _world.Join(members[1].Member.Value);
        _world.Commit();
        Assert.Equal(members[1].Member, again.Joined().Leader);
        Assert.Single(again.Joined().Members);
    }

    [Fact]
    public void Last_member_that_leaves_is_answered_when_the_empty_group_is_durable()
    {
        JoinResult.Joined member = Assert.Single(_world.Stable(1));
        Answer<LeaveResult> answer = _world.Leave(member.Member.Value);
        Assert.True(answer.IsWaiting);
        _world.Commit();
        answer.Left();
        Assert.Empty(_world.Describe().Members);
    }

    [Fact]
    public void Strangers_and_members_of_unknown_groups_cannot_leave()
    {
        _world.Leave("stranger").Left(GroupRefusal.UnknownMember);
        _world.Stable(1);
        _world.Leave("stranger").Left(GroupRefusal.UnknownMember);
        _world.Leave("", instance: "stranger").Left(GroupRefusal.UnknownMember);
    }

    [Fact]
    public void Member_that_leaves_while_its_join_waits_is_answered()
    {
        JoinResult.Joined[] members = _world.Stable(2);
        Answer<JoinResult> waiting = _world.Join(members[0].Member.Value);
        _world.Leave(members[0].Member.Value).Left();
        waiting.IsRefused(GroupRefusal.UnknownMember);
    }

    [Fact]
    public void Promised_member_that_leaves_holds_nobody_up()
    {
        JoinResult.Joined first = Assert.Single(_world.Stable(1));
        JoinResult.MemberIdRequired promised =
            Assert.IsType<JoinResult.MemberIdRequired>(_world.Join(requireKnown: true).Result);
        Answer<JoinResult> again = _world.Join(first.Member.Value);
        Assert.True(again.IsWaiting);
        Answer<LeaveResult> left = _world.Leave(promised.Member.Value);
        _world.Commit();
        left.Left();
        Assert.Single(again.Joined().Members);
    }

    [Fact]
    public void Clock_that_is_set_back_ends_no_session_early_and_none_late()
    {
        JoinResult.Joined member = Assert.Single(_world.Stable(1));
        _world.Pass(-5_000);
        Assert.IsType<HeartbeatResult.Alive>(_world.Heartbeat(member));
        _world.Pass(5_000 + GroupWorld.SessionMs);
        Assert.Equal(new HeartbeatResult.Refused(GroupRefusal.UnknownMember), _world.Heartbeat(member));
    }
}
