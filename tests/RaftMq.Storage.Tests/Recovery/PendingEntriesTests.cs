using RaftMq.Raft;
using RaftMq.Storage.Recovery;

namespace RaftMq.Storage.Tests.Recovery;

public sealed class PendingEntriesTests
{
    [Fact]
    public void A_long_gap_takes_no_memory()
    {
        PendingEntries pending = new();
        pending.Add(new LogIndex(1), [1]);
        long before = GC.GetAllocatedBytesForCurrentThread();
        pending.AddLost(new LogIndex(2), new LogIndex(1L << 40));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4096);
        Assert.Equal((1L << 40, new LogIndex(2)), (pending.Count, pending.FirstLost));
    }

    /// <summary>Beside a list with one place for each entry, lost or not.</summary>
    [Fact]
    public void Any_order_of_entries_gaps_and_drops_leaves_what_a_plain_list_has()
    {
        RandomSource random = new(3);
        for (int round = 0; round < 300; round++)
        {
            PendingEntries pending = new();
            List<(LogIndex Index, byte? Value)> plain = [];
            LogIndex next = new(random.Next(1, 50));
            for (int step = 0; step < 60; step++)
            {
                LogIndex any = (plain.Count > 0 ? plain[0].Index : next) + random.Next(-2, plain.Count + 2);
                switch (random.Next(6))
                {
                    case 0:
                        LogIndex last = next + random.Next(6);
                        pending.AddLost(next, last);
                        for (; next <= last; next = next.Next)
                        {
                            plain.Add((next, null));
                        }

                        break;
                    case 1 when random.OneIn(3):
                        pending.DropFrom(any);
                        plain.RemoveAll(entry => entry.Index >= any);
                        next = plain.Count > 0 ? plain[^1].Index.Next : next;
                        break;
                    case 2 when random.OneIn(3):
                        pending.DropUpTo(any);
                        plain.RemoveAll(entry => entry.Index <= any);
                        break;
                    default:
                        pending.Add(next, [(byte)step]);
                        plain.Add((next, (byte)step));
                        next = next.Next;
                        break;
                }

                Assert.Equal(plain.Count, pending.Count);
                Assert.Equal(plain.Where(entry => entry.Value is null).Select(entry => (LogIndex?)entry.Index).FirstOrDefault(), pending.FirstLost);
                Assert.Equal(plain.Count(entry => entry.Value is not null), pending.SizeBytes);
                if (plain.Count > 0)
                {
                    Assert.Equal((plain[0].Index, plain[^1].Index), (pending.First, pending.Last));
                }

                Assert.All(plain, entry => Assert.Equal(entry.Value, pending[entry.Index].IsEmpty ? null : pending[entry.Index].Span[0]));
            }
        }
    }
}
