using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Client;
using RaftMq.Kafka.Wire.Messages;
using RaftMq.Records;

namespace RaftMq.Testing.Kafka;

/// <summary>Reads all that a partition's leader serves of it, batch by batch as they lie in the log, with their CRCs checked.</summary>
public static class PartitionReader
{
    private const int WaitMs = 50;
    private const int BytesMax = 8 << 20;

    /// <param name="header">The batch's header.</param>
    /// <param name="batch">All of the batch; valid during the call only.</param>
    public delegate void TakeBatch(in RecordBatchHeader header, ReadOnlySpan<byte> batch);

    /// <summary>From the first record to the high watermark.</summary>
    /// <exception cref="InvalidOperationException">The leader answered with an error, a batch's bytes are wrong, or it ended too early.</exception>
    public static async Task ReadAsync(
        KafkaConnection leader, string topic, int partition, TakeBatch take, CancellationToken cancellation)
    {
        string what = $"{topic}/{partition} from {leader.Endpoint}";
        long next = 0;
        while (true)
        {
            using KafkaReply<FetchResponse> reply = await leader.SendAsync(Fetch(topic, partition, next), cancellation);
            FetchResponse.Partition answer = reply.Message.Topics[0].Partitions[0];
            Require(answer.Error == KafkaError.None, $"{what}: {answer.Error} at offset {next}");
            long from = next;
            RecordBatchEnumerator batches = new(answer.Records.Memory.Span);
            while (batches.TryNext(out RecordBatchHeader header, out ReadOnlySpan<byte> batch))
            {
                Require(header.Crc == Crc32C.Compute(batch[RecordBatchLayout.Attributes..]), $"{what}: wrong CRC at offset {header.BaseOffset}");
                take(header, batch);
                next = header.NextOffset;
            }

            if (next == from)
            {
                Require(next == answer.HighWatermark, $"{what}: nothing at offset {next}, the high watermark is {answer.HighWatermark}");
                return;
            }
        }
    }

    private static FetchRequest Fetch(string topic, int partition, long offset) => new()
    {
        MaxWaitMs = WaitMs,
        MinBytes = 1,
        Topics =
        [
            new FetchRequest.Topic
            {
                Name = topic,
                Partitions = [new FetchRequest.Partition { Index = partition, FetchOffset = offset, PartitionMaxBytes = BytesMax }],
            },
        ],
    };

    private static void Require(bool holds, string message)
    {
        if (!holds)
        {
            throw new InvalidOperationException(message);
        }
    }
}
