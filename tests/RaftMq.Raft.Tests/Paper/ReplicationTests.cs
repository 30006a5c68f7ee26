using RaftMq.Raft.Tests.Support;
using static RaftMq.Raft.Tests.Support.Rig;

namespace RaftMq.Raft.Tests.Paper;

/// <summary>Raft 5.3, 5.4; dissertation 10.2.1.</summary>
public sealed class ReplicationTests
{
    /// <summary>Dissertation 10.2.1.</summary>
    [Fact]
    public void Leader_sends_while_its_own_disk_still_writes_and_counts_itself_when_it_has_written()
    {
        Rig rig = new Rig().LeadCommitted();
        rig.Hear(2, new AppendAccepted(T(1), I(1)));
        rig.Host.Propose("a");

        Assert.Single(rig.Take<AppendEntries>(2));
        Assert.Equal(1, rig.Host.WritesInFlight);

        rig.Hear(2, new AppendAccepted(T(1), I(2)));
        Assert.Equal(I(1), rig.Group.CommitIndex);
        Assert.Equal(1, rig.Group.VotersDurableAt(I(2)));
        rig.Persist();
        Assert.Equal(I(2), rig.Group.CommitIndex);
        Assert.Equal(2, rig.Group.VotersDurableAt(I(2)));
    }

    /// <summary>Dissertation 10.2.1: the leader's own disk need not be in the majority.</summary>
    [Fact]
    public void Majority_without_the_leader_commits()
    {
        Rig rig = new Rig().LeadCommitted();
        rig.Host.Propose("a");
        rig.Hear(2, new AppendAccepted(T(1), I(2))).Hear(3, new AppendAccepted(T(1), I(2)));

        Assert.Equal(I(2), rig.Group.CommitIndex);
        Assert.Equal(I(1), rig.Group.DurableIndex);
    }

    /// <summary>Raft 5.3, and figure 2: entries are on stable storage before the answer.</summary>
    [Fact]
    public void Follower_acknowledges_when_it_is_durable()
    {
        Rig rig = new();
        rig.Hear(2, Append(1, 0, 0, 0, E(1, 1), E(2, 1)));
        Assert.DoesNotContain(rig.Take<AppendAccepted>(2), a => a.DurableIndex > I(0));

        rig.Persist();
        Assert.Equal(I(2), rig.Take<AppendAccepted>(2)[^1].DurableIndex);
    }

    /// <summary>Raft 5.3: the consistency check reaches as far as the leader has vouched.</summary>
    [Fact]
    public void Follower_acknowledges_only_what_equals_the_leaders_log()
    {
        Rig rig = new(setup: disk => disk.Write(new HardState(T(1), null), [E(1, 1), E(2, 1), E(3, 1)]));
        rig.Hear(2, Append(2, 1, 1, 0)).Hear(2, new Heartbeat(T(2), I(3), 0)).Persist();

        // Entries 2 and 3 are durable, but the leader of term 2 has not vouched for them.
        Assert.Equal(I(1), rig.Take<AppendAccepted>(2)[^1].DurableIndex);
        Assert.Equal(I(1), rig.Take<HeartbeatReply>(2)[^1].DurableIndex);
        Assert.Equal(I(1), rig.Group.CommitIndex);
    }

    /// <summary>Raft 5.3, and figure 2: an entry that conflicts is cut with all behind it, and only such a one.</summary>
    [Fact]
    public void Only_the_first_conflict_cuts_and_nothing_stale_does()
    {
        Rig rig = new(setup: disk => disk.Write(new HardState(T(1), null), [E(1, 1), E(2, 1), E(3, 1), E(4, 1)]));

        // entries that are here already, fewer of them than here.
        rig.Hear(2, Append(2, 0, 0, 0, E(1, 1), E(2, 1)));
        Assert.Equal(I(4), rig.Group.LastIndex);

        rig.Hear(2, Append(2, 1, 1, 0, E(2, 1), E(3, 2)));
        Assert.Equal(I(3), rig.Group.LastIndex);
        Assert.Equal(T(2), rig.Group.TermAt(I(3)));
        rig.Persist();
        Assert.Equal(I(3), rig.Group.DurableIndex);
        Assert.Equal(I(3), rig.Host.Disk.LastIndex);
    }

