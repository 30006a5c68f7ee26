namespace RaftMq.Raft.Tests.Properties;

/// <summary>Term runs and memberships against a plain list of every entry.</summary>
public sealed class TermRunsTests
{
    [Fact]
    public void Runs_say_what_a_list_of_all_terms_says()
    {
        RandomSource random = new(5);
        for (int run = 0; run < 400; run++)
        {
            TermRuns runs = new(LogIndex.Zero, Term.Zero, [], LogIndex.Zero);
            List<int> naive = [0];
            int baseIndex = 0;
            for (int step = 0; step < 60; step++)
            {
                switch (random.Next(8))
                {
                    case 0 when naive.Count - 1 > baseIndex:
                        int from = random.Next(baseIndex + 1, naive.Count);
                        runs.TruncateFrom(new LogIndex(from));
                        naive.RemoveRange(from, naive.Count - from);
                        break;
                    case 1:
                        baseIndex = random.Next(baseIndex, naive.Count);
                        runs.CutTo(new LogIndex(baseIndex));
                        break;
                    case 2 when random.OneIn(6):
                        int next = naive.Count + random.Next(5);
                        int term = naive[^1] + random.Next(3);
                        naive.AddRange(Enumerable.Repeat(term, next + 1 - naive.Count));
                        baseIndex = next;
                        runs.ResetTo(new LogIndex(next), new Term(term));
                        break;
                    default:
                        naive.Add(naive[^1] + (random.OneIn(3) ? random.Next(3) : 0));
                        runs.Append(new LogIndex(naive.Count - 1), new Term(naive[^1]));
                        break;
                }

                Check(runs, naive, baseIndex, random);
            }
        }
    }

    private static void Check(TermRuns runs, List<int> naive, int baseIndex, RandomSource random)
    {
        Assert.Equal(naive.Count - 1, runs.LastIndex.Value);
        Assert.Equal(naive[^1], runs.LastTerm.Value);
        for (int i = 0; i < naive.Count + 2; i++)
        {
            Term? expected = i < baseIndex || i >= naive.Count ? null : new Term(naive[i]);
            Assert.Equal(expected, runs.TermAt(new LogIndex(i)));
        }

        int from = random.Next(baseIndex, naive.Count + 2);
        int term = random.Next(naive[^1] + 2);
        int meet = Math.Min(from, naive.Count - 1);
        while (meet > baseIndex && naive[meet] > term)
        {
            meet--;
        }

        Assert.Equal(meet, runs.LastWithTermAtMost(new LogIndex(from), new Term(term)).Value);
    }

    [Fact]
    public void Memberships_go_with_the_entries_that_brought_them()
    {
        RandomSource random = new(6);
        for (int run = 0; run < 400; run++)
        {
            MembershipHistory history = new(LogIndex.Zero, Membership.None, []);
            List<Membership> naive = [Membership.None];
            int baseIndex = 0;
            for (int step = 0; step < 40; step++)
            {
                switch (random.Next(6))
                {
                    case 0 when naive.Count - 1 > baseIndex:
                        int from = random.Next(baseIndex + 1, naive.Count);
                        history.TruncateFrom(new LogIndex(from));
                        naive.RemoveRange(from, naive.Count - from);
                        break;
                    case 1:
                        baseIndex = random.Next(baseIndex, naive.Count);
                        history.CutTo(new LogIndex(baseIndex));
                        break;
                    case 2:
                        Membership membership = Membership.Of(new ReplicaId(new NodeId(step), default));
                        naive.Add(membership);
                        history.Append(new LogIndex(naive.Count - 1), membership);
                        break;
                    default:
                        naive.Add(naive[^1]);
                        break;
                }

                Assert.Same(naive[^1], history.Newest);
                int at = random.Next(baseIndex, naive.Count);
                Assert.Same(naive[at], history.At(new LogIndex(at)));
            }
        }
    }
}
