using System.Security.Cryptography;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Client;
using RaftMq.Kafka.Wire.Messages;
using RaftMq.Records;

namespace RaftMq.Chaos;

/// <summary>Everything a node serves of one partition: offset → hash of the record, read record by record with CRCs checked.</summary>
internal static class PartitionDump
{
    public static async Task<SortedDictionary<long, string>> ReadAsync(
        KafkaConnection leader, string topic, int partition, CancellationToken cancellation)
    {
        SortedDictionary<long, string> found = [];
        long next = 0;
        while (true)
        {
            FetchRequest request = new()
            {
                MaxWaitMs = 50,
                MinBytes = 1,
                Topics =
                [
                    new FetchRequest.Topic
                    {
                        Name = topic,
                        Partitions = [new FetchRequest.Partition { Index = partition, FetchOffset = next, PartitionMaxBytes = 8 << 20 }],
                    },
                ],
            };
            using KafkaReply<FetchResponse> reply = await leader.SendAsync(request, cancellation);
            FetchResponse.Partition answer = reply.Message.Topics[0].Partitions[0];
            Assert.True(answer.Error == KafkaError.None, $"{topic}/{partition} from {leader.Endpoint}: {answer.Error}");
            long from = next;
            RecordBatchEnumerator batches = new(answer.Records.Memory.Span);
            while (batches.TryNext(out RecordBatchHeader header, out ReadOnlySpan<byte> batch))
            {
                Assert.Equal(header.Crc, Crc32C.Compute(batch[RecordBatchLayout.Attributes..]));
                Take(header, batch, found);
                next = header.NextOffset;
            }

            if (next == from)
            {
                Assert.Equal(answer.HighWatermark, next);
                return found;
            }
        }
    }

    private static void Take(in RecordBatchHeader header, ReadOnlySpan<byte> batch, SortedDictionary<long, string> found)
    {
        RecordReader records = new(header, batch[RecordBatchLayout.HeaderBytes..]);
        while (records.TryNext(out RecordView record))
        {
            using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            hash.AppendData(record.Key);
            hash.AppendData([0]);
            hash.AppendData(record.Value);
            Assert.True(found.TryAdd(record.Offset, Convert.ToHexStringLower(hash.GetHashAndReset())), $"offset {record.Offset} twice");
        }

        Assert.Null(records.Fault);
    }
}
