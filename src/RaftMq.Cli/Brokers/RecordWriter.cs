using System.Diagnostics;
using System.Text;
using RaftMq.Cli.Input;
using RaftMq.Cli.Output;
using RaftMq.Kafka.Wire.Client;

namespace RaftMq.Cli.Brokers;

/// <summary>
/// An idempotent producer for people: one batch under way, sent again until it is acknowledged, refused or too late. What was read is sent
/// when a batch is full, and a moment after the first line of it came.
/// </summary>
/// <param name="warn">Takes sentences about what is waited for.</param>
internal sealed class RecordWriter(KafkaCluster cluster, string topic, Func<string, Task> warn)
{
    /// <summary>What a topic's largest batch may be set to; no line is longer.</summary>
    public const int LineBytesMax = 100 << 20;

    private const int BatchRecordsMax = 1000;
    private const int BatchBytesMax = 512 * 1024;

    /// <summary>Of all partitions together.</summary>
    private const int UnsentBytesMax = 32 << 20;

    private WritableTopic opened = new(0, 0, 0, null);
    private PartitionBatch[] batches = [];

    /// <summary>Of all partitions, roughly.</summary>
    private long unsentBytes;

    /// <summary>Since when the oldest line waits to be sent; null where none does.</summary>
    private long? unsentSince;

    /// <summary>Records that were sent and may be stored without an acknowledgement.</summary>
    private int underWay;

    /// <summary>When nothing was acknowledged for so long, it ends.</summary>
    public TimeSpan TimeLimit { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>So often the user is told what is waited for.</summary>
    public TimeSpan NoticeTime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>So long a line waits for others to go with.</summary>
    public TimeSpan LingerTime { get; init; } = TimeSpan.FromMilliseconds(50);

    public long RecordsRead { get; private set; }

    public long RecordsAcknowledged { get; private set; }

    private WatchedWait Wait => new(NoticeTime, TimeLimit, warn);

    /// <summary>Finds the topic, or has it made where the cluster does that, and gets a producer id.</summary>
    /// <exception cref="CommandFailedException">There is no such topic, or not in time.</exception>
    /// <exception cref="KafkaConnectionException">The addresses are none of brokers.</exception>
    public async Task OpenAsync(CancellationToken cancellation)
    {
        try
        {
            opened = await new TopicOpener(cluster, topic, Wait, new FirstContact(TimeLimit, warn)).OpenAsync(cancellation);
            batches = [.. Enumerable.Range(0, opened.Partitions).Select(_ => new PartitionBatch())];
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
        var lines = new LineReader(input, Math.Min(opened.BatchBytesMax ?? LineBytesMax, LineBytesMax));
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
            throw await StoppedAtAsync(lines.Number, RefusalWords.TooLong(topic, opened.BatchBytesMax, LineBytesMax), "", cancellation);
        }

        await SendAllAsync(cancellation);
    }

    /// <summary>What became of the lines that were read.</summary>
    public string Told() => RefusalWords.Told(RecordsRead, RecordsAcknowledged, underWay);

    /// <param name="keyBytes">Where the key ends; -1: there is none.</param>
    /// <returns>Where the value begins.</returns>
    internal static int ValueFrom(ReadOnlySpan<byte> line, byte[]? separator, out int keyBytes)
    {
        keyBytes = separator is null ? -1 : line.IndexOf(separator);
        return keyBytes < 0 ? 0 : keyBytes + separator!.Length;
    }

    /// <summary>What waited for long enough is sent first, whether or not a line comes.</summary>
    private async Task<LineOutcome> NextAsync(LineReader lines, CancellationToken cancellation)
    {
        ValueTask<LineOutcome> next = lines.NextAsync(cancellation);
        if (unsentSince is not { } since)
        {
            return await next;
        }

        TimeSpan left = LingerTime - Stopwatch.GetElapsedTime(since);
        if (next.IsCompleted && left > TimeSpan.Zero)
        {
            return await next;
        }

        Task<LineOutcome> coming = next.AsTask();
        if (left <= TimeSpan.Zero || await Task.WhenAny(coming, Task.Delay(left, cancellation)) != coming)
        {
            await SendAllAsync(cancellation);
        }

        return await coming;
    }

    private async Task AppendAsync(
        int target, long line, bool hasKey, ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> value, CancellationToken cancellation)
    {
        PartitionBatch batch = batches[target];
        int batchBytesMax = Math.Min(BatchBytesMax, opened.BatchBytesMax ?? BatchBytesMax);
        if (batch.SizeBytes + key.Length + value.Length + PartitionBatch.RecordOverheadBytesMax > batchBytesMax)
        {
            await DeliverFullAsync(target, cancellation);
        }

        int before = batch.SizeBytes;
        batch.Append(line, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), hasKey, key.Span, value.Span);
        unsentSince ??= batch.FirstAt;
        if (batch.Count == 1 && batch.SizeBytes > opened.BatchBytesMax)
        {
            string why = RefusalWords.TooLarge(topic, batch.SizeBytes, opened.BatchBytesMax);
            batch.Clear();
            throw await StoppedAtAsync(line, why, "", cancellation);
        }

        unsentBytes += batch.SizeBytes - before;
        if (batch.Count >= BatchRecordsMax || batch.SizeBytes >= batchBytesMax)
        {
            await DeliverFullAsync(target, cancellation);
        }
        else if (unsentBytes > UnsentBytesMax)
        {
            await SendAllAsync(cancellation);
        }
    }

