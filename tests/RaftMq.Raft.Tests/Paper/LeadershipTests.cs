using RaftMq.Raft.Tests.Support;
using static RaftMq.Raft.Tests.Support.Rig;

namespace RaftMq.Raft.Tests.Paper;

/// <summary>Dissertation 3.10 (transfer), 4.3 (membership), 6.4 (reads); quiet groups.</summary>
public sealed class LeadershipTests
{
    /// <summary>Dissertation 4.1, with the correction of 2015: the leader has committed an entry of its term first.</summary>
    [Fact]
    public void Change_waits_for_an_entry_of_the_own_term()
    {
        Rig rig = new Rig().Lead();
        Assert.IsType<ChangeResult.Refused>(rig.Group.ProposeMembership([N(1), N(2)], []));

        rig.Persist().Hear(2, new AppendAccepted(T(1), I(1)));
        Assert.IsType<ChangeResult.Started>(rig.Group.ProposeMembership([N(1), N(2)], []));
    }

    /// <summary>Raft 6; dissertation 4.3.</summary>
    [Theory]
    [InlineData("", "")]
    [InlineData("1 2 3", "")] // as it is
    [InlineData("1 2 2", "")]
    [InlineData("1 2", "2")]
    public void Changes_that_make_no_sense_are_refused(string voters, string learners)
    {
        Rig rig = new Rig().LeadCommitted();
        static ReplicaId[] Parse(string list) => [.. list.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(n => N(int.Parse(n)))];

        Assert.IsType<ChangeResult.Refused>(rig.Group.ProposeMembership(Parse(voters), Parse(learners)));
        Assert.False(rig.Group.Membership.IsJoint);
    }

    /// <summary>Raft 6; dissertation 4.3.</summary>
    [Fact]
    public void Joint_membership_needs_both_majorities_and_is_left_by_itself()
    {
        Rig rig = new Rig().LeadCommitted();
        rig.Host.Do(g => g.ProposeMembership([N(1), N(4), N(5)], []));
        rig.Persist();
        rig.Hear(2, new AppendAccepted(T(1), I(2))).Hear(3, new AppendAccepted(T(1), I(2)));
        Assert.Equal(I(1), rig.Group.CommitIndex);

        rig.Hear(4, new AppendAccepted(T(1), I(2)));
        Assert.Equal(I(2), rig.Group.CommitIndex);
        Assert.False(rig.Group.Membership.IsJoint);
        Assert.Equal([N(1), N(4), N(5)], rig.Group.Membership.Voters);
    }

    /// <summary>Dissertation 4.1: the latest configuration in the log counts, and falls back with it.</summary>
    [Fact]
    public void Truncation_brings_the_former_membership_back()
    {
        Rig rig = new();
        Membership other = Membership.Of(N(2), N(3));
        rig.Hear(2, Append(1, 0, 0, 0, E(1, 1), MemoryTail.Make(I(2), T(1), "m", other)));
        Assert.Equal(other, rig.Group.Membership);

        rig.Hear(3, Append(2, 1, 1, 0, E(2, 2)));
        Assert.Equal(3, rig.Group.Membership.Voters.Count);
    }

    /// <summary>Dissertation 4.2.1.</summary>
    [Fact]
    public void Learners_are_sent_everything_and_count_for_nothing()
    {
        Rig rig = new(membership: new Membership([N(1), N(2), N(3)], [], [N(4)]));
        rig.Lead().Persist();
        rig.Hear(4, new AppendAccepted(T(1), I(1)));
        Assert.Equal(I(0), rig.Group.CommitIndex);
        Assert.Equal(1, rig.Group.VotersDurableAt(I(1)));

        rig.Hear(4, new VoteReply(T(1), Granted: true)).Hear(2, new AppendAccepted(T(1), I(1)));
        Assert.Equal(I(1), rig.Group.CommitIndex);
        Assert.IsType<ChangeResult.Refused>(rig.Group.TransferLeadership(new NodeId(4)));
    }

