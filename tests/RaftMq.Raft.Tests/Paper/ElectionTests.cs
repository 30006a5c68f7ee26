using RaftMq.Raft.Tests.Support;
using static RaftMq.Raft.Tests.Support.Rig;

namespace RaftMq.Raft.Tests.Paper;

/// <summary>Raft 5.2, 5.4.1; dissertation 4.2.3, 9.6.</summary>
public sealed class ElectionTests
{
    /// <summary>Raft 5.2: randomized election times.</summary>
    [Fact]
    public void Election_times_are_drawn_from_min_to_twice_min()
    {
        HashSet<int> drawn = [];
        for (ulong seed = 0; seed < 400; seed++)
        {
            MemoryTail tail = new(LogIndex.Zero);
            RaftConfig config = Config with { Self = N(1), Boot = new BootNumber(1) };
            RaftGroup group = new(config, RaftStart.Empty(Membership.Of(N(1), N(2))), tail, new RandomSource(seed));
            int ticks = 0;
            while (group.Role == Role.Follower)
            {
                group.Tick();
                ticks++;
            }

            drawn.Add(ticks);
        }

        Assert.Equal(Enumerable.Range(12, 13), drawn.Order());
    }

    /// <summary>Raft 5.1: terms never go back. It may know its own by the last entry alone; the record that ends the damage must not leave an older one behind.</summary>
    [Fact]
    public void Replica_that_lost_its_term_writes_down_the_one_that_it_starts_with()
    {
        Rig rig = new(setup: disk =>
        {
            disk.Write(new HardState(T(3), N(2)), [E(1, 1), E(2, 3)]);
            disk.Lose(I(2), heldIsKnown: false, hardStateToo: true);
        });
        rig.Ticks(1);

        Assert.Equal(1, rig.Host.WritesInFlight);
    }

    /// <summary>Dissertation 9.6.</summary>
    [Fact]
    public void Pre_candidate_does_not_touch_its_term()
    {
        Rig rig = new();
        rig.Ticks(24);

        Assert.Equal(Role.PreCandidate, rig.Group.Role);
        Assert.Equal(Term.Zero, rig.Group.Term);
        Assert.Equal(0, rig.Host.WritesInFlight);
    }

    /// <summary>Raft 5.2, and figure 2: a vote is on stable storage before anybody hears of it.</summary>
    [Fact]
    public void Candidate_asks_for_votes_only_when_its_own_is_durable()
    {
        Rig rig = new();
        rig.Host.Do(g => g.Campaign());
        rig.Hear(2, new PreVoteReply(T(1), Granted: true));

        Assert.Equal(Role.Candidate, rig.Group.Role);
        Assert.Empty(rig.Take<VoteRequest>(2));
        rig.Persist();
        Assert.Single(rig.Take<VoteRequest>(2));
    }

    /// <summary>Raft 5.2, and figure 2: currentTerm and votedFor are on stable storage before an answer.</summary>
    [Fact]
    public void Vote_is_answered_only_when_it_is_durable()
    {
        Rig rig = new();
        rig.Hear(2, new VoteRequest(T(1), I(0), T(0), LeadershipTransfer: false));

        Assert.Empty(rig.Take<VoteReply>(2));

        // A repeated request finds the write under way and waits for it, too.
        rig.Hear(2, new VoteRequest(T(1), I(0), T(0), LeadershipTransfer: false));
        Assert.Empty(rig.Take<VoteReply>(2));
        rig.Persist();
        Assert.Equal([true, true], rig.Take<VoteReply>(2).Select(r => r.Granted));
    }

    /// <summary>Raft 5.2, and figure 2: the term is on the disk, the vote is not; it is a write of its own.</summary>
    [Fact]
    public void Vote_in_a_term_that_is_durable_already_is_made_durable_before_it_is_answered()
    {
        Rig rig = new(setup: disk => disk.Write(new HardState(T(1), null), [E(1, 1)]));
        rig.Hear(2, new VoteRequest(T(2), I(0), T(0), LeadershipTransfer: false)).Persist();
        Assert.False(Assert.Single(rig.Take<VoteReply>(2)).Granted);
        Assert.Equal(new HardState(T(2), null), rig.Host.Disk.HardState);

        rig.Hear(3, new VoteRequest(T(2), I(1), T(1), LeadershipTransfer: false));

        Assert.Empty(rig.Take<VoteReply>(3));
        Assert.Equal(1, rig.Host.WritesInFlight);
        rig.Persist();
        Assert.True(Assert.Single(rig.Take<VoteReply>(3)).Granted);
        Assert.Equal(new HardState(T(2), N(3)), rig.Host.Disk.HardState);
    }

