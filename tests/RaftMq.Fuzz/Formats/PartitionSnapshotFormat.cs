using RaftMq.Broker.Encoding;
using RaftMq.Broker.Partitions;
using RaftMq.Fuzz.Engine;
using RaftMq.Raft;
using RaftMq.Storage.Log;

namespace RaftMq.Fuzz.Formats;

/// <summary>A partition's replicated state as checkpoints hold it.</summary>
internal sealed class PartitionSnapshotFormat : FuzzFormat
{
    private const int ProducersMax = 4;

    public override string Name => "partition-snapshot";

    public override IReadOnlyList<string> Parsers =>
        ["RaftMq.Broker.Partitions.PartitionState::TryReadSnapshot", "RaftMq.Broker.Partitions.ProducerTable", "RaftMq.Broker.Encoding.ByteReader"];

    public override IEnumerable<byte[]> Seeds()
    {
        PartitionState state = new(ProducersMax);
        yield return Write(state);
        long offset = 0;
        for (int i = 0; i < 12; i++)
        {
            byte[] batch = Samples.Batch(2, builder =>
            {
                builder.BaseOffset = offset;
                builder.ProducerId = i % 3;
                builder.ProducerEpoch = 0;
                builder.BaseSequence = i;
            });
            EntryHeader header = new(
                EntryLayout.HeaderBytes + batch.Length, EntryKinds.Data, EntryFlags.None, new Term(1), new LogIndex(i + 1), offset, 2,
                EntryLayout.BatchGuardedBytes, 5, Samples.Group);
            state.Apply(header, batch);
            offset += 2;
            yield return Write(state);
        }
    }

    public override void Run(byte[] input)
    {
        PartitionState state = new(ProducersMax);
        bool read = state.TryReadSnapshot(input);
        ReadDone();
        if (!read)
        {
            return;
        }

        Oracle.Same(input, Write(state), "a state has one form");
        Oracle.Holds(state.LogStart >= 0 && state.LogStart <= state.HighWatermark, "a log starts before its end");
        Oracle.Holds(state.Visible >= 0 && state.Visible <= state.Accepted, "no more is visible than was accepted");
    }

    private static byte[] Write(PartitionState state)
    {
        ByteWriter writer = new();
        state.WriteSnapshot(writer);
        return writer.ToArray();
    }
}
