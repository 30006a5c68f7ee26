namespace RaftMq.Raft.Tests.Properties;

/// <summary>The durable index against a disk that is written in order, one entry being known by a number of its own .</summary>
public sealed class PersistTrackerTests
{
    [Fact]
    public void Durable_is_the_part_of_the_log_that_is_on_the_disk()
    {
        RandomSource random = new(9);
        for (int run = 0; run < 2000; run++)
        {
            PersistTracker tracker = new(LogIndex.Zero);
            List<int> log = [];
            List<int> disk = [];
            Queue<(PersistToken Token, List<int> Log)> writes = new();
            int unique = 0;
            for (int step = 0; step < 30; step++)
            {
                switch (random.Next(3))
                {
                    case 0:
                        int keep = disk.Count == 0 && log.Count == 0 ? 0 : random.Next(log.Count + 1);
                        if (keep < log.Count && random.OneIn(2))
                        {
                            log.RemoveRange(keep, log.Count - keep);
                            tracker.TruncateFrom(new LogIndex(keep + 1));
                        }

                        log.AddRange(Enumerable.Range(0, 1 + random.Next(3)).Select(_ => unique++));

                        // All of the same term: only the writes' history tells the entries apart.
                        writes.Enqueue((tracker.Issue(new LogIndex(log.Count), new Term(1)), [.. log]));
                        break;
                    case 1 when writes.Count > 0:
                        (PersistToken token, disk) = writes.Dequeue();
                        tracker.Confirm(token);
                        tracker.Confirm(token);
                        break;
                    default:
                        break;
                }

                int same = log.Zip(disk).TakeWhile(p => p.First == p.Second).Count();
                Assert.Equal(same, tracker.Durable.Value);
            }
        }
    }

    [Fact]
    public void Writes_from_before_a_snapshot_stand_for_nothing_after_it()
    {
        PersistTracker tracker = new(LogIndex.Zero);
        PersistToken before = tracker.Issue(new LogIndex(9), new Term(1));

        tracker.ResetTo(new LogIndex(5));
        tracker.Confirm(before);

        Assert.Equal(5, tracker.Durable.Value);
    }

    [Fact]
    public void A_token_that_was_never_issued_is_a_bug() =>
        Assert.Throws<InvariantViolationException>(() => new PersistTracker(LogIndex.Zero).Confirm(new PersistToken(1, default, default)));
}