    /// <summary>Dissertation 4.2.1: who only catches up has no vote.</summary>
    [Fact]
    public void Learner_never_campaigns()
    {
        Rig rig = new(membership: new Membership([N(2), N(3)], [], [N(1)]));
        rig.Ticks(200).Hear(2, new Heartbeat(T(1), I(0), 0)).Hear(2, new TimeoutNow(T(1)));

        Assert.Equal(Role.Learner, rig.Group.Role);
        Assert.Empty(rig.Take<PreVoteRequest>(2));
    }

    /// <summary>Dissertation 3.10.</summary>
    [Fact]
    public void Transfer_that_does_not_happen_is_given_up()
    {
        Rig rig = new Rig().LeadCommitted();
        rig.Host.Do(g => Assert.IsType<ChangeResult.Started>(g.TransferLeadership(new NodeId(2))));
        Assert.NotEmpty(rig.Take<TimeoutNow>(2));
        Assert.IsType<ProposeResult.Busy>(rig.Group.Admit(1));
        for (int i = 0; i < Config.TransferTicksMax; i++)
        {
            rig.Hear(3, new HeartbeatReply(T(1), 0, I(1))).Ticks(1);
        }

        Assert.Equal(Role.Leader, rig.Group.Role);
        Assert.IsType<ProposeResult.Admitted>(rig.Group.Admit(1));
    }

    /// <summary>Dissertation 3.10.</summary>
    [Fact]
    public void Target_is_told_when_it_has_everything()
    {
        Rig rig = new Rig().LeadCommitted();
        rig.Host.Propose("a");
        rig.Host.Do(g => g.TransferLeadership(new NodeId(2)));
        Assert.Empty(rig.Take<TimeoutNow>(2));

        rig.Hear(2, new AppendAccepted(T(1), I(2)));
        Assert.Single(rig.Take<TimeoutNow>(2));
    }

    /// <summary>Dissertation 6.4.</summary>
    [Fact]
    public void Read_is_confirmed_by_answers_to_a_later_round_only()
    {
        Rig rig = new Rig().LeadCommitted();
        rig.Ticks(2);
        long before = rig.Take<Heartbeat>(2)[^1].ReadRound;
        rig.Host.Do(g => g.Read(7));
        rig.Hear(2, new HeartbeatReply(T(1), before, I(1)));
        Assert.Empty(rig.Confirmed);

        rig.Hear(2, new HeartbeatReply(T(1), rig.Take<Heartbeat>(2)[^1].ReadRound, I(1)));
        Assert.Equal(new ReadConfirmed(7, I(1)), Assert.Single(rig.Confirmed));
    }

    /// <summary>Dissertation 6.4: one round of heartbeats for all that wait.</summary>
    [Fact]
    public void Reads_that_wait_share_a_round_and_are_refused_when_leadership_ends()
    {
        Rig rig = new Rig().LeadCommitted();
        rig.Host.Do(g => g.Read(1));
        rig.Host.Do(g => g.Read(2));
        rig.Host.Do(g => g.Read(3));
        long first = Assert.Single(rig.Take<Heartbeat>(2)).ReadRound;
        rig.Hear(2, new HeartbeatReply(T(1), first, I(1)));
        Assert.Single(rig.Confirmed);

        rig.Hear(2, new HeartbeatReply(T(1), Assert.Single(rig.Take<Heartbeat>(2)).ReadRound, I(1)));
        Assert.Equal([1, 2, 3], rig.Confirmed.Select(r => r.ReadId));

        rig.Host.Do(g => g.Read(4));
        rig.Hear(2, new HeartbeatReply(T(9), 0, I(0)));
        Assert.Equal([4], rig.Refused);
    }

