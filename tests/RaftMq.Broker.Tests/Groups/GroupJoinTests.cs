using RaftMq.Broker.Groups;

namespace RaftMq.Broker.Tests.Groups;

public sealed class GroupJoinTests
{
    private readonly GroupWorld _world = new();

    [Fact]
    public void First_member_leads_generation_one_once_it_is_durable()
    {
        Answer<JoinResult> answer = _world.Join();
        Assert.True(answer.IsWaiting);

        _world.Commit();

        JoinResult.Joined joined = answer.Joined();
        Assert.Equal(new Generation(1), joined.Generation);
        Assert.Equal(joined.Member, joined.Leader);
        Assert.Equal("range", joined.ProtocolName);
        Assert.Equal("consumer", joined.ProtocolType);
        Assert.Equal(joined.Member, Assert.Single(joined.Members).Member);
        Assert.StartsWith("client-", joined.Member.Value, StringComparison.Ordinal);
    }

    [Fact]
    public void Newcomer_is_first_given_a_member_id_when_it_asks_for_one()
    {
        JoinResult.MemberIdRequired required =
            Assert.IsType<JoinResult.MemberIdRequired>(_world.Join(requireKnown: true).Result);
        Answer<JoinResult> answer = _world.Join(required.Member.Value, requireKnown: true);
        _world.Commit();
        Assert.Equal(required.Member, answer.Joined().Member);
    }

    [Fact]
    public void Promised_member_id_is_void_after_the_session_timeout()
    {
        JoinResult.MemberIdRequired required =
            Assert.IsType<JoinResult.MemberIdRequired>(_world.Join(requireKnown: true).Result);
        _world.Pass(GroupWorld.SessionMs);
        _world.Join(required.Member.Value).IsRefused(GroupRefusal.UnknownMember);
        Assert.Equal(0, _world.Coordinator.LiveGroupCount);
    }

    [Fact]
    public void Rebalance_waits_for_a_promised_member()
    {
        JoinResult.Joined first = Assert.Single(_world.Stable(1));
        Answer<JoinResult> promise = _world.Join(requireKnown: true);
        Answer<JoinResult> other = _world.Join();
        Answer<JoinResult> again = _world.Join(first.Member.Value);
        _world.Commit();
        Assert.True(again.IsWaiting);

        Answer<JoinResult> kept = _world.Join(Assert.IsType<JoinResult.MemberIdRequired>(promise.Result).Member.Value);
        _world.Commit();
        Assert.Equal(3, again.Joined().Members.Length);
        Assert.Equal(kept.Joined().Generation, other.Joined().Generation);
    }

    [Fact]
    public void First_join_of_an_empty_group_waits_for_more_and_each_newcomer_starts_the_wait_anew()
    {
        GroupWorld world = new(new GroupsConfig { InitialRebalanceDelayMs = 500 });
        Answer<JoinResult> first = world.Join();
        world.Pass(400);
        Answer<JoinResult> second = world.Join();
        world.Pass(400);
        world.Commit();
        Assert.True(first.IsWaiting);

        world.Pass(100);
        world.Commit();
        Assert.Equal(2, first.Joined().Members.Length);
        Assert.Equal(first.Joined().Generation, second.Joined().Generation);
    }

    [Fact]
    public void Gathering_ends_at_the_rebalance_timeout()
    {
        GroupWorld world = new(new GroupsConfig { InitialRebalanceDelayMs = 500 });
        Answer<JoinResult> first = world.Join(rebalanceMs: 1200);
        for (int i = 0; i < 3; i++)
        {
            world.Pass(400);
            world.Join();
        }

        world.Pass(0);
        world.Commit();
        Assert.False(first.IsWaiting);
    }

    [Fact]
    public void Newcomer_makes_the_members_join_again()
    {
        JoinResult.Joined first = Assert.Single(_world.Stable(1));
        Answer<JoinResult> second = _world.Join();
        Assert.Equal(new HeartbeatResult.Refused(GroupRefusal.RebalanceInProgress), _world.Heartbeat(first));
        Answer<JoinResult> again = _world.Join(first.Member.Value);
        _world.Commit();

        Assert.Equal(new Generation(first.Generation.Value + 1), again.Joined().Generation);
        Assert.Equal(first.Member, second.Joined().Leader);
        Assert.Empty(second.Joined().Members);
    }

    [Fact]
    public void Member_that_does_not_join_in_time_is_left_behind()
    {
        JoinResult.Joined[] members = _world.Stable(2);
        Answer<JoinResult> newcomer = _world.Join();
        Answer<JoinResult> again = _world.Join(members[1].Member.Value);
        for (int i = 0; i < GroupWorld.RebalanceMs / 5000; i++)
        {
            Assert.True(again.IsWaiting);
            _world.Heartbeat(members[0]);
            _world.Pass(5000);
        }

        _world.Commit();
        Assert.Equal(again.Joined().Member, again.Joined().Leader);
        Assert.Equal(
            [members[1].Member, newcomer.Joined().Member], again.Joined().Members.Select(member => member.Member));
        Assert.Equal(new HeartbeatResult.Refused(GroupRefusal.UnknownMember), _world.Heartbeat(members[0]));
    }

