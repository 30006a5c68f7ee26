using System.Globalization;
using System.Text;
using RaftMq.Cli.Input;
using RaftMq.Cli.Output;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Client;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Cli.Brokers;

/// <summary>
/// An idempotent producer for people: one batch under way, sent again until it is acknowledged, refused or too late. What was read is sent
/// when a batch is full, or when nothing more comes for a moment.
/// </summary>
/// <param name="warn">Takes sentences about what is waited for.</param>
internal sealed class RecordWriter(KafkaCluster cluster, string topic, Func<string, Task> warn)
{
    /// <summary>What a topic's largest batch may be set to; no line is longer.</summary>
    public const int LineBytesMax = 100 << 20;

    private const string LargestBatch = "max.message.bytes";
    private const int BatchRecordsMax = 1000;
    private const int BatchBytesMax = 512 * 1024;

    /// <summary>Of all partitions together.</summary>
    private const int UnsentBytesMax = 32 << 20;
    private const int ProduceTimeoutMs = 10_000;
    private static readonly TimeSpan RetryTime = TimeSpan.FromMilliseconds(100);

    private PartitionBatch[] batches = [];

    /// <summary>Of all partitions, roughly.</summary>
    private long unsentBytes;

    /// <summary>Records that were sent and may be stored without an acknowledgement.</summary>
    private int underWay;
    private long producerId;
    private short producerEpoch;

    /// <summary>What the topic says that its largest batch is; null: it was not to be learnt, so the leader decides.</summary>
    private int? topicBatchBytesMax;

    /// <summary>Why the last try was in vain: the end of a sentence.</summary>
    private string lastFault = "";

