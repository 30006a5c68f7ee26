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
    private static readonly TimeSpan RetryTime = TimeSpan.FromMilliseconds(100);

    private readonly SortedDictionary<int, long> next = [];
    private readonly SortedDictionary<int, long> stop = [];

    /// <summary>Partitions whose log has not come to the first wanted offset yet.</summary>
    private readonly HashSet<int> ahead = [];

    /// <summary>Since when a partition's leader can't read its log, without a read in between that went well.</summary>
    private readonly Dictionary<int, long> unreadableSince = [];

    /// <summary>Since when a partition is waited for; null once the user was told.</summary>
    private readonly Dictionary<int, long?> waitingSince = [];

    /// <summary>Why the last try to open it was in vain: the end of a sentence.</summary>
    private string lastFault = "no broker has answered yet";

    /// <summary>How long a leader may say that its log is damaged: it may yet hand over to a replica that has it whole.</summary>
    public TimeSpan StorageErrorTime { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>After this the user is told what is waited for; the wait goes on.</summary>
    public TimeSpan NoticeTime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Learns where the log begins and ends; nodes that are away, and leaders, are waited for as long as they take.</summary>
    /// <param name="partition">Null: all.</param>
    /// <param name="from">An offset, <see cref="Beginning"/> or <see cref="End"/>.</param>
    /// <param name="untilEnd">Stop at the end as it is now.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="CommandFailedException">There is no such topic or partition, or nothing to read.</exception>
    /// <exception cref="KafkaConnectionException">The addresses are none of brokers.</exception>
    public async Task OpenAsync(int? partition, long from, bool untilEnd, CancellationToken cancellation)
    {
        var wait = new WatchedWait(NoticeTime, Timeout.InfiniteTimeSpan, warn);
        IReadOnlyDictionary<int, (long Start, long End)> bounds = await wait.RunAsync(
            ending => BoundsAsync(partition, from, ending), time => $"{topic} can't be read for {time}: {lastFault}", cancellation);
        foreach ((int wanted, (long start, long end)) in bounds)
        {
            next[wanted] = Math.Max(from, start);
            stop[wanted] = untilEnd ? end : long.MaxValue;
            if (from >= 0 && from < start)
            {
                await warn($"{topic}/{wanted} begins at offset {start}: what was before is gone, by retention or by deletion.");
            }
            else if (from > end)
            {
                ahead.Add(wanted);
                await warn($"{topic}/{wanted} ends at offset {end}, before {from}{(untilEnd ? "." : ": waiting until it gets there.")}");
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

    /// <summary>Asks again until all wanted partitions have answered.</summary>
    private async Task<IReadOnlyDictionary<int, (long Start, long End)>> BoundsAsync(int? partition, long from, CancellationToken cancellation)
    {
        var contact = new FirstContact(Timeout.InfiniteTimeSpan, warn);
        while (true)
        {
            try
            {
                if (await TryBoundsAsync(partition, from, cancellation) is { } bounds)
                {
                    return bounds;
                }
            }
            catch (KafkaConnectionException broken)
            {
                if (!await contact.MayHealAsync(broken, cancellation))
                {
                    throw;
                }

                lastFault = broken.Message;
            }

            await Task.Delay(RetryTime, cancellation);
        }
    }

    private async Task<SortedDictionary<int, (long Start, long End)>?> TryBoundsAsync(int? partition, long from, CancellationToken cancellation)
    {
        var reader = new TopicReader(cluster);
        int count = (await reader.DescribeAsync([topic], cancellation)).Single().Partitions.Count;
        if (partition >= count)
        {
            throw new CommandFailedException(ExitCodes.NotFound, $"{topic} has {Counted.Of(count, "partition")}, counted from 0.");
        }

        int[] wanted = partition is { } one ? [one] : [.. Enumerable.Range(0, count)];
        IReadOnlyDictionary<int, long> end = await reader.OffsetsAsync(topic, wanted, TopicReader.Latest, cancellation);
        IReadOnlyDictionary<int, long> start = from == End || end.Count < wanted.Length
            ? end
            : await reader.OffsetsAsync(topic, wanted, TopicReader.Earliest, cancellation);
        int[] missing = [.. wanted.Where(index => !end.ContainsKey(index) || !start.ContainsKey(index))];
        if (missing.Length == 0)
        {
            return new(wanted.ToDictionary(index => index, index => (start[index], end[index])));
        }

        lastFault = $"{topic}/{missing[0]} {(missing.Length == 1 ? "has" : $"and {missing.Length - 1} more have")} no leader that answers";
        return null;
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