    /// <summary>Raft 5.4.3: leader completeness.</summary>
    [Fact]
    public void Conflict_at_or_below_commit_is_a_bug()
    {
        Rig rig = new();
        rig.Hear(2, Append(1, 0, 0, 2, E(1, 1), E(2, 1))).Persist();

        Assert.Throws<InvariantViolationException>(() => rig.Hear(2, Append(2, 1, 1, 0, E(2, 2))));
    }

    /// <summary>Raft 5.2: election safety.</summary>
    [Fact]
    public void Second_leader_in_a_term_is_a_bug()
    {
        Rig rig = new();
        rig.Hear(2, new Heartbeat(T(1), I(0), 0));

        Assert.Throws<InvariantViolationException>(() => rig.Hear(3, new Heartbeat(T(1), I(0), 0)));
    }

    /// <summary>Raft 5.3: a refusal says the term that conflicts, so that one message is enough per term.</summary>
    [Fact]
    public void Refusals_lead_back_by_whole_terms_and_strictly()
    {
        Rig rig = new(setup: disk => disk.Write(
            new HardState(T(3), null), [.. Enumerable.Range(1, 30).Select(i => E(i, i <= 10 ? 1 : 3))]));
        rig.Lead();
        Assert.Equal(I(30), rig.Take<AppendEntries>(2)[^1].PreviousIndex);

        // The follower has 25 entries, from 11 on of term 2: the logs can agree at 10 at the latest.
        rig.Hear(2, new AppendRejected(T(4), I(30), I(25), T(2)));
        Assert.Equal(I(10), rig.Take<AppendEntries>(2)[^1].PreviousIndex);

        // The same refusal again, late: already acted upon.
        rig.Hear(2, new AppendRejected(T(4), I(30), I(25), T(2)));
        Assert.Empty(rig.Take<AppendEntries>(2));

        // A refusal whose hint does not help still leads back.
        rig.Hear(2, new AppendRejected(T(4), I(10), I(10), T(1)));
        Assert.Equal(I(9), rig.Take<AppendEntries>(2)[^1].PreviousIndex);
    }

    /// <summary>Dissertation 10.2.2: pipelining.</summary>
    [Fact]
    public void Window_bounds_what_is_sent_ahead()
    {
        Rig rig = new(config: Config with { WindowEntries = 3, ProbeBytesMax = 0 });
        rig.LeadCommitted();
        for (int i = 0; i < 10; i++)
        {
            Assert.True(rig.Host.Propose("a"));
        }

        Assert.Equal(3, rig.Take<AppendEntries>(2).Sum(m => m.Entries.Count));
        rig.Hear(2, new AppendAccepted(T(1), I(3)));
        Assert.Equal(2, rig.Take<AppendEntries>(2).Sum(m => m.Entries.Count));
    }

    /// <summary>Dissertation 10.2.2: pipelining is limited, in bytes too.</summary>
    [Fact]
    public void Window_bounds_the_bytes_that_are_sent_ahead()
    {
        Rig rig = new(config: Config with { WindowBytes = 300, ProbeBytesMax = 0 });
        rig.LeadCommitted();
        for (int i = 0; i < 10; i++)
        {
            Assert.True(rig.Host.Propose(new string('a', 100)));
        }

        List<Entry> sent = [.. rig.Take<AppendEntries>(2).SelectMany(m => m.Entries)];
        int size = sent[0].SizeBytes;
        Assert.Equal((299 / size) + 1, sent.Count);
        Assert.Empty(rig.Take<AppendEntries>(2));

        // What is acknowledged makes room for as much again, and no more.
        rig.Hear(2, new AppendAccepted(T(1), sent[0].Index));
        List<Entry> next = [.. rig.Take<AppendEntries>(2).SelectMany(m => m.Entries)];
        Assert.Equal([sent[^1].Index.Next], next.Select(e => e.Index));
    }

