using System.Runtime.CompilerServices;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Client;
using RaftMq.Kafka.Wire.Compression;
using RaftMq.Kafka.Wire.Messages;
using RaftMq.Records;

namespace RaftMq.Cli.Brokers;

/// <summary>Reads a topic for people: one partition after the other in turns, retried for ever where leaders change.</summary>
internal sealed class RecordsReader(KafkaCluster cluster, string topic)
{
    public const long Beginning = TopicReader.Earliest;
    public const long End = TopicReader.Latest;

    private const int MaxWaitMs = 500;
    private const int BytesMax = 1 << 20;
    private const int OpenedBytesMax = 64 << 20;
    private static readonly TimeSpan OffsetsTime = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan RetryTime = TimeSpan.FromMilliseconds(100);

    private readonly SortedDictionary<int, long> next = [];
    private readonly SortedDictionary<int, long> stop = [];

    /// <param name="partition">Null: all.</param>
    /// <param name="from">An offset, <see cref="Beginning"/> or <see cref="End"/>.</param>
    /// <param name="untilEnd">Stop at the end as it is now.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async Task OpenAsync(int? partition, long from, bool untilEnd, CancellationToken cancellation)
    {
        var offsets = new TopicReader(cluster);
        int count = (await offsets.DescribeAsync([topic], cancellation)).Single().Partitions.Count;
        if (partition >= count)
        {
            throw new CommandFailedException(ExitCodes.NotFound, $"{topic} has {count} partitions, counted from 0.");
        }

        long[] end = await offsets.AllOffsetsAsync(topic, count, TopicReader.Latest, OffsetsTime, cancellation);
        long[] start = from == Beginning ? await offsets.AllOffsetsAsync(topic, count, TopicReader.Earliest, OffsetsTime, cancellation) : end;
        foreach (int wanted in partition is { } one ? [one] : Enumerable.Range(0, count))
        {
            next[wanted] = from >= 0 ? from : start[wanted];
            stop[wanted] = untilEnd ? end[wanted] : long.MaxValue;
        }
    }

    public async IAsyncEnumerable<ConsumedRecord> ReadAsync(long countMax, [EnumeratorCancellation] CancellationToken cancellation)
    {
        long count = 0;
        while (count < countMax)
        {
            int[] open = [.. next.Keys.Where(partition => next[partition] < stop[partition])];
            if (open.Length == 0)
            {
                yield break;
            }

            bool any = false;
            foreach (int partition in open)
            {
                List<ConsumedRecord> records = await FetchAsync(partition, open.Length == 1 ? MaxWaitMs : 0, cancellation);
                any |= records.Count > 0;
                foreach (ConsumedRecord record in records)
                {
                    if (count++ == countMax)
                    {
                        yield break;
                    }

                    yield return record;
                }
            }

            if (!any && open.Length > 1)
            {
                await Task.Delay(RetryTime, cancellation);
            }
        }
    }

    private async Task<List<ConsumedRecord>> FetchAsync(int partition, int waitMs, CancellationToken cancellation)
    {
        List<ConsumedRecord> records = [];
        try
        {
            if (await cluster.FindLeaderAsync(topic, partition, cancellation) is not { } leader)
            {
                cluster.Forget();
                await Task.Delay(RetryTime, cancellation);
                return records;
            }

            KafkaConnection connection = await cluster.GetConnectionAsync(leader, cancellation);
            var ask = new FetchRequest
            {
                MaxWaitMs = waitMs,
                MinBytes = 1,
                MaxBytes = BytesMax,
                SessionEpoch = -1,
                Topics =
                [
                    new FetchRequest.Topic
                    {
                        Name = topic,
                        Partitions = [new FetchRequest.Partition { Index = partition, FetchOffset = next[partition], PartitionMaxBytes = BytesMax }],
                    },
                ],
            };
            using KafkaReply<FetchResponse> reply = await connection.SendAsync(ask, cancellation);
            FetchResponse.Partition answer = reply.Message.Topics.Single().Partitions.Single();
            if (answer.Error != KafkaError.None)
            {
                if (!KafkaErrors.IsRetriable(answer.Error))
                {
                    throw new CommandFailedException($"{topic}/{partition} can't be read at offset {next[partition]}: {KafkaErrors.Name(answer.Error)}");
                }

                cluster.Forget();
                await Task.Delay(RetryTime, cancellation);
                return records;
            }

            Take(partition, answer.Records.Memory, records);
        }
        catch (KafkaConnectionException)
        {
            cluster.Forget();
            await Task.Delay(RetryTime, cancellation);
        }

        return records;
    }

    private void Take(int partition, ReadOnlyMemory<byte> bytes, List<ConsumedRecord> records)
    {
        int at = 0;
        var batches = new RecordBatchEnumerator(bytes.Span);
        while (batches.TryNext(out RecordBatchHeader header, out ReadOnlySpan<byte> batch))
        {
            ReadOnlyMemory<byte> memory = bytes.Slice(at, batch.Length);
            at += batch.Length;
            if (RecordBatchPatch.ComputeCrc(batch) != header.Crc)
            {
                throw new CommandFailedException($"{topic}/{partition}: the batch at offset {header.BaseOffset} came with a wrong CRC.");
            }

            if (!RecordCompression.TryOpen(memory, OpenedBytesMax, out ReadOnlyMemory<byte> opened, out string? fault))
            {
                throw new CommandFailedException($"{topic}/{partition}: the batch at offset {header.BaseOffset} can't be opened: {fault}");
            }

            var reader = new RecordReader(header, opened.Span);
            while (!header.IsControl && reader.TryNext(out RecordView record))
            {
                if (record.Offset >= next[partition] && record.Offset < stop[partition])
                {
                    records.Add(new ConsumedRecord(
                        partition, record.Offset, record.TimestampMs, record.HasKey ? record.Key.ToArray() : null,
                        record.HasValue ? record.Value.ToArray() : null));
                }
            }

            next[partition] = Math.Max(next[partition], header.NextOffset);
        }
    }
}
