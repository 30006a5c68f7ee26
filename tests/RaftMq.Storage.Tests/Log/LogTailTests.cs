using RaftMq.Raft;
using RaftMq.Storage.Log;

namespace RaftMq.Storage.Tests.Log;

public class LogTailTests
{
    private readonly RandomSource _random = new(3);

    [Fact]
    public void The_leader_fills_in_offset_and_epoch_before_the_checksum()
    {
        LogTail tail = Tail(new TailPool());
        tail.EncodeBatch(new Term(4), TestBatch.Make(_random, 10), 3, 100);
        Entry entry = tail.EncodeBatch(new Term(5), TestBatch.Make(_random, 10), 2, 100);
        Assert.True(StoredEntry.TryReadWhole(entry.Bytes.Span, out EntryHeader header));
        Assert.Equal(3, header.BaseOffset);
        Assert.Equal(3, System.Buffers.Binary.BinaryPrimitives.ReadInt64BigEndian(entry.Bytes.Span[EntryLayout.HeaderBytes..]));
        Assert.Equal(5, System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(entry.Bytes.Span[(EntryLayout.HeaderBytes + 12)..]));
        Assert.Equal(5, tail.NextOffset);
    }

    [Fact]
    public void Bytes_given_out_never_change_not_even_after_truncation_and_eviction()
    {
        TailPool pool = new(8 << 10);
        LogTail tail = Tail(pool);
        List<(ReadOnlyMemory<byte> Given, byte[] Copy)> given = [];
        for (int i = 0; i < 300; i++)
        {
            Entry entry = tail.EncodeBatch(new Term(1 + (i / 10)), TestBatch.Make(_random, _random.Next(400)), 1, i);
            given.Add((entry.Bytes, entry.Bytes.ToArray()));
            if (i % 10 == 9)
            {
                tail.TruncateFrom(tail.LastIndex - 3);
                tail.Committed = tail.LastIndex;
                tail.EvictableUpTo = tail.LastIndex;
            }
        }

        Assert.All(given, pair => Assert.True(pair.Given.Span.SequenceEqual(pair.Copy)));
        Assert.True(tail.FirstInMemory > new LogIndex(100));
        Assert.True(pool.UsedBytes <= pool.BudgetBytes + TailPool.ChunkBytesMax);
    }

    [Fact]
    public void Entries_that_are_not_evictable_stay_however_small_the_budget()
    {
        TailPool pool = new(4096);
        LogTail tail = Tail(pool);
        for (int i = 0; i < 200; i++)
        {
            tail.EncodeBatch(new Term(1), TestBatch.Make(_random, 200), 1, i);
        }

        Assert.Equal(new LogIndex(1), tail.FirstInMemory);
        Assert.True(pool.IsOverBudget);
        tail.EvictableUpTo = new LogIndex(150);
        for (int i = 0; i < 20; i++)
        {
            pool.Relieve();
        }

        Assert.InRange(tail.FirstInMemory.Value, 2, 151);
    }

    [Fact]
    public void The_oldest_chunk_of_all_groups_goes_first()
    {
        TailPool pool = new(3 * 4096);
        LogTail old = Tail(pool, 1);
        LogTail young = Tail(pool, 2);
        Fill(old);
        Fill(young);
        old.EvictableUpTo = old.LastIndex;
        young.EvictableUpTo = young.LastIndex;
        LogTail third = Tail(pool, 3);
        Fill(third);
        Fill(third);
        Assert.True(old.FirstInMemory > old.LastIndex);
        Assert.Equal(new LogIndex(1), young.FirstInMemory);

        void Fill(LogTail tail) => tail.EncodeBatch(new Term(1), TestBatch.Make(_random, 3900), 1, 0);
    }

    [Fact]
    public void An_entry_larger_than_a_chunk_gets_one_of_its_own()
    {
        TailPool pool = new();
        LogTail tail = Tail(pool);
        tail.EncodeBatch(new Term(1), TestBatch.Make(_random, 1 << 20), 1, 0);
        tail.EncodeBatch(new Term(1), TestBatch.Make(_random, 10), 1, 0);
        List<Entry> entries = [];
        Assert.True(tail.TryRead(new LogIndex(1), new LogIndex(2), 10, 100, entries));
        Assert.Single(entries);
        Assert.True(tail.TryRead(new LogIndex(1), new LogIndex(2), 10, 10 << 20, entries));
        Assert.Equal(3, entries.Count);
    }

    [Fact]
    public void Truncation_takes_offsets_terms_memberships_and_segment_starts_back()
    {
        LogTail tail = Tail(new TailPool());
        tail.EncodeBatch(new Term(1), TestBatch.Make(_random, 10), 5, 0);
        tail.AppendOwn(new LogIndex(2), new Term(2), EntryKind.Membership, Membership.Of(LogHarness.Replica(7)));
        tail.Roll = new RollPolicy(1, 1);
        tail.EncodeBatch(new Term(3), TestBatch.Make(_random, 10), 4, 0);
        Assert.Equal(9, tail.NextOffset);
        Assert.Equal(new LogIndex(3), tail.NextSegmentStart(new LogIndex(1)));

        tail.TruncateFrom(new LogIndex(2));
        Assert.Equal(5, tail.NextOffset);
        Assert.Equal(new Term(1), tail.LastTerm);
        Assert.Null(tail.NextSegmentStart(new LogIndex(1)));
        Assert.Empty(tail.MembershipsAbove(LogIndex.Zero));
    }

    [Fact]
    public void Committed_entries_can_not_be_truncated()
    {
        LogTail tail = Tail(new TailPool());
        tail.EncodeBatch(new Term(1), TestBatch.Make(_random, 10), 5, 0);
        tail.Committed = new LogIndex(1);
        Assert.Throws<InvariantViolationException>(() => tail.TruncateFrom(new LogIndex(1)));
    }

    [Fact]
    public void A_segment_starts_by_size_by_age_and_at_the_first_entry_ever()
    {
        LogTail tail = Tail(new TailPool());
        var roll = new RollPolicy(1000, 1000);
        tail.NowMs = 10_000;
        Assert.True(tail.ShouldStartSegment(roll, 10, 0));
        tail.EncodeBatch(new Term(1), TestBatch.Make(_random, 339), 1, 50);
        Assert.Equal(464, tail.HeaderAt(new LogIndex(1)).LengthBytes);
        Assert.False(tail.ShouldStartSegment(roll, 536, 60));
        Assert.True(tail.ShouldStartSegment(roll, 537, 60));
        Assert.False(tail.ShouldStartSegment(roll, 10, 1049));
        Assert.True(tail.ShouldStartSegment(roll, 10, 1050));

        // A record from the future does not make the segment older than it can be.
        tail.NowMs = 1_049;
        Assert.False(tail.ShouldStartSegment(roll, 10, 5_000));
    }

    private static LogTail Tail(TailPool pool, int group = 1) => new(
        new GroupId((UInt128)group),
        pool,
        new TailStart(LogIndex.Zero, 0, SegmentFirst: null, [(LogIndex.Zero, LogHarness.First)]),
        new TermTable(),
        RollPolicy.Default);
}
