using RaftMq.Records;
using RaftMq.Simulation.Checkers;

namespace RaftMq.Simulation.Workloads;

/// <summary>Turns the bytes that a read gave into what the checkers look at.</summary>
internal static class BatchesSeen
{
    /// <summary>A batch whose mark is unreadable comes out as mark zero, which nobody sent.</summary>
    public static List<SeenBatch> In(IReadOnlyList<ReadOnlyMemory<byte>> memories, MarkBook marks)
    {
        List<SeenBatch> seen = [];
        foreach (ReadOnlyMemory<byte> memory in memories)
        {
            RecordBatchEnumerator batches = new(memory.Span);
            while (batches.TryNext(out RecordBatchHeader header, out ReadOnlySpan<byte> batch))
            {
                bool isKnown = Mark.TryFind(batch, out Mark mark, out _) & marks.TryGet(mark, out MarkBook.SentBatch sent);
                bool isIntact = isKnown && MarkBook.IsIntact(sent, batch);
                seen.Add(new SeenBatch(mark, header.BaseOffset, header.LastOffsetDelta + 1, isIntact));
            }
        }

        return seen;
    }
}
