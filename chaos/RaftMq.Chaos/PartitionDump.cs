using System.Security.Cryptography;
using RaftMq.Kafka.Wire.Client;
using RaftMq.Records;
using RaftMq.Testing.Kafka;

namespace RaftMq.Chaos;

/// <summary>Everything a node serves of one partition: offset → hash of the record.</summary>
internal static class PartitionDump
{
    public static async Task<SortedDictionary<long, string>> ReadAsync(
        KafkaConnection leader, string topic, int partition, CancellationToken cancellation)
    {
        SortedDictionary<long, string> found = [];
        await PartitionReader.ReadAsync(
            leader, topic, partition, (in header, batch) => Take(header, batch, found), cancellation);
        return found;
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