    /// <summary>A client may ask for weeks; its group would stand still for as long when it does not come back.</summary>
    [Fact]
    public void Long_rebalance_timeout_is_cut()
    {
        const int cutMs = 20_000;
        GroupWorld world = new(new GroupsConfig { InitialRebalanceDelayMs = 0, Limits = new GroupLimits { RebalanceTimeoutMsMax = cutMs } });
        Answer<JoinResult> first = world.Join(rebalanceMs: int.MaxValue);
        world.Commit();
        JoinResult.Joined member = first.Joined();
        Answer<JoinResult> newcomer = world.Join();
        for (int i = 0; i < cutMs / 5000; i++)
        {
            Assert.True(newcomer.IsWaiting);
            world.Heartbeat(member);
            world.Pass(5000);
        }

        world.Commit();
        Assert.Equal(newcomer.Joined().Member, newcomer.Joined().Leader);
        Assert.Equal(new HeartbeatResult.Refused(GroupRefusal.UnknownMember), world.Heartbeat(member));
    }

    [Fact]
    public void Unchanged_follower_that_joins_a_stable_group_is_told_the_generation_again()
    {
        JoinResult.Joined[] members = _world.Stable(2);
        JoinResult.Joined again = _world.Join(members[1].Member.Value).Joined();
        Assert.Equal(members[1].Generation, again.Generation);
        Assert.Equal(GroupPhase.Stable, _world.Describe().Phase);
    }

    [Fact]
    public void Changed_follower_and_any_leader_that_joins_a_stable_group_begins_a_rebalance()
    {
        JoinResult.Joined[] members = _world.Stable(2);
        _world.Join(members[1].Member.Value, metadata: "t,u");
        Assert.Equal(GroupPhase.Joining, _world.Describe().Phase);

        GroupWorld world = new();
        members = world.Stable(2);
        world.Join(members[0].Member.Value);
        Assert.Equal(GroupPhase.Joining, world.Describe().Phase);
    }

    [Fact]
    public void Unchanged_member_that_joins_while_the_assignment_is_awaited_is_told_the_generation_again()
    {
        Answer<JoinResult> first = _world.Join();
        _world.Commit();
        JoinResult.Joined again = _world.Join(first.Joined().Member.Value).Joined();
        Assert.Equal(first.Joined().Generation, again.Generation);
        Assert.Single(again.Members);
    }

    [Fact]
    public void Newer_join_of_a_member_takes_the_place_of_its_waiting_one()
    {
        JoinResult.Joined[] members = _world.Stable(2);
        Answer<JoinResult> waiting = _world.Join(members[0].Member.Value);
        Answer<JoinResult> newer = _world.Join(members[0].Member.Value);
        waiting.IsRefused(GroupRefusal.RebalanceInProgress);
        Assert.True(newer.IsWaiting);
    }

    [Fact]
    public void Protocol_with_most_votes_of_those_all_know_is_chosen()
    {
        GroupWorld world = new(new GroupsConfig { InitialRebalanceDelayMs = 100 });
        Answer<JoinResult> first = world.Join(protocols: ["a", "b", "c"]);
        world.Join(protocols: ["c", "b"]);
        world.Join(protocols: ["d", "b", "c"]);
        world.Pass(100);
        world.Commit();

        // All know b and c; the first and the third vote b, the second c.
        Assert.Equal("b", first.Joined().ProtocolName);
    }

    [Fact]
    public void On_a_tie_the_eldest_members_preference_wins()
    {
        GroupWorld world = new(new GroupsConfig { InitialRebalanceDelayMs = 100 });
        Answer<JoinResult> first = world.Join(protocols: ["b", "a"]);
        world.Join(protocols: ["a", "b"]);
        world.Pass(100);
        world.Commit();
        Assert.Equal("b", first.Joined().ProtocolName);
    }

    [Fact]
    public void Member_without_a_common_protocol_or_type_is_refused()
    {
        _world.Stable(1);
        _world.Join(protocols: ["other"]).IsRefused(GroupRefusal.InconsistentProtocol);
        _world.Join(protocolType: "connect").IsRefused(GroupRefusal.InconsistentProtocol);
        _world.Join(protocols: []).IsRefused(GroupRefusal.InconsistentProtocol);
        _world.Join(protocolType: "").IsRefused(GroupRefusal.InconsistentProtocol);
        Assert.Equal(GroupPhase.Stable, _world.Describe().Phase);
    }