    /// <summary>Dissertation 6.4, with a limit to the reads that wait.</summary>
    [Fact]
    public void Reads_above_the_limit_of_those_that_wait_are_refused_and_the_others_confirmed()
    {
        Rig rig = new Rig(config: Config with { ReadsWaitingMax = 2 }).LeadCommitted();

        // The first is in a round, which does not count; the next two wait for theirs.
        foreach (int read in (int[])[1, 2, 3, 4, 5])
        {
            rig.Host.Do(g => g.Read(read));
        }

        Assert.Equal([4, 5], rig.Refused);
        rig.Hear(2, new HeartbeatReply(T(1), Assert.Single(rig.Take<Heartbeat>(2)).ReadRound, I(1)));
        rig.Hear(2, new HeartbeatReply(T(1), Assert.Single(rig.Take<Heartbeat>(2)).ReadRound, I(1)));
        Assert.Equal([1, 2, 3], rig.Confirmed.Select(r => r.ReadId));

        // There is room again.
        rig.Host.Do(g => g.Read(6));
        rig.Hear(2, new HeartbeatReply(T(1), Assert.Single(rig.Take<Heartbeat>(2)).ReadRound, I(1)));
        Assert.Equal(6, rig.Confirmed[^1].ReadId);
        Assert.Equal([4, 5], rig.Refused);
    }

    /// <summary>Dissertation 6.4: the no-op of the term comes first.</summary>
    [Fact]
    public void Read_waits_for_the_first_commit_of_the_term()
    {
        Rig rig = new Rig().Lead().Persist();
        rig.Host.Do(g => g.Read(1));
        rig.Hear(2, new HeartbeatReply(T(1), 99, I(0)));
        Assert.Empty(rig.Confirmed);
        Assert.Empty(rig.Take<Heartbeat>(2));

        rig.Hear(2, new AppendAccepted(T(1), I(1)));
        rig.Hear(2, new HeartbeatReply(T(1), Assert.Single(rig.Take<Heartbeat>(2)).ReadRound, I(1)));
        Assert.Single(rig.Confirmed);
    }

    /// <summary>Dissertation 6.4.1.</summary>
    [Fact]
    public void Lease_confirms_reads_until_it_runs_out()
    {
        Rig rig = new(config: Config with { LeaseReads = true });
        rig.Ticks(24).Persist();
        rig.Lead().Persist();
        rig.Hear(2, new AppendAccepted(T(1), I(1)));
        rig.Ticks(2).Hear(2, new HeartbeatReply(T(1), rig.Take<Heartbeat>(2)[^1].ReadRound, I(1)));
        rig.Host.Do(g => g.Read(1));
        Assert.Single(rig.Confirmed);

        // Nine ticks are three quarters of the election time; the follower may vote for another after twelve.
        rig.Ticks(8);
        rig.Host.Do(g => g.Read(2));
        Assert.Equal(2, rig.Confirmed.Count);
        rig.Ticks(1);
        rig.Host.Do(g => g.Read(3));
        Assert.Equal(2, rig.Confirmed.Count);
    }

    /// <summary>Dissertation 3.10 and 6.4.1: the target need not wait for an election time.</summary>
    [Fact]
    public void Leader_that_told_a_target_to_campaign_trusts_no_lease_any_more()
    {
        Rig rig = new(config: Config with { LeaseReads = true });
        rig.Ticks(24).Persist();
        rig.Lead().Persist();
        rig.Hear(2, new AppendAccepted(T(1), I(1))).Hear(3, new AppendAccepted(T(1), I(1)));
        rig.Host.Do(g => g.TransferLeadership(new NodeId(3)));
        for (int i = 0; i < Config.TransferTicksMax; i++)
        {
            rig.Ticks(1);
            rig.Take<Heartbeat>(2).ForEach(h => rig.Hear(2, new HeartbeatReply(T(1), h.ReadRound, I(1))));
        }

        rig.Host.Do(g => g.Read(1));
        Assert.Empty(rig.Confirmed);
    }