    /// <summary>When nothing was acknowledged for so long, it ends.</summary>
    public TimeSpan TimeLimit { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>So often the user is told what is waited for.</summary>
    public TimeSpan NoticeTime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>When no line came for so long, those that are there are sent.</summary>
    public TimeSpan LingerTime { get; init; } = TimeSpan.FromMilliseconds(50);

    public long RecordsRead { get; private set; }

    public long RecordsAcknowledged { get; private set; }

    private WatchedWait Wait => new(NoticeTime, TimeLimit, warn);

    /// <summary>Finds the topic, or has it made where the cluster does that, and gets a producer id.</summary>
    /// <exception cref="CommandFailedException">There is no such topic, or not in time.</exception>
    public async Task OpenAsync(CancellationToken cancellation)
    {
        try
        {
            int partitions = await Wait.RunAsync(PartitionsAsync, time => $"{topic} can't be written for {time}: {lastFault}", cancellation);
            InitProducerIdResponse given = await Wait.RunAsync(ProducerIdAsync, time => $"no producer id is given for {time}: {lastFault}", cancellation);
            producerId = given.ProducerId;
            producerEpoch = given.ProducerEpoch;
            batches = [.. Enumerable.Range(0, partitions).Select(_ => new PartitionBatch())];
            topicBatchBytesMax = await TopicBatchBytesMaxAsync(cancellation);
        }
        catch (TimeoutException late)
        {
            throw new CommandFailedException(ExitCodes.Unreachable, $"{late.Message} Nothing was sent.");
        }
    }

    /// <exception cref="CommandFailedException">A line is no record, or was not acknowledged; the message says what is acknowledged.</exception>
    public async Task WriteLinesAsync(Stream input, int? partition, string? keySeparator, bool keysOptional, CancellationToken cancellation)
    {
        if (partition >= batches.Length || partition < 0)
        {
            throw new CommandFailedException(ExitCodes.NotFound, $"{topic} has {Counted.Of(batches.Length, "partition")}, counted from 0.");
        }

        byte[]? separator = keySeparator is null ? null : Encoding.UTF8.GetBytes(keySeparator);
        var lines = new LineReader(input, Math.Min(topicBatchBytesMax ?? LineBytesMax, LineBytesMax));
        int inTurn = 0;
        LineOutcome outcome;
        while ((outcome = await NextAsync(lines, cancellation)) == LineOutcome.Line)
        {
            int valueFrom = ValueFrom(lines.Line.Span, separator, out int keyBytes);
            bool hasKey = keyBytes >= 0;
            if (!hasKey && separator is not null && !keysOptional)
            {
                throw await StoppedAtAsync(
                    lines.Number, $"has no key: '{keySeparator}' is not in it", "; --keys-optional stores such lines without a key", cancellation);
            }

            ReadOnlyMemory<byte> key = hasKey ? lines.Line[..keyBytes] : default;
            ReadOnlyMemory<byte> value = lines.Line[valueFrom..];
            int target = partition ?? (hasKey ? KeyPartitioner.PartitionOf(key.Span, batches.Length) : inTurn++ % batches.Length);
            RecordsRead++;
            await AppendAsync(target, lines.Number, hasKey, key, value, cancellation);
        }

        if (outcome == LineOutcome.TooLong)
        {
            throw await StoppedAtAsync(
                lines.Number,
                topicBatchBytesMax is { } most
                    ? $"is too long: with more than {most} bytes it does not fit the largest batch that {topic} takes ({LargestBatch})"
                    : $"is too long: no record has more than {LineBytesMax} bytes",
                "", cancellation);
        }

        await SendAllAsync(cancellation);
    }

    /// <summary>What became of the lines that were read.</summary>
    public string Told()
    {
        long open = RecordsRead - RecordsAcknowledged;
        string unknown = underWay > 0 ? $" ({underWay} of them may be stored all the same)" : "";
        return $"{Counted.Of(RecordsAcknowledged, "record")} {Counted.Be(RecordsAcknowledged)} acknowledged, {open} that {(open == 1 ? "was" : "were")} read {Counted.Be(open)} not{unknown}.";
    }

    /// <param name="keyBytes">Where the key ends; -1: there is none.</param>
    /// <returns>Where the value begins.</returns>
    internal static int ValueFrom(ReadOnlySpan<byte> line, byte[]? separator, out int keyBytes)
    {
        keyBytes = separator is null ? -1 : line.IndexOf(separator);
        return keyBytes < 0 ? 0 : keyBytes + separator!.Length;
    }

    private async Task<int> PartitionsAsync(CancellationToken cancellation)
    {
        while (true)
        {
            lastFault = "no broker has answered yet";
            KafkaConnection connection = await cluster.GetAnyConnectionAsync(cancellation);
            var ask = new MetadataRequest { Topics = [new MetadataRequest.Topic { Name = topic }], AllowAutoTopicCreation = true };
            using KafkaReply<MetadataResponse> reply = await connection.SendAsync(ask, cancellation);
            MetadataResponse.Topic answer = reply.Message.Topics.Single();
            if (answer.Error == KafkaError.None && answer.Partitions.Length > 0)
            {
                return answer.Partitions.Length;
            }

            lastFault = answer.Error == KafkaError.None ? "it has no partitions yet" : ErrorWords.Of(answer.Error, message: null);
            if (!(answer.Error == KafkaError.None || KafkaErrors.IsRetriable(answer.Error)))
            {
                throw new CommandFailedException(ExitCodes.NotFound, $"{topic} can't be written: {lastFault}.");
            }

            await Task.Delay(RetryTime, cancellation);
        }
    }

    private async Task<InitProducerIdResponse> ProducerIdAsync(CancellationToken cancellation)
    {
        while (true)
        {
            lastFault = "no broker has answered yet";
            KafkaConnection connection = await cluster.GetAnyConnectionAsync(cancellation);
            using KafkaReply<InitProducerIdResponse> reply = await connection.SendAsync(new InitProducerIdRequest { TransactionTimeoutMs = 60_000 }, cancellation);
            if (reply.Message.Error == KafkaError.None)
            {
                return reply.Message;
            }

            lastFault = ErrorWords.Of(reply.Message.Error, message: null);
            if (!KafkaErrors.IsRetriable(reply.Message.Error))
            {
                throw new CommandFailedException($"No producer id was given: {lastFault}.");
            }

            await Task.Delay(RetryTime, cancellation);
        }
    }

    private async Task<int?> TopicBatchBytesMaxAsync(CancellationToken cancellation)
    {
        try
        {
            IReadOnlyList<TopicSetting> settings = await Wait.RunAsync(
                ending => new TopicReader(cluster).SettingsAsync(topic, ending), time => $"the settings of {topic} are not told for {time}", cancellation);
            return int.TryParse(
                settings.FirstOrDefault(setting => setting.Name == LargestBatch)?.Value, NumberStyles.None, CultureInfo.InvariantCulture, out int bytes)
                ? bytes
                : null;
        }
        catch (Exception untold) when (untold is CommandFailedException or KafkaConnectionException)
        {
            // A broker that does not tell, or a topic that is too new: the leader says what is too large.
            return null;
        }
    }

    /// <summary>While no line comes, those that are there are sent.</summary>
    private async Task<LineOutcome> NextAsync(LineReader lines, CancellationToken cancellation)
    {
        ValueTask<LineOutcome> next = lines.NextAsync(cancellation);
        if (next.IsCompleted)
        {
            return await next;
        }

        Task<LineOutcome> coming = next.AsTask();
        if (await Task.WhenAny(coming, Task.Delay(LingerTime, cancellation)) != coming)
        {
            await SendAllAsync(cancellation);
        }

        return await coming;
    }

    private async Task AppendAsync(
        int target, long line, bool hasKey, ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> value, CancellationToken cancellation)
    {
        PartitionBatch batch = batches[target];
        int batchBytesMax = Math.Min(BatchBytesMax, topicBatchBytesMax ?? BatchBytesMax);
        if (batch.SizeBytes + key.Length + value.Length + PartitionBatch.RecordOverheadBytesMax > batchBytesMax)
        {
            await DeliverAsync(target, cancellation);
        }

        int before = batch.SizeBytes;
        batch.Append(line, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), hasKey, key.Span, value.Span);
        if (batch.Count == 1 && batch.SizeBytes > topicBatchBytesMax)
        {
            string why = $"is too long: its batch of {batch.SizeBytes} bytes is larger than {topic} takes, which is {topicBatchBytesMax} ({LargestBatch})";
            batch.Clear();
            throw await StoppedAtAsync(line, why, "", cancellation);
        }

        unsentBytes += batch.SizeBytes - before;
        if (batch.Count >= BatchRecordsMax || batch.SizeBytes >= batchBytesMax)
        {
            await DeliverAsync(target, cancellation);
        }
        else if (unsentBytes > UnsentBytesMax)
        {
            await SendAllAsync(cancellation);
        }
    }

