using System.Diagnostics;
using System.Text;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Client;
using RaftMq.Kafka.Wire.Messages;
using RaftMq.Records;

namespace RaftMq.Cli.Brokers;

/// <summary>An idempotent producer for people: one batch of a partition under way, sent again until it is acknowledged or too late.</summary>
internal sealed class RecordWriter(KafkaCluster cluster, string topic)
{
    private const int BatchRecordsMax = 1000;
    private const int BatchBytesMax = 512 * 1024;
    private const int ProduceTimeoutMs = 10_000;
    private static readonly TimeSpan DeliveryTime = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan RetryTime = TimeSpan.FromMilliseconds(100);

    private RecordBatchBuilder[] builders = [];
    private int[] sequences = [];
    private long producerId;
    private short producerEpoch;

    /// <summary>Finds the topic, or has it made where the cluster does that, and gets a producer id.</summary>
    public async Task OpenAsync(CancellationToken cancellation)
    {
        int partitions = await PartitionsAsync(cancellation);
        KafkaConnection connection = await cluster.GetAnyConnectionAsync(cancellation);
        using KafkaReply<InitProducerIdResponse> reply = await connection.SendAsync(new InitProducerIdRequest { TransactionTimeoutMs = 60_000 }, cancellation);
        TopicReader.ThrowIf(reply.Message.Error, "no producer id was given");
        producerId = reply.Message.ProducerId;
        producerEpoch = reply.Message.ProducerEpoch;
        sequences = new int[partitions];
        builders = [.. Enumerable.Range(0, partitions).Select(_ => new RecordBatchBuilder())];
    }

    /// <returns>How many records were acknowledged: all of them.</returns>
    /// <exception cref="CommandFailedException">A line has no key; what was before it is acknowledged.</exception>
    public async Task<long> WriteLinesAsync(
        TextReader lines, int? partition, string? keySeparator, bool keysOptional, CancellationToken cancellation)
    {
        if (partition >= builders.Length || partition < 0)
        {
            throw new CommandFailedException(ExitCodes.NotFound, $"{topic} has {builders.Length} partitions, counted from 0.");
        }

        long written = 0;
        int inTurn = 0;
        while (await lines.ReadLineAsync(cancellation) is { } line)
        {
            (byte[]? key, byte[] value) = Split(line, keySeparator);
            if (key is null && keySeparator is not null && !keysOptional)
            {
                await SendAllAsync(cancellation);
                throw new CommandFailedException(
                    $"Line {written + 1} has no key: '{keySeparator}' is not in it. The {written} lines before it are acknowledged, it and what follows were not "
                    + "sent; --keys-optional stores such lines without a key.");
            }

            int target = partition ?? (key is null ? inTurn++ % builders.Length : KeyPartitioner.PartitionOf(key, builders.Length));
            RecordBatchBuilder builder = builders[target];
            builder.Append(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), key, value);
            written++;
            if (builder.Count >= BatchRecordsMax || builder.SizeBytes >= BatchBytesMax)
            {
                await SendAsync(target, cancellation);
            }
        }

        await SendAllAsync(cancellation);
        return written;
    }

    internal static (byte[]? Key, byte[] Value) Split(string line, string? keySeparator)
    {
        int at = keySeparator is null ? -1 : line.IndexOf(keySeparator, StringComparison.Ordinal);
        return at < 0
            ? (null, Encoding.UTF8.GetBytes(line))
            : (Encoding.UTF8.GetBytes(line[..at]), Encoding.UTF8.GetBytes(line[(at + keySeparator!.Length)..]));
    }

    private async Task<int> PartitionsAsync(CancellationToken cancellation)
    {
        long started = Stopwatch.GetTimestamp();
        while (true)
        {
            KafkaConnection connection = await cluster.GetAnyConnectionAsync(cancellation);
            var ask = new MetadataRequest { Topics = [new MetadataRequest.Topic { Name = topic }], AllowAutoTopicCreation = true };
            using KafkaReply<MetadataResponse> reply = await connection.SendAsync(ask, cancellation);
            MetadataResponse.Topic answer = reply.Message.Topics.Single();
            if (answer.Error == KafkaError.None && answer.Partitions.Length > 0)
            {
                return answer.Partitions.Length;
            }

            if (Stopwatch.GetElapsedTime(started) > DeliveryTime || !(answer.Error == KafkaError.None || KafkaErrors.IsRetriable(answer.Error)))
            {
                throw new CommandFailedException(ExitCodes.NotFound, $"{topic} can't be written: {KafkaErrors.Name(answer.Error)}");
            }

            await Task.Delay(RetryTime, cancellation);
        }
    }

    private async Task SendAllAsync(CancellationToken cancellation)
    {
        for (int target = 0; target < builders.Length; target++)
        {
            await SendAsync(target, cancellation);
        }
    }

    private async Task SendAsync(int partition, CancellationToken cancellation)
    {
        RecordBatchBuilder builder = builders[partition];
        if (builder.Count == 0)
        {
            return;
        }

        builder.ProducerId = producerId;
        builder.ProducerEpoch = producerEpoch;
        builder.BaseSequence = sequences[partition];
        sequences[partition] = (int)(((uint)sequences[partition] + (uint)builder.Count) & int.MaxValue);
        ReadOnlyMemory<byte> batch = builder.Build();
        long started = Stopwatch.GetTimestamp();
        while (await TrySendAsync(partition, batch, cancellation) is { } fault)
        {
            if (Stopwatch.GetElapsedTime(started) > DeliveryTime)
            {
                throw new CommandFailedException($"{builder.Count} records for {topic}/{partition} were not acknowledged: {fault}");
            }

            cluster.Forget();
            await Task.Delay(RetryTime, cancellation);
        }

        builder.Clear();
    }

    /// <returns>Null when acknowledged; else why it must be sent again.</returns>
    private async Task<string?> TrySendAsync(int partition, ReadOnlyMemory<byte> batch, CancellationToken cancellation)
    {
        try
        {
            if (await cluster.FindLeaderAsync(topic, partition, cancellation) is not { } leader)
            {
                return "there is no leader";
            }

            KafkaConnection connection = await cluster.GetConnectionAsync(leader, cancellation);
            var ask = new ProduceRequest
            {
                Acks = -1,
                TimeoutMs = ProduceTimeoutMs,
                Topics =
                [
                    new ProduceRequest.Topic
                    {
                        Name = topic, Partitions = [new ProduceRequest.Partition { Index = partition, Records = new RecordBytes(batch) }],
                    },
                ],
            };
            using KafkaReply<ProduceResponse> reply = await connection.SendAsync(ask, cancellation);
            ProduceResponse.Partition answer = reply.Message.Topics.Single().Partitions.Single();
            if (answer.Error is KafkaError.None or KafkaError.DuplicateSequenceNumber)
            {
                return null;
            }

            return KafkaErrors.IsRetriable(answer.Error)
                ? KafkaErrors.Name(answer.Error)
                : throw new CommandFailedException($"{topic}/{partition} refused the records: {KafkaErrors.Name(answer.Error)} {answer.ErrorMessage}");
        }
        catch (KafkaConnectionException failed)
        {
            return failed.Message;
        }
    }
}