    /// <summary>Raft 5.2, and figure 2: who has not answered is asked again, but not sooner than the vote for itself is durable.</summary>
    [Fact]
    public void Candidate_on_a_slow_disk_does_not_ask_again_before_its_vote_is_durable()
    {
        Rig rig = new();
        rig.Host.Do(g => g.Campaign());
        rig.Hear(2, new PreVoteReply(T(1), Granted: true));

        rig.Ticks(6);

        Assert.Equal(Role.Candidate, rig.Group.Role);
        Assert.Empty(rig.Take<VoteRequest>(2));
        Assert.Empty(rig.Take<VoteRequest>(3));
        rig.Persist();
        Assert.NotEmpty(rig.Take<VoteRequest>(2));
    }

    /// <summary>Raft 5.2: at most one candidate per term; dissertation 3.8 (restarts).</summary>
    [Fact]
    public void One_vote_per_term_also_after_a_restart()
    {
        Rig rig = new();
        rig.Hear(2, new VoteRequest(T(1), I(0), T(0), LeadershipTransfer: false)).Persist();
        rig.Host.Crash(0);
        rig.Host.Start();
        rig.Hear(3, new VoteRequest(T(1), I(0), T(0), LeadershipTransfer: false)).Persist();

        Assert.False(Assert.Single(rig.Take<VoteReply>(3)).Granted);
    }

    /// <summary>Raft 5.4.1.</summary>
    [Theory]
    [InlineData(2, 1, false)] // an older last term, however long
    [InlineData(9, 1, false)]
    [InlineData(2, 2, false)] // the same last term, shorter
    [InlineData(3, 2, true)]
    [InlineData(1, 3, true)] // a later last term, however short
    public void Vote_goes_to_logs_that_are_at_least_as_up_to_date(long lastIndex, int lastTerm, bool granted)
    {
        Rig rig = new(setup: disk => disk.Write(new HardState(T(2), null), [E(1, 1), E(2, 2), E(3, 2)]));
        rig.Hear(2, new PreVoteRequest(T(9), I(lastIndex), T(lastTerm)));
        rig.Hear(3, new VoteRequest(T(9), I(lastIndex), T(lastTerm), LeadershipTransfer: false)).Persist();

        Assert.Equal(granted, Assert.Single(rig.Take<PreVoteReply>(2)).Granted);
        Assert.Equal(granted, Assert.Single(rig.Take<VoteReply>(3)).Granted);
    }

    /// <summary>Dissertation 4.2.3: who hears a leader is not disturbed.</summary>
    [Fact]
    public void Live_leader_keeps_votes_and_terms_from_others()
    {
        Rig rig = new();
        rig.Hear(2, new Heartbeat(T(1), I(0), 1)).Persist();
        rig.Hear(3, new PreVoteRequest(T(5), I(0), T(0)));
        rig.Hear(3, new VoteRequest(T(5), I(0), T(0), LeadershipTransfer: false)).Persist();

        Assert.False(Assert.Single(rig.Take<PreVoteReply>(3)).Granted);
        Assert.Empty(rig.Take<VoteReply>(3));
        Assert.Equal(T(1), rig.Group.Term);

        // The leader itself asked for that election (dissertation 3.10).
        rig.Hear(3, new VoteRequest(T(5), I(0), T(0), LeadershipTransfer: true)).Persist();
        Assert.True(Assert.Single(rig.Take<VoteReply>(3)).Granted);
    }

    /// <summary>Dissertation 4.2.3, and 6.4.1 for the leases that stand on it.</summary>
    [Fact]
    public void Lost_leader_is_forgotten_unless_leases_are_on()
    {
        foreach (bool lease in (bool[])[false, true])
        {
            Rig rig = new(config: Config with { LeaseReads = lease });
            rig.Hear(2, new Heartbeat(T(1), I(0), 1)).Persist();
            rig.Host.Do(g => g.LeaderLost());
            rig.Hear(3, new PreVoteRequest(T(2), I(0), T(0)));

            Assert.Equal(!lease, Assert.Single(rig.Take<PreVoteReply>(3)).Granted);
        }
    }

    /// <summary>Dissertation 6.4.1.</summary>
    [Fact]
    public void With_leases_a_restarted_voter_waits_out_what_it_may_have_promised()
    {
        Rig rig = new(config: Config with { LeaseReads = true });
        rig.Hear(3, new PreVoteRequest(T(2), I(0), T(0)));
        Assert.False(Assert.Single(rig.Take<PreVoteReply>(3)).Granted);

        rig.Ticks(12).Hear(3, new PreVoteRequest(T(2), I(0), T(0)));
        Assert.True(rig.Take<PreVoteReply>(3)[^1].Granted);
    }