    /// <summary>Sends what was before a line that can't be sent.</summary>
    private async Task<CommandFailedException> StoppedAtAsync(long line, string why, string hint, CancellationToken cancellation)
    {
        await SendAllAsync(cancellation);
        return new CommandFailedException($"Line {line} {why}. {Before(line)}it and what follows were not sent{hint}.");
    }

    private async Task SendAllAsync(CancellationToken cancellation)
    {
        for (int target = 0; target < batches.Length; target++)
        {
            await DeliverAsync(target, cancellation);
        }

        unsentBytes = 0;
    }

    private async Task DeliverAsync(int partition, CancellationToken cancellation)
    {
        PartitionBatch batch = batches[partition];
        if (batch.Count == 0)
        {
            return;
        }

        SendAnswer answer = await SendAsync(partition, batch, cancellation);
        if (answer.IsRefused && batch.Count > 1)
        {
            // Which of them it is shows when each goes alone; none of them was stored.
            foreach (PartitionBatch one in batch.Split())
            {
                answer = await SendAsync(partition, one, cancellation);
                if (answer.IsRefused)
                {
                    throw await RefusedAsync(partition, one, answer, cancellation);
                }

                RecordsAcknowledged++;
            }
        }
        else if (answer.IsRefused)
        {
            throw await RefusedAsync(partition, batch, answer, cancellation);
        }
        else
        {
            RecordsAcknowledged += batch.Count;
        }

        unsentBytes -= batch.SizeBytes;
        batch.Advance();
    }

