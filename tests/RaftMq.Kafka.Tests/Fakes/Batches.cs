using RaftMq.Records;

namespace RaftMq.Kafka.Tests.Fakes;

internal static class Batches
{
    /// <summary>Of the first record of each batch; the others follow a millisecond apart.</summary>
    public const long FirstTimestampMs = 1_700_000_000_000;

    public static byte[] Of(int count, int valueBytes = 10, bool transactional = false)
    {
        var builder = new RecordBatchBuilder();
        if (transactional)
        {
            builder.Transactional = true;
            builder.ProducerId = 9;
            builder.ProducerEpoch = 0;
            builder.BaseSequence = 0;
        }

        for (int i = 0; i < count; i++)
        {
            builder.Append(FirstTimestampMs + i, [(byte)i], new byte[valueBytes]);
        }

        return builder.ToArray();
    }

    /// <summary>The bytes arrived changed.</summary>
    public static byte[] Flipped()
    {
        byte[] batch = Of(2);
        batch[^1] ^= 1;
        return batch;
    }

    /// <summary>As sent, but no broker may store it: the count does not fit the records.</summary>
    public static byte[] Miscounted()
    {
        byte[] batch = Of(2);
        batch[RecordBatchLayout.RecordCount + 3] = 3;
        batch[RecordBatchLayout.LastOffsetDelta + 3] = 2;
        RecordBatchPatch.WriteCrc(batch);
        return batch;
    }

    public static byte[] OldFormat()
    {
        byte[] batch = Of(2);
        batch[RecordBatchLayout.Magic] = 1;
        return batch;
    }
}
