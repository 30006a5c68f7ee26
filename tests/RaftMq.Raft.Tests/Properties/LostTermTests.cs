using RaftMq.Raft.Tests.Support;
using static RaftMq.Raft.Tests.Support.Rig;

namespace RaftMq.Raft.Tests.Properties;

/// <summary>A replica may know its term by its log alone: of a base that came from another one, or where its hard state is lost.</summary>
public sealed class LostTermTests
{
    [Fact]
    public void The_term_of_the_last_entry_is_written_down_before_anything_is_said_in_it()
    {
        Rig rig = Started(hardStateIsLost: true);
        Assert.Equal(T(3), rig.Group.Term);
        Assert.Equal(1, rig.Host.WritesInFlight);
        rig.Ticks(50);
        Assert.Empty(rig.Sent);

        rig.Persist().Ticks(50);
        Assert.Equal(T(3), rig.Host.Disk.HardState.Term);
        Assert.Contains(rig.Sent, said => said.Message is TermQuery);
    }

    [Fact]
    public void A_replica_that_lost_entries_only_has_nothing_to_write() =>
        Assert.Equal(0, Started(hardStateIsLost: false).Host.WritesInFlight);

    /// <summary>Seed 179533654147900001 at defe228: a repair took the base behind which all others begin.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Nobody_hears_of_a_term_that_came_with_a_base_before_it_is_written_down(bool isUnwritten)
    {
        Rig rig = new(setup: disk =>
        {
            disk.Write(new HardState(T(3), null), [E(1, 3)]);
            disk.IsTermUnwritten = isUnwritten;
        });
        rig.Hear(2, new Heartbeat(T(3), I(1), 1));
        Assert.Equal(isUnwritten, rig.Sent.Count == 0);

        rig.Persist();
        Assert.Contains(rig.Sent, said => said.Message is HeartbeatReply);
    }

    /// <summary>Seed 179537428716200399 at fca64ae: the leader of t1 took the new replica for the one that had voted in t2.</summary>
    [Fact]
    public void A_replica_that_comes_back_takes_nothing_from_a_leader_of_before_its_predecessor_went()
    {
        RaftStart start = RaftStart.Empty(Membership.None).BornIn(T(3));
        Assert.Equal((new HardState(T(3), null), true), (start.HardState, start.IsTermUnwritten));

        Rig rig = new(membership: Membership.None, setup: disk =>
        {
            disk.Write(start.HardState, []);
            disk.IsTermUnwritten = start.IsTermUnwritten;
        });
        rig.Hear(2, Append(1, 0, 0, 0, E(1, 1))).Persist();
        rig.Hear(2, Append(1, 0, 0, 0, E(1, 1))).Persist();
        Assert.DoesNotContain(rig.Sent, said => said.Message is AppendAccepted || said.Message.Term < T(3));

        rig.Hear(3, Append(3, 0, 0, 0, E(1, 1))).Persist();
        Assert.Contains(rig.Sent, said => said.Message is AppendAccepted { Term: var term } && term == T(3));
    }

    [Fact]
    public void What_a_replica_knows_of_its_term_by_itself_stands()
    {
        RaftStart start = RaftStart.Empty(Membership.None) with { HardState = new HardState(T(5), N(2)) };
        Assert.Equal(start, start.BornIn(T(5)));
        Assert.Equal(start, start.BornIn(T(3)));
    }

    private static Rig Started(bool hardStateIsLost) => new(setup: disk =>
    {
        disk.Write(new HardState(T(5), N(2)), [E(1, 1), E(2, 3), E(3, 3)]);
        disk.Lose(I(2), heldIsKnown: !hardStateIsLost, hardStateToo: hardStateIsLost);
    });
}
