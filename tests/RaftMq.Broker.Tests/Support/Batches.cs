using RaftMq.Records;

namespace RaftMq.Broker.Tests.Support;

/// <summary>Record batches as producers send them.</summary>
internal static class Batches
{
    public const long TimestampMs = 1_700_000_000_000;

    public static byte[] Plain(int records = 1, int valueBytes = 10, long timestampMs = TimestampMs) =>
        Build(new RecordBatchBuilder(), records, valueBytes, timestampMs);

    public static byte[] Idempotent(long producer, int sequence, int records = 1, short epoch = 0) => Build(
        new RecordBatchBuilder { ProducerId = producer, ProducerEpoch = epoch, BaseSequence = sequence }, records, 10, TimestampMs);

    private static byte[] Build(RecordBatchBuilder builder, int records, int valueBytes, long timestampMs)
    {
        for (int i = 0; i < records; i++)
        {
            builder.Append(timestampMs + i, [(byte)i], new byte[valueBytes]);
        }

        return builder.ToArray();
    }
}