    /// <summary>Dissertation 10.2.2: batching.</summary>
    [Fact]
    public void Messages_carry_at_most_their_bytes_and_a_larger_entry_travels_alone()
    {
        Rig rig = new(config: Config with { AppendBytesMax = 10, WindowBytes = 1000 });
        rig.LeadCommitted();
        rig.Host.Propose("aaaa");
        rig.Host.Propose(new string('b', 50));
        rig.Host.Propose("cccc");

        Assert.All(rig.Take<AppendEntries>(2), m => Assert.True(m.Entries.Count == 1));
    }

    /// <summary>Dissertation 10.2.2, with a limit to what waits.</summary>
    [Fact]
    public void Uncommitted_bytes_are_bounded_but_one_entry_always_passes()
    {
        Rig rig = new(config: Config with { UncommittedBytesMax = 10 });
        rig.LeadCommitted();

        Assert.True(rig.Host.Propose(new string('a', 50)));
        Assert.False(rig.Host.Propose("b"));
        Assert.IsType<ProposeResult.Busy>(rig.Group.Admit(1));
        rig.Hear(2, new AppendAccepted(T(1), I(2))).Persist();
        Assert.True(rig.Host.Propose("b"));
    }

    /// <summary>Raft 5.3: the leader retries until all followers store all entries.</summary>
    [Fact]
    public void Lost_append_is_found_by_the_next_heartbeat()
    {
        Rig rig = new Rig().LeadCommitted();
        rig.Host.Propose("a");
        rig.Take<AppendEntries>(2);
        rig.Hear(2, new HeartbeatReply(T(1), 0, I(1)));
        AppendEntries asked = Assert.Single(rig.Take<AppendEntries>(2));
        rig.Hear(2, new AppendRejected(T(1), asked.PreviousIndex, I(1), T(1)));

        Assert.Equal(I(2), Assert.Single(rig.Take<AppendEntries>(2)[^1].Entries).Index);
    }

    /// <summary>Raft 5.3; stricter than there: an acknowledgement counts only while the life that gave it lasts.</summary>
    [Fact]
    public void New_boot_number_voids_earlier_acks_and_an_older_one_is_not_heard()
    {
        Rig rig = new Rig().LeadCommitted();
        rig.Host.Propose("a");
        rig.Hear(2, new AppendAccepted(T(1), I(2)));
        rig.Hear(2, new HeartbeatReply(T(1), 0, I(1)), boot: 2);
        rig.Persist();
        Assert.Equal(I(1), rig.Group.CommitIndex);

        rig.Hear(2, new AppendAccepted(T(1), I(2)), boot: 1);
        Assert.Equal(I(1), rig.Group.CommitIndex);
        rig.Hear(2, new AppendAccepted(T(1), I(2)), boot: 2);
        Assert.Equal(I(2), rig.Group.CommitIndex);
    }

    /// <summary>Raft 5.3: what no leader sends is not followed.</summary>
    [Fact]
    public void Malformed_messages_are_dropped()
    {
        Rig rig = new();
        rig.Hear(2, Append(1, 0, 0, 0, E(2, 1)));
        rig.Hear(2, Append(1, 0, 0, 0, E(1, 2)));
        rig.Hear(2, Append(1, -1, 0, 0));
        rig.Hear(2, Append(1, 0, 0, 0, E(1, 1) with { Kind = EntryKind.Membership }));

        Assert.Equal(I(0), rig.Group.LastIndex);
        Assert.Equal(Term.Zero, rig.Group.Term);
        Assert.Empty(rig.Sent);
    }

    /// <summary>Dissertation 4.2.1: who has caught up is known by its progress.</summary>
    [Fact]
    public void Laggards_are_told_apart_from_those_who_keep_pace()
    {
        Rig rig = new Rig().LeadCommitted();
        for (int i = 2; i < 30; i++)
        {
            rig.Host.Propose("a");
            rig.Persist().Ticks(1);

            // n2 is always one entry behind, n3 answers heartbeats only.
            rig.Hear(2, new AppendAccepted(T(1), I(i - 1))).Hear(3, new HeartbeatReply(T(1), 0, I(1)));
        }

        Assert.InRange(rig.Group.Progress[0].TicksSinceCaughtUp, 0, 2);
        Assert.InRange(rig.Group.Progress[1].TicksSinceCaughtUp, 27, 28);
        Assert.Equal(0, rig.Group.Progress[1].TicksSinceHeard);
    }
}