    /// <summary>
    /// Raft 5.2 wants heartbeats in idle times; a group that is quiet on all replicas does without, and without what rests on them
    /// (dissertation 6.4.1).
    /// </summary>
    [Fact]
    public void Quiet_leader_does_nothing_until_something_happens_and_holds_no_lease()
    {
        Rig rig = new(config: Config with { LeaseReads = true });
        rig.Ticks(24).Persist();
        rig.Lead().Persist();
        rig.Hear(2, new AppendAccepted(T(1), I(1))).Hear(3, new AppendAccepted(T(1), I(1)));
        for (int i = 0; i < Config.QuietAfterTicks; i++)
        {
            rig.Ticks(1);
            rig.Take<Heartbeat>(2).ForEach(h => rig.Hear(2, new HeartbeatReply(T(1), h.ReadRound, I(1))));
        }

        Assert.True(rig.Group.IsQuiet);
        rig.Sent.Clear();
        rig.Ticks(100);
        Assert.Empty(rig.Sent);
        Assert.Equal(Role.Leader, rig.Group.Role);

        rig.Host.Do(g => g.Read(1));
        Assert.False(rig.Group.IsQuiet);
        Assert.Empty(rig.Confirmed);
        Assert.NotEmpty(rig.Take<Heartbeat>(3));
    }

    /// <summary>Raft 5.2, as above: only who has all that is committed may do without heartbeats.</summary>
    [Fact]
    public void Follower_that_lacks_something_does_not_go_quiet()
    {
        Rig rig = new();
        rig.Hear(2, Append(1, 0, 0, 0, E(1, 1)));
        rig.Hear(2, new Quiesce(T(1), I(1), I(1))).Persist();
        Assert.False(rig.Group.IsQuiet);
        Assert.NotEmpty(rig.Take<Wake>(2));

        rig.Hear(2, new Quiesce(T(1), I(1), I(1)));
        Assert.True(rig.Group.IsQuiet);
        Assert.Equal(I(1), rig.Group.CommitIndex);
    }

    /// <summary>Raft 5.2, as above. Its node was up all the time, so nothing else wakes the leader that went quiet without it.</summary>
    [Fact]
    public void Learner_that_knows_no_leader_asks_all_voters_to_wake()
    {
        Rig rig = new(membership: new Membership([N(2), N(3)], [], [N(1)]));
        rig.Ticks(24);
        Assert.Equal([N(2), N(3)], rig.Sent.Where(m => m.Message is Wake).Select(m => m.To));
    }

    /// <summary>Raft 5.2, as above. A node sends nothing to itself, and what its former folder held is gone.</summary>
    [Fact]
    public void Learner_asks_no_former_folder_of_its_own_node_to_wake()
    {
        Rig rig = new(membership: new Membership([new ReplicaId(new NodeId(1), new StoreId(99)), N(2), N(3)], [], [N(1)]));
        rig.Ticks(24);
        Assert.Equal([N(2), N(3)], rig.Sent.Where(m => m.Message is Wake).Select(m => m.To));
    }

    /// <summary>Raft 5.1 ignores what comes from an older term; a wake may come from who has heard of none since, and changes nothing but the quiet.</summary>
    [Fact]
    public void A_wake_from_an_older_term_ends_the_quiet()
    {
        Rig rig = new();
        rig.Hear(2, Append(3, 0, 0, 0, E(1, 3))).Persist();
        rig.Hear(2, new Quiesce(T(3), I(1), I(1)));
        Assert.True(rig.Group.IsQuiet);

        rig.Sent.Clear();
        rig.Hear(3, new Wake(T(2)));
        Assert.False(rig.Group.IsQuiet);
        Assert.NotEmpty(rig.Take<Wake>(2));
    }

    /// <summary>Dissertation 3.10, used for a disk that does not answer.</summary>
    [Fact]
    public void Leader_with_a_stuck_disk_hands_over_and_does_not_come_back_before_its_disk_does()
    {
        Rig rig = new Rig().LeadCommitted();
        rig.Host.Propose("a");
        rig.Hear(3, new AppendAccepted(T(1), I(2)));
        rig.Host.Do(g => g.StepAside());

        Assert.Equal(Role.Follower, rig.Group.Role);
        Assert.Single(rig.Take<TimeoutNow>(3));
        Assert.Equal(1, rig.Host.WritesInFlight);
        rig.Ticks(200);
        Assert.Equal(Role.Follower, rig.Group.Role);
        rig.Persist().Ticks(24);
        Assert.Equal(Role.PreCandidate, rig.Group.Role);
    }
}