    /// <summary>Sends what was before a line that can't be sent.</summary>
    private async Task<CommandFailedException> StoppedAtAsync(long line, string why, string hint, CancellationToken cancellation)
    {
        try
        {
            await SendAllAsync(cancellation);
        }
        catch (CommandFailedException late) when (late.ExitCode == ExitCodes.Unreachable)
        {
            return new CommandFailedException(late.ExitCode, RefusalWords.NotStored(line, $" {why}", late.Message));
        }

        return new CommandFailedException(RefusalWords.NotSent(line, why, hint));
    }

    private async Task SendAllAsync(CancellationToken cancellation)
    {
        for (int target = 0; target < batches.Length; target++)
        {
            await DeliverAsync(target, cancellation);
        }

        unsentBytes = 0;
        unsentSince = null;
    }

    private async Task DeliverFullAsync(int partition, CancellationToken cancellation)
    {
        await DeliverAsync(partition, cancellation);
        unsentSince = batches.Min(batch => batch.Count > 0 ? batch.FirstAt : (long?)null);
    }

    private async Task DeliverAsync(int partition, CancellationToken cancellation)
    {
        PartitionBatch batch = batches[partition];
        if (batch.Count == 0)
        {
            return;
        }

        SendAnswer answer = await SendAsync(partition, batch, cancellation);
        if (answer.IsRefused && batch.Count > 1 && !answer.MayBeStored)
        {
            // Which of them it is shows when each goes alone; none of them was stored. Were they, alone they would be other batches of the same
            // sequences, and whether the broker then takes them for the stored ones is its own affair.
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
        string why = RefusalWords.Refused($"{topic}/{partition}", refused, answer, opened.BatchBytesMax);
        batches[partition].Clear();
        foreach (PartitionBatch other in batches)
        {
            other.KeepBefore(line);
        }

        try
        {
            await SendAllAsync(cancellation);
        }
        catch (CommandFailedException late) when (late.ExitCode == ExitCodes.Unreachable)
        {
            return new CommandFailedException(late.ExitCode, RefusalWords.NotStored(line, why, late.Message));
        }

        return new CommandFailedException(RefusalWords.NotStored(line, why, after: RecordsAcknowledged - (line - 1)));
    }

    /// <returns>Acknowledged, or refused.</returns>
    /// <exception cref="CommandFailedException">Neither in time.</exception>
    private async Task<SendAnswer> SendAsync(int partition, PartitionBatch batch, CancellationToken cancellation)
    {
        underWay = batch.Count;
        try
        {
            SendAnswer last = await new BatchSender(cluster, topic, Wait).SendAsync(
                partition, batch.Build(opened.ProducerId, opened.ProducerEpoch), cancellation);
            underWay = 0;
            return last;
        }
        catch (TimeoutException late)
        {
            throw new CommandFailedException(ExitCodes.Unreachable, $"{late.Message} {Told()}");
        }
    }
}