    [Theory]
    [InlineData(5_999)]
    [InlineData(1_800_001)]
    public void Session_timeout_outside_the_range_is_refused(int sessionMs) =>
        _world.Join(sessionMs: sessionMs).IsRefused(GroupRefusal.InvalidSessionTimeout);

    [Theory]
    [InlineData(6_000)]
    [InlineData(1_800_000)]
    public void Session_timeout_at_an_end_of_the_range_is_taken(int sessionMs) => Assert.True(_world.Join(sessionMs: sessionMs).IsWaiting);

    [Fact]
    public void Group_ids_and_names_beyond_their_limits_are_refused()
    {
        _world.Join(group: "").IsRefused(GroupRefusal.InvalidGroupId);
        _world.Join(group: new string('ä', 513)).IsRefused(GroupRefusal.InvalidGroupId);
        _world.Join(instance: new string('i', 250)).IsRefused(GroupRefusal.InvalidRequest);
        _world.Join(instance: "").IsRefused(GroupRefusal.InvalidRequest);
        _world.Join(protocols: [.. Enumerable.Range(0, 33).Select(i => $"p{i}")]).IsRefused(GroupRefusal.InvalidRequest);
        _world.Join(protocols: [new string('p', 1025)]).IsRefused(GroupRefusal.InvalidRequest);
        _world.Join(protocolType: new string('t', 1025)).IsRefused(GroupRefusal.InvalidRequest);

        // All of them at their limits.
        Assert.True(_world.Join(
            group: new string('ä', 512), instance: new string('i', 249), protocolType: new string('t', 1024),
            protocols: [new string('p', 1024), .. Enumerable.Range(0, 31).Select(i => $"p{i}")]).IsWaiting);
    }

    [Fact]
    public void Unknown_member_ids_are_refused_in_known_and_unknown_groups()
    {
        _world.Join("stranger").IsRefused(GroupRefusal.UnknownMember);
        _world.Stable(1);
        _world.Join("stranger").IsRefused(GroupRefusal.UnknownMember);
    }

    [Fact]
    public void Full_group_takes_no_more_members_and_promises()
    {
        GroupWorld world = new(new GroupsConfig
        {
            InitialRebalanceDelayMs = 100,
            Limits = new GroupLimits { MembersPerGroupMax = 2 },
        });
        world.Join();
        world.Join(requireKnown: true);
        world.Join().IsRefused(GroupRefusal.GroupFull);
        world.Join(requireKnown: true).IsRefused(GroupRefusal.GroupFull);
    }

    [Fact]
    public void Group_beyond_its_bytes_or_the_coordinators_groups_is_refused()
    {
        GroupWorld world = new(new GroupsConfig
        {
            InitialRebalanceDelayMs = 100,
            Limits = new GroupLimits { GroupBytesMax = 100, GroupsMax = 1 },
        });
        world.Join(metadata: new string('m', 60));
        world.Join(metadata: new string('m', 60)).IsRefused(GroupRefusal.TooLarge);
        world.Join(group: "second").IsRefused(GroupRefusal.LimitReached);
        world.CommitOffset(1, group: "third").IsRefused(GroupRefusal.LimitReached);
    }

    [Fact]
    public void Member_that_joins_again_takes_its_own_bytes_place()
    {
        GroupWorld world = new(new GroupsConfig { InitialRebalanceDelayMs = 0, Limits = new GroupLimits { GroupBytesMax = 100 } });
        JoinResult.Joined member = Assert.Single(world.Stable(1));

        Answer<JoinResult> again = world.Join(member.Member.Value, metadata: new string('m', 100));
        world.Commit();
        again = world.Join(member.Member.Value, metadata: new string('n', 100));
        world.Commit();

        Assert.Equal(member.Member, again.Joined().Member);
        world.Join(member.Member.Value, metadata: new string('m', 101)).IsRefused(GroupRefusal.TooLarge);
    }

    [Fact]
    public void Long_client_ids_are_cut_between_characters()
    {
        Answer<JoinResult> answer = _world.Join(clientId: new string('c', 254) + "\U0001F600");
        _world.Commit();
        Assert.StartsWith(new string('c', 254) + "-", answer.Joined().Member.Value, StringComparison.Ordinal);
    }

    [Fact]
    public void New_member_whose_join_waits_too_long_is_taken_for_gone()
    {
        JoinResult.Joined first = Assert.Single(_world.Stable(1));
        _world.Join(first.Member.Value, rebalanceMs: 3_600_000);
        _world.Commit();
        Answer<JoinResult> newcomer = _world.Join();
        while (newcomer.IsWaiting)
        {
            JoinResult.Joined heard = first with { Generation = _world.Describe().Generation };
            Assert.Equal(new HeartbeatResult.Refused(GroupRefusal.RebalanceInProgress), _world.Heartbeat(heard));
            _world.Pass(5_000);
        }

        newcomer.IsRefused(GroupRefusal.UnknownMember);
    }
}
