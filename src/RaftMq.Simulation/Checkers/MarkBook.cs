using System.Buffers.Binary;
using RaftMq.Records;

namespace RaftMq.Simulation.Checkers;

/// <summary>What every batch of the run looked like when it was sent, so that its bytes are recognised wherever they turn up.</summary>
internal sealed class MarkBook
{
    private readonly Dictionary<Mark, SentBatch> _sent = [];
    private ulong _last;

    public Mark Next() => new(++_last);

    public void Add(Mark mark, ReadOnlySpan<byte> batch)
    {
        bool isFound = Mark.TryFind(batch, out Mark found, out int at);
        Raft.Invariant.Holds(isFound);
        Raft.Invariant.Holds(found == mark);
        _sent.Add(mark, new SentBatch(at, batch.Length, CrcOf(batch)));
    }

    public bool TryGet(Mark mark, out SentBatch batch) => _sent.TryGetValue(mark, out batch);

    /// <summary>The bytes are those of the batch that was sent; base offset and leader epoch are the broker's and do not count.</summary>
    public static bool IsIntact(in SentBatch sent, ReadOnlySpan<byte> batch) =>
        batch.Length == sent.LengthBytes
        && CrcOf(batch) == sent.Crc
        && Crc32C.Compute(batch[RecordBatchLayout.Attributes..]) == sent.Crc;

    private static uint CrcOf(ReadOnlySpan<byte> batch) => BinaryPrimitives.ReadUInt32BigEndian(batch[RecordBatchLayout.Crc..]);

    /// <param name="MarkAt">Where the mark stands in the batch.</param>
    internal readonly record struct SentBatch(int MarkAt, int LengthBytes, uint Crc);
}
