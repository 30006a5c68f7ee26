using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Kafka.Tests.Fakes;

/// <summary>Requests as clients send them.</summary>
internal static class Requests
{
    public static ProduceRequest Produce(short acks, params (string Topic, int Partition, byte[] Batch)[] batches) => new()
    {
        Acks = acks,
        TimeoutMs = 30_000,
        Topics = batches.GroupBy(batch => batch.Topic).Select(topic => new ProduceRequest.Topic
        {
            Name = topic.Key,
            Partitions = topic.Select(batch => new ProduceRequest.Partition
            {
                Index = batch.Partition,
                Records = new RecordBytes(batch.Batch),
            }).ToArray(),
        }).ToArray(),
    };

    public static FetchRequest Fetch(
        int waitMs, int minBytes, int maxBytes, params (string Topic, int Partition, long Offset, int MaxBytes)[] parts) => new()
        {
            MaxWaitMs = waitMs,
            MinBytes = minBytes,
            MaxBytes = maxBytes,
            Topics = parts.GroupBy(part => part.Topic).Select(topic => new FetchRequest.Topic
            {
                Name = topic.Key,
                Partitions = topic.Select(part => new FetchRequest.Partition
                {
                    Index = part.Partition,
                    FetchOffset = part.Offset,
                    PartitionMaxBytes = part.MaxBytes,
                }).ToArray(),
            }).ToArray(),
        };
}