    /// <summary>Sends what was read before the line that was refused, so that the user knows where to go on.</summary>
    private async Task<CommandFailedException> RefusedAsync(int partition, PartitionBatch refused, SendAnswer answer, CancellationToken cancellation)
    {
        long line = refused.FirstLine;
        string why = $"was refused by {topic}/{partition}: {answer.Why}";
        if (answer.Error == KafkaError.MessageTooLarge)
        {
            string most = topicBatchBytesMax is { } bytes ? $"; the topic says {bytes}" : "";
            why = $"was refused by {topic}/{partition}: its batch of {refused.SizeBytes} bytes is larger than the leader takes ({KafkaErrors.Name(answer.Error)}): "
                + $"{LargestBatch} of the topic, or limits.record.batch.bytes of the leader's node{most}";
        }

        batches[partition].Clear();
        foreach (PartitionBatch other in batches)
        {
            other.KeepBefore(line);
        }

        await SendAllAsync(cancellation);
        long after = RecordsAcknowledged - (line - 1);
        string elsewhere = after > 0 ? $"{Counted.Of(after, "line")} after it, to other partitions, {Counted.Be(after)} as well; " : "";
        return new CommandFailedException($"Line {line} {why}. {Before(line)}{elsewhere}it and {(after > 0 ? "the rest" : "what follows")} are not.");
    }

    private static string Before(long line) => line switch
    {
        1 => "Nothing was before it; ",
        2 => "The line before it is acknowledged; ",
        _ => $"The {line - 1} lines before it are acknowledged; ",
    };

    /// <returns>Acknowledged, or refused.</returns>
    /// <exception cref="CommandFailedException">Neither in time.</exception>
    private async Task<SendAnswer> SendAsync(int partition, PartitionBatch batch, CancellationToken cancellation)
    {
        ReadOnlyMemory<byte> bytes = batch.Build(producerId, producerEpoch);
        lastFault = "no answer yet";
        underWay = batch.Count;
        try
        {
            SendAnswer last = await Wait.RunAsync(
                async ending =>
                {
                    while (true)
                    {
                        SendAnswer answer = await TrySendAsync(partition, bytes, ending);
                        if (answer.IsAcknowledged || answer.IsRefused)
                        {
                            return answer;
                        }

                        lastFault = answer.Why;
                        cluster.Forget();
                        await Task.Delay(RetryTime, ending);
                    }
                },
                time => $"{topic}/{partition} has acknowledged nothing for {time}: {lastFault}",
                cancellation);
            underWay = 0;
            return last;
        }
        catch (TimeoutException late)
        {
            throw new CommandFailedException(ExitCodes.Unreachable, $"{late.Message} {Told()}");
        }
    }

    private async Task<SendAnswer> TrySendAsync(int partition, ReadOnlyMemory<byte> batch, CancellationToken cancellation)
    {
        try
        {
            if (await cluster.FindLeaderAsync(topic, partition, cancellation) is not { } leader)
            {
                return new SendAnswer(KafkaError.LeaderNotAvailable, ErrorWords.Of(KafkaError.LeaderNotAvailable, message: null));
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
                        Name = topic,
                        Partitions = [new ProduceRequest.Partition { Index = partition, Records = new RecordBytes(batch) }],
                    },
                ],
            };
            using KafkaReply<ProduceResponse> reply = await connection.SendAsync(ask, cancellation);
            ProduceResponse.Partition answer = reply.Message.Topics.Single().Partitions.Single();
            return answer.Error is KafkaError.None or KafkaError.DuplicateSequenceNumber
                ? SendAnswer.Acknowledged
                : new SendAnswer(answer.Error, ErrorWords.Of(answer.Error, answer.ErrorMessage));
        }
        catch (KafkaConnectionException failed)
        {
            return new SendAnswer(KafkaError.NetworkException, failed.Message);
        }
    }
}
