namespace RaftMq.Raft.Tests.Properties;

/// <summary>Quorum mathematics against definitions spelt out: every subset of voters, counted one by one.</summary>
public sealed class MajorityTests
{
    private static readonly RandomSource Random = new(11);

    [Fact]
    public void Reached_is_the_largest_value_that_more_than_half_have()
    {
        for (int run = 0; run < 3000; run++)
        {
            long[] values = Values(1 + Random.Next(9));
            long expected = values.Where(v => 2 * values.Count(w => w >= v) > values.Length).Max();

            Assert.Equal(expected, Majority.Reached([.. values]));
        }
    }

    [Fact]
    public void Any_two_majorities_share_a_voter()
    {
        for (int voters = 1; voters <= 7; voters++)
        {
            for (int a = 0; a < 1 << voters; a++)
            {
                for (int b = 0; b < 1 << voters; b++)
                {
                    bool both = int.PopCount(a) >= Majority.Of(voters) && int.PopCount(b) >= Majority.Of(voters);
                    Assert.True(!both || (a & b) != 0);
                }
            }
        }
    }

    [Fact]
    public void Joint_outcomes_need_both_halves()
    {
        for (int run = 0; run < 5000; run++)
        {
            List<ReplicaId> all = [.. Enumerable.Range(1, 7).Select(n => new ReplicaId(new NodeId(n), new StoreId(1)))];
            Membership membership = new(Some(all, atLeast: 1), Some(all, atLeast: 0), []);
            VoteTally tally = new();
            List<ReplicaId> granted = Some(all, 0);
            List<ReplicaId> refused = [.. Some(all, 0).Except(granted)];
            granted.ForEach(v => tally.Record(v, VoteAnswer.Granted));
            refused.ForEach(v => tally.Record(v, VoteAnswer.Refused));

            // Won: more than half of each list said yes. Lost: with all who are silent saying yes, it would still not be won.
            List<ReplicaId> hoped = [.. all.Except(refused)];
            VoteOutcome expected = Wins(membership, granted) ? VoteOutcome.Won
                : Wins(membership, hoped) ? VoteOutcome.Pending : VoteOutcome.Lost;

            Assert.Equal(expected, tally.Outcome(membership));
        }
    }

    [Fact]
    public void Abstentions_below_a_majority_are_made_up_for_by_everybody_else()
    {
        for (int voters = 1; voters <= 6; voters++)
        {
            for (int granted = 0; granted <= voters; granted++)
            {
                for (int abstained = 0; granted + abstained <= voters; abstained++)
                {
                    for (int refused = 0; granted + abstained + refused <= voters; refused++)
                    {
                        int silent = voters - granted - abstained - refused;
                        bool won = 2 * granted > voters || (granted + abstained == voters && abstained > 0 && 2 * abstained <= voters);
                        bool hope = 2 * (granted + silent) > voters || (refused == 0 && 2 * abstained <= voters);

                        Assert.Equal(
                            won ? VoteOutcome.Won : hope ? VoteOutcome.Pending : VoteOutcome.Lost,
                            Majority.Outcome(voters, granted, refused, abstained));
                    }
                }
            }
        }
    }

    [Fact]
    public void Commit_is_what_both_halves_have_reached()
    {
        RaftConfig config = new() { Group = new GroupId(1), Self = new ReplicaId(new NodeId(1), new StoreId(1)), Boot = default };
        for (int run = 0; run < 3000; run++)
        {
            List<ReplicaId> all = [.. Enumerable.Range(1, 6).Select(n => new ReplicaId(new NodeId(n), new StoreId(1)))];
            Membership membership = new(Some(all, atLeast: 1), Some(all, atLeast: 0), Some(all, atLeast: 0));
            PeerTable peers = new(config, membership, new LogIndex(1));
            long[] match = Values(6);
            foreach (Peer peer in peers.All)
            {
                peer.Accepted(new LogIndex(match[peer.Id.Node.Value - 1]), new LogIndex(100));
            }

            long expected = Enumerable.Range(0, 20).Select(v => (long)v).Last(v => Wins(
                membership, [.. all.Where(r => match[r.Node.Value - 1] >= v)]));

            Assert.Equal(expected, peers.Reached(static p => p.Match.Value, match[0]));
            Assert.Equal(
                membership.Voters.Count(r => match[r.Node.Value - 1] >= 5),
                peers.VotersAt(static p => p.Match.Value, match[0], 5));
        }
    }

    private static bool Wins(Membership membership, List<ReplicaId> yes) =>
        2 * membership.Voters.Count(yes.Contains) > membership.Voters.Count
        && (membership.OutgoingVoters.Count == 0 || 2 * membership.OutgoingVoters.Count(yes.Contains) > membership.OutgoingVoters.Count);

    private static long[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => (long)Random.Next(10))];

    private static List<ReplicaId> Some(List<ReplicaId> all, int atLeast)
    {
        List<ReplicaId> some = all.FindAll(_ => Random.OneIn(2));
        return some.Count >= atLeast ? some : Some(all, atLeast);
    }
}
