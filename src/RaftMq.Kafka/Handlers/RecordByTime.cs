using RaftMq.Broker;
using RaftMq.Broker.Partitions;
using RaftMq.Kafka.Calls;
using RaftMq.Kafka.Wire.Compression;
using RaftMq.Raft;
using RaftMq.Records;

namespace RaftMq.Kafka.Handlers;

/// <summary>
/// The broker finds the batch that reaches a time; clients are told the record. Kafka's rule: the first record, from the log's start on, whose
/// timestamp is at or after the time. The batch is opened for that, outside the broker's section. Where it cannot be opened (zstd without
/// the system's library, or records beyond the limit) the answer is the batch's first offset: earlier, so nothing is passed over.
/// </summary>
internal static class RecordByTime
{
    /// <summary>A batch of 1 MiB, the default limit, opens to less in any sane case; a few bytes that ask for gigabytes are not followed.</summary>
    private const int RecordBytesMax = 64 << 20;

    /// <param name="broker">Has the batch.</param>
    /// <param name="group">The partition's group.</param>
    /// <param name="found">The batch: its first visible offset and its largest timestamp.</param>
    /// <param name="timestampMs">The time asked for.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    public static async Task<OffsetResult> FindAsync(
        IBroker broker, GroupId group, OffsetResult found, long timestampMs, CancellationToken cancellation)
    {
        var read = new BatchRead();
        broker.Read(new ReadCommand { Group = group, Offset = found.Offset, BytesMax = 1, AtLeastOne = true, Completion = read });
        ReadResult result = await read.Answer.WaitAsync(cancellation);
        return result.Outcome == ReadOutcome.Ok && result.Batches.Count > 0
            ? Find(result.Batches[0], found, timestampMs)
            : found;
    }

    private static OffsetResult Find(ReadOnlyMemory<byte> batch, OffsetResult found, long timestampMs)
    {
        if (!RecordBatchHeader.TryRead(batch.Span, out RecordBatchHeader header)
            || header.TimestampType == TimestampType.LogAppendTime
            || !RecordCompression.IsAvailable(header.Compression)
            || !RecordCompression.TryOpen(batch[..header.SizeBytes], RecordBytesMax, out ReadOnlyMemory<byte> records, out _))
        {
            return found;
        }

        var reader = new RecordReader(header, records.Span);
        while (reader.TryNext(out RecordView record))
        {
            if (record.Offset >= found.Offset && record.TimestampMs >= timestampMs)
            {
                return found with { Offset = record.Offset, TimestampMs = record.TimestampMs };
            }
        }

        return found;
    }

    private sealed class BatchRead : IReadCompletion
    {
        public Answer<ReadResult> Answer { get; } = new();

        public void Completed(ReadCommand command, in ReadResult result) => Answer.Complete(result);
    }
}