    /// <summary>Dissertation 6.2: check-quorum.</summary>
    [Fact]
    public void Leader_steps_down_when_it_hears_no_quorum()
    {
        Rig rig = new Rig().LeadCommitted();
        rig.Ticks(Config.ElectionTicksMin + 1);

        Assert.Equal(Role.Follower, rig.Group.Role);
        Assert.Null(rig.Group.Leader);
    }

    /// <summary>Raft 5.1.</summary>
    [Fact]
    public void Higher_term_deposes_a_leader()
    {
        Rig rig = new Rig().LeadCommitted();
        rig.Hear(2, new HeartbeatReply(T(7), 0, I(0)));

        Assert.Equal(Role.Follower, rig.Group.Role);
        Assert.Equal(T(7), rig.Group.Term);
    }

    /// <summary>Raft 5.1: a stale term is refused with the current one.</summary>
    [Fact]
    public void Leader_of_the_past_is_told_the_term()
    {
        Rig rig = new(setup: disk => disk.Write(new HardState(T(5), null), []));
        rig.Hear(2, new Heartbeat(T(3), I(0), 1));

        Assert.Equal(T(5), Assert.Single(rig.Take<HeartbeatReply>(2)).Term);
    }

    /// <summary>Raft 6: a server votes also for who is not in its latest configuration; here only with a newer log.</summary>
    [Fact]
    public void Strangers_get_no_vote_unless_their_log_is_newer()
    {
        Rig rig = new(setup: disk => disk.Write(new HardState(T(1), null), [E(1, 1)]));
        rig.Hear(9, new VoteRequest(T(2), I(1), T(1), LeadershipTransfer: false)).Persist();
        Assert.Empty(rig.Take<VoteReply>(9));
        Assert.Equal(T(1), rig.Group.Term);

        // It may hold the membership that names it.
        rig.Hear(9, new VoteRequest(T(2), I(2), T(1), LeadershipTransfer: false)).Persist();
        Assert.True(Assert.Single(rig.Take<VoteReply>(9)).Granted);
    }

    /// <summary>Raft 5.2: one vote per server, so that another store under its number has none.</summary>
    [Fact]
    public void Another_store_of_a_member_is_not_that_voter()
    {
        Rig rig = new();
        rig.Host.Do(g => g.Campaign());
        ReplicaId impostor = new(new NodeId(2), new StoreId(99));
        rig.Host.Do(g => g.Step(impostor, new BootNumber(1), new PreVoteReply(T(1), Granted: true)));

        Assert.Equal(Role.PreCandidate, rig.Group.Role);
    }

    /// <summary>Raft 5.2: its own vote is the majority.</summary>
    [Fact]
    public void Lone_voter_elects_itself_at_once_and_its_term_is_durable_first()
    {
        Rig rig = new(voters: 1);
        rig.Ticks(1);
        Assert.Equal(Role.Candidate, rig.Group.Role);

        rig.Persist();
        Assert.Equal(Role.Leader, rig.Group.Role);
        Assert.Equal(I(1), rig.Group.CommitIndex);
    }

    /// <summary>Raft 5.1: terms only grow, and there is no next one.</summary>
    [Fact]
    public void In_the_last_term_nobody_campaigns()
    {
        Rig rig = new(setup: disk => disk.Write(new HardState(Term.Last, null), []));
        rig.Ticks(200);

        Assert.Equal(Role.Follower, rig.Group.Role);
        Assert.Equal(Term.Last, rig.Group.Term);
    }

    /// <summary>Raft 5.2; stricter than there: a vote counts only while the life that gave it lasts.</summary>
    [Fact]
    public void Votes_of_a_former_life_do_not_count()
    {
        Rig rig = new(voters: 5);
        rig.Host.Do(g => g.Campaign());
        rig.Hear(2, new PreVoteReply(T(1), Granted: true)).Hear(3, new PreVoteReply(T(1), Granted: true)).Persist();
        rig.Hear(2, new VoteReply(T(1), Granted: true));
        rig.Hear(2, new PreVoteRequest(T(1), I(0), T(0)), boot: 2);
        rig.Hear(3, new VoteReply(T(1), Granted: true));

        Assert.Equal(Role.Candidate, rig.Group.Role);
        rig.Hear(4, new VoteReply(T(1), Granted: true));
        Assert.Equal(Role.Leader, rig.Group.Role);
    }
}
