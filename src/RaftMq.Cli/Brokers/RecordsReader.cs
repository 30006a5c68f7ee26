using System.Diagnostics;
using System.Runtime.CompilerServices;
using RaftMq.Cli.Output;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Client;
using RaftMq.Kafka.Wire.Compression;
using RaftMq.Kafka.Wire.Messages;
using RaftMq.Records;

namespace RaftMq.Cli.Brokers;

/// <summary>
/// Reads a topic for people: one partition after the other in turns, retried for ever where leaders change, and for a while where the leader
/// says that it can't read its log.
/// </summary>
/// <param name="warn">Takes sentences that are not records.</param>
internal sealed class RecordsReader(KafkaCluster cluster, string topic, Func<string, Task> warn)
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

    /// <summary>Partitions whose log has not come to the first wanted offset yet.</summary>
    private readonly HashSet<int> ahead = [];

    /// <summary>Since when a partition's leader can't read its log, without a read in between that went well.</summary>
    private readonly Dictionary<int, long> unreadableSince = [];

    /// <summary>Since when a partition is waited for; null once the user was told.</summary>
    private readonly Dictionary<int, long?> waitingSince = [];

    /// <summary>How long a leader may say that its log is damaged: it may yet hand over to a replica that has it whole.</summary>
    public TimeSpan StorageErrorTime { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>After this the user is told what is waited for; the wait goes on.</summary>
    public TimeSpan NoticeTime { get; init; } = TimeSpan.FromSeconds(10);

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
            throw new CommandFailedException(ExitCodes.NotFound, $"{topic} has {Counted.Of(count, "partition")}, counted from 0.");
        }

        long[] end = await offsets.AllOffsetsAsync(topic, count, TopicReader.Latest, OffsetsTime, cancellation);
        long[] start = from == End ? end : await offsets.AllOffsetsAsync(topic, count, TopicReader.Earliest, OffsetsTime, cancellation);
        foreach (int wanted in partition is { } one ? [one] : Enumerable.Range(0, count))
        {
            next[wanted] = Math.Max(from, start[wanted]);
            stop[wanted] = untilEnd ? end[wanted] : long.MaxValue;
            if (from >= 0 && from < start[wanted])
            {
                await warn($"{topic}/{wanted} begins at offset {start[wanted]}: what was before is gone, by retention or by deletion.");
            }
            else if (from > end[wanted])
            {
                ahead.Add(wanted);
                await warn($"{topic}/{wanted} ends at offset {end[wanted]}, before {from}{(untilEnd ? "." : ": waiting until it gets there.")}");
            }
        }

        if (untilEnd && ahead.Count == next.Count)
        {
            throw new CommandFailedException($"There is nothing to read from offset {from} on.");
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
                await WaitAsync(partition, "it has no leader", cancellation);
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
                ThrowIfHopeless(partition, answer.Error);
                await WaitAsync(partition, KafkaErrors.Name(answer.Error), cancellation);
                return records;
            }

            ahead.Remove(partition);
            unreadableSince.Remove(partition);
            waitingSince.Remove(partition);
            Take(partition, answer.Records.Memory, records);
        }
        catch (KafkaConnectionException failed)
        {
            await WaitAsync(partition, failed.Message, cancellation);
        }

        return records;
    }

    private async Task WaitAsync(int partition, string why, CancellationToken cancellation)
    {
        // Where the log is still to grow, that was said at the start.
        if (!ahead.Contains(partition))
        {
            waitingSince.TryAdd(partition, Stopwatch.GetTimestamp());
            if (waitingSince[partition] is { } since && Stopwatch.GetElapsedTime(since) >= NoticeTime)
            {
                waitingSince[partition] = null;
                await warn($"{topic}/{partition} can't be read for {NoticeTime.TotalSeconds:0.#} s: {why}. Waiting on.");
            }
        }

        cluster.Forget();
        await Task.Delay(RetryTime, cancellation);
    }

    private void ThrowIfHopeless(int partition, KafkaError error)
    {
        string what = $"{topic}/{partition} can't be read at offset {next[partition]}";
        if (error == KafkaError.OffsetOutOfRange)
        {
            if (!ahead.Contains(partition))
            {
                throw new CommandFailedException($"{what}: that record is gone, by retention or by deletion of records ({KafkaErrors.Name(error)}).");
            }
        }
        else if (error == KafkaError.KafkaStorageError)
        {
            unreadableSince.TryAdd(partition, Stopwatch.GetTimestamp());
            if (Stopwatch.GetElapsedTime(unreadableSince[partition]) >= StorageErrorTime)
            {
                throw new CommandFailedException(
                    $"{what}: for {StorageErrorTime.TotalSeconds:0.#} s its leader says that its log is damaged there ({KafkaErrors.Name(error)}). "
                    + "raftmq cluster status names the node; raftmq partition transfer lets another replica lead, which has the log whole.");
            }
        }
        else if (!KafkaErrors.IsRetriable(error))
        {
            throw new CommandFailedException($"{what}: {KafkaErrors.Name(error)}");
        }
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
