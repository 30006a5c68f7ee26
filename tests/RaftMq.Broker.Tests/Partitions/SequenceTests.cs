using RaftMq.Broker.Encoding;
using RaftMq.Broker.Partitions;
using RaftMq.Raft;

namespace RaftMq.Broker.Tests.Partitions;

/// <summary>Sequences of idempotent producers: the table that is replicated and the leader's overlay on it (IDEMPOTENT, O-01, O-04).</summary>
public sealed class SequenceTests
{
    private readonly ProducerTable _table = new(producersMax: 3);
    private readonly SequenceCheck _check;
    private long _nextOffset;

    public SequenceTests() => _check = new SequenceCheck(_table);

    [Fact]
    public void A_new_producer_begins_at_zero()
    {
        Assert.Equal(SequenceVerdict.Next, Check(0, 4));
        Assert.Equal(SequenceVerdict.OutOfOrder, Check(5, 9));
    }

    [Fact]
    public void The_next_batch_follows_the_last_without_a_gap()
    {
        Store(0, 4);

        Assert.Equal(SequenceVerdict.Next, Check(5, 9));
        Assert.Equal(SequenceVerdict.OutOfOrder, Check(6, 9));
        Assert.Equal(SequenceVerdict.OutOfOrder, Check(3, 9));
    }

    [Fact]
    public void Each_of_the_last_five_batches_is_known_again_with_its_offset()
    {
        for (int i = 0; i < 7; i++)
        {
            Store(i * 10, (i * 10) + 9);
        }

        for (int i = 2; i < 7; i++)
        {
            Assert.Equal(SequenceVerdict.Stored, Check(i * 10, (i * 10) + 9, out ProducedBatch stored, out _));
            Assert.Equal(i * 10, stored.BaseOffset);
        }

        Assert.Equal(SequenceVerdict.TooOld, Check(10, 19));
    }

    [Fact]
    public void Sequences_wrap_to_zero_after_the_largest_between_batches_and_inside_one()
    {
        Store(0, int.MaxValue - 3);
        Store(int.MaxValue - 2, int.MaxValue);
        Assert.Equal(SequenceVerdict.Next, Check(0, 1));
        Store(0, 1);
        Assert.Equal(SequenceVerdict.Stored, Check(int.MaxValue - 2, int.MaxValue));
        Assert.Equal(SequenceVerdict.TooOld, Check(int.MaxValue - 20, int.MaxValue - 10));
        Store(2, int.MaxValue - 1);
        Assert.Equal(SequenceVerdict.Next, Check(int.MaxValue, 2));
        Store(int.MaxValue, 2);
        Assert.Equal(SequenceVerdict.Stored, Check(int.MaxValue, 2));
        Assert.Equal(SequenceVerdict.Next, Check(3, 3));
    }

    [Fact]
    public void A_newer_epoch_begins_at_zero_and_fences_the_older_one()
    {
        Store(0, 4);

        Assert.Equal(SequenceVerdict.OutOfOrder, Check(5, 9, epoch: 1));
        Assert.Equal(SequenceVerdict.Next, Check(0, 4, epoch: 1));
        Store(0, 4, epoch: 1);
        Assert.Equal(SequenceVerdict.FencedEpoch, Check(5, 9, epoch: 0));
        Assert.Equal(SequenceVerdict.FencedEpoch, Check(0, 4, epoch: 0));
    }

    [Fact]
    public void A_batch_in_flight_is_known_by_its_entry()
    {
        Propose(0, 4, index: 11);
        Propose(5, 9, index: 12);

        Assert.Equal(SequenceVerdict.InFlight, Check(0, 4, out _, out LogIndex first));
        Assert.Equal(11, first.Value);
        Assert.Equal(SequenceVerdict.InFlight, Check(5, 9, out _, out LogIndex second));
        Assert.Equal(12, second.Value);
        Assert.Equal(SequenceVerdict.Next, Check(10, 10));
        Assert.Equal(SequenceVerdict.OutOfOrder, Check(11, 11));
    }

    [Fact]
    public void What_was_in_flight_is_stored_once_it_is_applied()
    {
        Propose(0, 4, index: 11);
        Store(0, 4);
        _check.Applied(Stamp(0, 4, 0), new LogIndex(11));

        Assert.Equal(SequenceVerdict.Stored, Check(0, 4));
    }

    [Fact]
    public void Leadership_that_ends_takes_what_was_in_flight_with_it()
    {
        Propose(0, 4, index: 11);
        _check.Clear();

        Assert.Equal(SequenceVerdict.Next, Check(0, 4));
    }

    [Fact]
    public void Beyond_the_limit_the_producer_unused_for_longest_is_forgotten()
    {
        Store(0, 0, producer: 1);
        Store(0, 0, producer: 2);
        Store(0, 0, producer: 3);
        Store(1, 1, producer: 1);
        Store(0, 0, producer: 4);

        Assert.Equal(3, _table.Count);
        Assert.False(_table.TryGet(2, out _));
        Assert.True(_table.TryGet(1, out _));
    }

    [Fact]
    public void A_snapshot_keeps_batches_and_the_order_in_which_producers_are_forgotten()
    {
        Store(0, 0, producer: 1);
        Store(0, 0, producer: 2);
        Store(0, 9, producer: 3);
        Store(1, 1, producer: 1);
        var copy = new ProducerTable(producersMax: 3);
        var reader = new ByteReader(Snapshot(_table));

        Assert.True(copy.TryReadSnapshot(ref reader));
        Assert.True(reader.AtEnd);
        foreach (ProducerTable table in new[] { _table, copy })
        {
            table.Apply(new ProducerStamp(9, 0, 0, 0), 50, 0);
            Assert.False(table.TryGet(2, out _));
        }

        Assert.Equal(Snapshot(_table), Snapshot(copy));
    }

    [Fact]
    public void Any_cut_of_a_snapshot_is_refused()
    {
        Store(0, 0, producer: 1);
        Store(0, 9, producer: 3);
        byte[] bytes = Snapshot(_table);
        for (int length = 0; length < bytes.Length; length++)
        {
            var reader = new ByteReader(bytes.AsSpan(0, length));
            Assert.False(new ProducerTable(3).TryReadSnapshot(ref reader));
        }
    }

    private static byte[] Snapshot(ProducerTable table)
    {
        var writer = new ByteWriter();
        table.WriteSnapshot(writer);
        return writer.ToArray();
    }

    private static ProducerStamp Stamp(int first, int last, short epoch, long producer = 7) => new(producer, epoch, first, last);

    private void Store(int first, int last, short epoch = 0, long producer = 7)
    {
        _table.Apply(Stamp(first, last, epoch, producer), _nextOffset, timestampMs: 5);
        _nextOffset += 10;
    }

    private void Propose(int first, int last, long index) => _check.Propose(Stamp(first, last, 0), new LogIndex(index));

    private SequenceVerdict Check(int first, int last, short epoch = 0) => Check(first, last, out _, out _, epoch);

    private SequenceVerdict Check(int first, int last, out ProducedBatch stored, out LogIndex inFlight, short epoch = 0) =>
        _check.Check(Stamp(first, last, epoch), out stored, out inFlight);
}
