using RaftMq.Broker.Encoding;
using RaftMq.Broker.Partitions;
using RaftMq.Broker.Shards;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;
using RaftMq.Records;
using RaftMq.Storage.Log;

namespace RaftMq.Broker.Tests.Partitions;

/// <summary>A partition's state, its producers included, as checkpoints hold it.</summary>
public sealed class PartitionSnapshotTests
{
    private const int ProducersMax = 5;

    [Fact]
    public void Version_1_is_read_and_written_for_ever_as_in_the_golden_file()
    {
        var golden = GoldenFile.Read("snapshots-v1.txt");
        Assert.Equal(["partition", "partition-new"], golden.Blocks);
        golden.AssertUnchanged("partition", Snapshot(Sample()));
        golden.AssertUnchanged("partition-new", Snapshot(new PartitionState(ProducersMax)));

        PartitionState read = Read(golden["partition"])!;
        Assert.Equal((2, 9, 9, 9), (read.LogStart, read.HighWatermark, read.Accepted, read.Visible));
        Assert.True(read.Producers.TryGet(7, out ProducerTable.Producer producer));
        Assert.Equal((0, 5), (producer.Epoch, producer.LastSequence));
        Assert.Equal([0L, 6L], producer.Batches.Select(b => b.BaseOffset));
        Assert.True(read.Producers.TryGet(8, out ProducerTable.Producer fenced));
        Assert.Equal((3, 1), (fenced.Epoch, fenced.LastSequence));
    }

    [Fact]
    public void A_state_read_from_a_snapshot_goes_on_as_the_one_that_wrote_it()
    {
        for (ulong seed = 0; seed < 100; seed++)
        {
            var random = new RandomSource(seed);
            var state = new PartitionState(ProducersMax);
            for (int i = random.Next(60); i > 0; i--)
            {
                ApplyAny(random, state);
            }

            byte[] snapshot = Snapshot(state);
            PartitionState copy = Read(snapshot)!;
            Assert.Equal(snapshot, Snapshot(copy));
            for (int i = 0; i < 30; i++)
            {
                ApplyAny(random, state, copy);
            }

            Assert.Equal(Snapshot(state), Snapshot(copy));
            Assert.InRange(state.Producers.Count, 0, ProducersMax);
        }
    }

    [Theory]
    [InlineData(1, 10)] // The log's start above the high watermark of 9.
    [InlineData(1, -1)]
    [InlineData(25, 10)] // More visible than the 9 accepted.
    [InlineData(25, -1)]
    public void A_snapshot_of_an_impossible_state_is_refused(int field, long value)
    {
        byte[] snapshot = Snapshot(Sample());
        System.Buffers.Binary.BinaryPrimitives.WriteInt64LittleEndian(snapshot.AsSpan(field), value);
        Assert.Null(Read(snapshot));
    }

    [Fact]
    public void What_is_not_a_snapshot_is_refused()
    {
        byte[] bytes = Snapshot(Sample());

        Assert.All(Hostile.Cut(bytes), cut => Assert.True(Read(cut.Bytes) is null, cut.How));
        Assert.Null(Read([.. bytes, 0]));
        Assert.Null(Read([2, .. bytes[1..]]));
        const int ProducersVersionAt = 33;
        bytes[ProducersVersionAt]++;
        Assert.Null(Read(bytes));
    }

    [Fact]
    public void Changed_bytes_are_refused_or_are_another_state_and_cost_no_more_than_they_are_long()
    {
        byte[] bytes = Snapshot(Sample());
        int other = 0;
        foreach ((byte[] changed, string how) in Hostile.All(bytes))
        {
            PartitionState? read = Hostile.Read(() => Read(changed), changed.Length, how);
            if (read is not null)
            {
                Assert.Equal(changed, Snapshot(read));
                other++;
            }
        }

        Assert.NotEqual(0, other);
    }

    private static PartitionState Sample()
    {
        var state = new PartitionState(ProducersMax);
        Apply(Batches.Idempotent(7, sequence: 0, records: 3), state);
        Apply(Batches.Idempotent(8, sequence: 0, records: 2, epoch: 3), state);
        Apply(Batches.Plain(), state);
        Apply(Batches.Idempotent(7, sequence: 3, records: 3), state);
        ApplyLogStart(2, state);
        return state;
    }

    private static void ApplyAny(RandomSource random, params PartitionState[] states)
    {
        PartitionState state = states[0];
        switch (random.Next(5))
        {
            case 0:
                ApplyLogStart(random.NextInt64(state.HighWatermark + 1), states);
                break;
            case 1:
                Apply(Batches.Plain(random.Next(1, 4)), states);
                break;
            default:
                Apply(
                    Batches.Idempotent(random.Next(9), random.Next(1_000), random.Next(1, 4), epoch: (short)random.Next(2)), states);
                break;
        }
    }

    private static void Apply(byte[] batch, params PartitionState[] states)
    {
        Assert.True(RecordBatchHeader.TryRead(batch, out RecordBatchHeader header));
        foreach (PartitionState state in states)
        {
            StoredBatch.Patch(batch, state.HighWatermark, leaderEpoch: 1);
            state.Apply(Header(state, EntryKinds.Data, header.RecordCount), batch);
        }
    }

    private static void ApplyLogStart(long offset, params PartitionState[] states)
    {
        foreach (PartitionState state in states)
        {
            state.Apply(Header(state, StateEntryKinds.LogStart, records: 0), BitConverter.GetBytes(offset));
        }
    }

    private static EntryHeader Header(PartitionState state, EntryKind kind, int records) => new(
        EntryLayout.HeaderBytes, kind, EntryFlags.None, new Term(1), new LogIndex(1), state.HighWatermark, records, 0, 0, new GroupId(9));

    private static PartitionState? Read(byte[] bytes)
    {
        var state = new PartitionState(ProducersMax);
        return state.TryReadSnapshot(bytes) ? state : null;
    }

    private static byte[] Snapshot(PartitionState state)
    {
        var writer = new ByteWriter();
        state.WriteSnapshot(writer);
        return writer.ToArray();
    }
}
