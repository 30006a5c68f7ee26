using System.Diagnostics;
using System.Security.Cryptography;
using RaftMq.Cli.Brokers;
using RaftMq.Cli.Output;
using RaftMq.Kafka.Wire.Client;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Cli.Bench;

/// <summary>
/// One measurement: (1) the topic is made or found, (2) warm-up, (3) the time that counts, (4) all that is under way comes back, (5) the
/// log is read again and held against what was acknowledged, (6) a topic of its own is deleted.
/// </summary>
internal sealed class BenchRun(BenchSettings settings, string? admin)
{
    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan OffsetsTime = TimeSpan.FromSeconds(30);

    private readonly uint run = BitConverter.ToUInt32(RandomNumberGenerator.GetBytes(sizeof(uint)));

    public Task<BenchReport> ProduceAsync(CancellationToken cancellation) => LoadAsync(endToEnd: false, cancellation);

    public Task<BenchReport> EndToEndAsync(CancellationToken cancellation) => LoadAsync(endToEnd: true, cancellation);

    /// <summary>Reads a topic that an earlier run filled (with <c>--topic</c>) from its first record.</summary>
    public async Task<BenchReport> ConsumeAsync(CancellationToken cancellation)
    {
        string topic = settings.Topic!;
        await using var cluster = new KafkaCluster(settings.Bootstrap, new KafkaConnectionOptions());
        var offsets = new TopicReader(cluster);
        int partitions = (await offsets.DescribeAsync([topic], cancellation)).Single().Partitions.Count;
        await using LeaderWatch watch = await LeaderWatch.StartAsync(settings.Bootstrap, topic, partitions, cancellation);
        long[] first = await offsets.AllOffsetsAsync(topic, partitions, TopicReader.Earliest, OffsetsTime, cancellation);
        long[] end = await offsets.AllOffsetsAsync(topic, partitions, TopicReader.Latest, OffsetsTime, cancellation);
        int version = (await cluster.GetAnyConnectionAsync(cancellation)).NegotiatedVersion(FetchRequest.Schema);
        var reader = new BenchReader(topic, run: null, watch, version, first, end, seen: null);
        long started = Stopwatch.GetTimestamp();
        await Task.Run(() => reader.Run(cancellation), cancellation);
        TimeSpan took = Stopwatch.GetElapsedTime(started);
        cancellation.ThrowIfCancellationRequested();
        long there = end.Sum() - first.Sum();
        List<string> faults = [];
        AddIf(faults, reader.Corrupt > 0, $"{reader.Corrupt} batches or records whose sum is wrong");
        AddIf(faults, reader.Records != there, $"{there} offsets, but {reader.Records} records of a measurement");
        return new BenchReport
        {
            Kind = "consume",
            Settings = settings with { Partitions = partitions },
            Topic = topic,
            Seconds = took.TotalSeconds,
            RecordsPerSecond = reader.Records / took.TotalSeconds,
            MebibytesPerSecond = reader.Bytes / took.TotalSeconds / (1 << 20),
            BatchesInLog = BatchFigures.Of(reader.Batches),
            FoundInLog = reader.Records,
            Corrupt = reader.Corrupt,
            Faults = faults,
        };
    }

    private async Task<BenchReport> LoadAsync(bool endToEnd, CancellationToken cancellation)
    {
        await using var cluster = new KafkaCluster(settings.Bootstrap, new KafkaConnectionOptions());
        string topic = settings.Topic ?? $"bench-{run:x8}";
        bool made = await new TopicWriter(cluster).CreateAsync(topic, settings.Partitions, settings.Replicas, [], cancellation);
        int partitions = made ? settings.Partitions : await PartitionsAsync(cluster, topic, cancellation);
        BenchSettings actual = settings with { Partitions = partitions };
        await using LeaderWatch watch = await LeaderWatch.StartAsync(settings.Bootstrap, topic, partitions, cancellation);
        try
        {
            return await LoadAsync(endToEnd, topic, actual, cluster, watch, cancellation);
        }
        finally
        {
            if (made && settings.Topic is null)
            {
                await new TopicWriter(cluster).DeleteAsync(topic, CancellationToken.None);
            }
        }
    }

    private async Task<BenchReport> LoadAsync(
        bool endToEnd, string topic, BenchSettings actual, KafkaCluster cluster, LeaderWatch watch, CancellationToken cancellation)
    {
        var offsets = new TopicReader(cluster);
        long[] first = await offsets.AllOffsetsAsync(topic, actual.Partitions, TopicReader.Latest, OffsetsTime, cancellation);
        KafkaConnection any = await cluster.GetAnyConnectionAsync(cancellation);
        int fetchVersion = any.NegotiatedVersion(FetchRequest.Schema);
        int produceVersion = any.NegotiatedVersion(ProduceRequest.Schema);
        using NodeWatch nodes = await NodeWatch.StartAsync(cluster, admin, cancellation);

        var acks = new AckClock();
        List<BenchProducer> producers = [];
        BenchReader? consumer = endToEnd ? new BenchReader(topic, run, watch, fetchVersion, first, end: null, seen: null) : null;
        Task consuming = consumer is null ? Task.CompletedTask : Task.Run(() => consumer.Run(cancellation), cancellation);
        try
        {
            for (int i = 0; i < actual.Producers; i++)
            {
                ProducerIdentity identity = actual.Idempotence ? await IdentityAsync(cluster, cancellation) : new ProducerIdentity(-1, -1);
                producers.Add(new BenchProducer(i, topic, run, actual, watch, acks, identity, produceVersion));
            }

            LoadFigures load = await DriveAsync(actual, producers, consumer, acks, cancellation);
            if (consumer is not null)
            {
                await DeliveredAsync(consumer, load.Acknowledged, cancellation);
                consumer.Stop();
                await consuming;
            }

            (IReadOnlyList<NodeFigures> figures, IReadOnlyList<string> unknown) = await nodes.EndAsync(cancellation);
            long[] end = await offsets.AllOffsetsAsync(topic, actual.Partitions, TopicReader.Latest, OffsetsTime, cancellation);
            var seen = new SeenRecords(actual.Producers);
            BenchReader? check = null;
            if (actual.Verify)
            {
                check = new BenchReader(topic, run, watch, fetchVersion, first, end, seen);
                await Task.Run(() => check.Run(cancellation), cancellation);
                cancellation.ThrowIfCancellationRequested();
            }

            return Report(endToEnd, topic, actual, producers, consumer, check, seen, load, end.Sum() - first.Sum()) with
            {
                Nodes = figures,
                NodesUnknown = unknown,
            };
        }
        finally
        {
            consumer?.Stop();
            producers.ForEach(producer => producer.Dispose());
        }
    }

    private static async Task<LoadFigures> DriveAsync(
        BenchSettings actual, List<BenchProducer> producers, BenchReader? consumer, AckClock acks, CancellationToken cancellation)
    {
        long recordsEach = actual.Records is { } all ? Math.Max(1, all / producers.Count) : long.MaxValue;
        int windowEach = Math.Max(1, actual.Window / producers.Count);
        List<Pacer> pacers = [];
        try
        {
            foreach (BenchProducer producer in producers)
            {
                if (actual.Rate > 0)
                {
                    pacers.Add(new Pacer(producer, actual.Rate / producers.Count, windowEach, recordsEach));
                }
                else
                {
                    producer.OfferWindow(windowEach, recordsEach);
                }
            }

            await WaitAsync(producers, recordsEach, actual.Warmup, cancellation);
            long ackedBefore = producers.Sum(producer => producer.RecordsAcked);
            long deliveredBefore = consumer?.Records ?? 0;
            long started = Stopwatch.GetTimestamp();
            acks.Start(started);
            producers.ForEach(producer => producer.Measuring = true);
            consumer?.Measuring = true;
            await WaitAsync(producers, recordsEach, actual.Duration, cancellation);
            TimeSpan took = Stopwatch.GetElapsedTime(started);
            acks.End();
            long acked = producers.Sum(producer => producer.RecordsAcked) - ackedBefore;
            long delivered = (consumer?.Records ?? 0) - deliveredBefore;
            pacers.ForEach(pacer => pacer.Dispose());
            producers.ForEach(producer => producer.StopOffering());
            await DrainAsync(producers, cancellation);
            return new LoadFigures(took, acked, delivered, acks.Longest, producers.Sum(producer => producer.RecordsAcked));
        }
        finally
        {
            pacers.ForEach(pacer => pacer.Dispose());
        }
    }

    /// <summary>For a time, or until all records of the run are acknowledged.</summary>
    private static async Task WaitAsync(List<BenchProducer> producers, long recordsEach, TimeSpan time, CancellationToken cancellation)
    {
        long started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < time && !producers.TrueForAll(producer => producer.RecordsAcked >= recordsEach))
        {
            ThrowOnFault(producers);
            await Task.Delay(TimeSpan.FromMilliseconds(Math.Clamp((time - Stopwatch.GetElapsedTime(started)).TotalMilliseconds, 1, 20)), cancellation);
        }
    }

    private static async Task DrainAsync(List<BenchProducer> producers, CancellationToken cancellation)
    {
        long started = Stopwatch.GetTimestamp();
        while (producers.Exists(producer => producer.Outstanding > 0))
        {
            ThrowOnFault(producers);
            if (Stopwatch.GetElapsedTime(started) > DrainTime)
            {
                long open = producers.Sum(producer => producer.Outstanding);
                throw new CommandFailedException(
                    $"{Counted.Of(open, "record")} {(open == 1 ? "was" : "were")} not acknowledged within {DrainTime.TotalSeconds:0} s of the end.");
            }

            await Task.Delay(5, cancellation);
        }
    }

    private static async Task DeliveredAsync(BenchReader consumer, long acknowledged, CancellationToken cancellation)
    {
        long started = Stopwatch.GetTimestamp();
        while (consumer.Records < acknowledged && Stopwatch.GetElapsedTime(started) < DrainTime)
        {
            await Task.Delay(5, cancellation);
        }
    }

    private static void ThrowOnFault(List<BenchProducer> producers)
    {
        if (producers.Find(producer => producer.Fault is not null) is { } failed)
        {
            throw new CommandFailedException($"The load can't go on: {failed.Fault}");
        }
    }

    private static async Task<int> PartitionsAsync(KafkaCluster cluster, string topic, CancellationToken cancellation) =>
        (await new TopicReader(cluster).DescribeAsync([topic], cancellation)).Single().Partitions.Count;

    private static async Task<ProducerIdentity> IdentityAsync(KafkaCluster cluster, CancellationToken cancellation)
    {
        KafkaConnection connection = await cluster.GetAnyConnectionAsync(cancellation);
        using KafkaReply<InitProducerIdResponse> reply = await connection.SendAsync(new InitProducerIdRequest { TransactionTimeoutMs = 60_000 }, cancellation);
        TopicReader.ThrowIf(reply.Message.Error, "no producer id was given");
        return new ProducerIdentity(reply.Message.ProducerId, reply.Message.ProducerEpoch);
    }

    private static void AddIf(List<string> faults, bool broken, string text)
    {
        if (broken)
        {
            faults.Add(text);
        }
    }

    private static BenchReport Report(
        bool endToEnd, string topic, BenchSettings actual, List<BenchProducer> producers, BenchReader? consumer, BenchReader? check,
        SeenRecords seen, LoadFigures load, long offsetsAdded)
    {
        var latency = new LatencyHistogram();
        var sent = new BatchTally();
        foreach (BenchProducer producer in producers)
        {
            latency.Add(producer.Latency);
            sent.Add(producer.Batches);
        }

        // Without idempotence a record that was sent again may be there twice; it may never be missing.
        long again = producers.Sum(producer => producer.RecordsAgain);
        long corrupt = (check?.Corrupt ?? 0) + (consumer?.Corrupt ?? 0);
        List<string> faults = [];
        bool owned = actual.Topic is null;
        AddIf(faults, actual.Acks != 0 && offsetsAdded < load.Acknowledged, $"{load.Acknowledged} acknowledged, but only {offsetsAdded} offsets added");
        AddIf(faults, owned && actual.Idempotence && offsetsAdded != load.Acknowledged, $"{load.Acknowledged} acknowledged, but {offsetsAdded} offsets added");
        AddIf(faults, check is not null && actual.Acks != 0 && seen.Distinct < load.Acknowledged, $"{load.Acknowledged - seen.Distinct} acknowledged records are not in the log");
        AddIf(faults, check is not null && actual.Idempotence && seen.Repeated > 0, $"{seen.Repeated} records are in the log twice");
        AddIf(faults, corrupt > 0, $"{corrupt} batches or records whose sum is wrong");
        AddIf(faults, consumer is not null && consumer.Records < load.Acknowledged, $"{load.Acknowledged - (consumer?.Records ?? 0)} acknowledged records were not delivered");
        long counted = endToEnd ? load.DeliveredInTime : load.AckedInTime;
        return new BenchReport
        {
            Kind = endToEnd ? "end-to-end" : "produce",
            Settings = actual,
            Topic = topic,
            Seconds = load.Took.TotalSeconds,
            RecordsPerSecond = counted / load.Took.TotalSeconds,
            MebibytesPerSecond = counted * (double)actual.RecordBytes / load.Took.TotalSeconds / (1 << 20),
            AckLatencyMs = LatencyFigures.Of(latency),
            DeliveryLatencyMs = consumer is null ? null : LatencyFigures.Of(consumer.Latency),
            BatchesSent = BatchFigures.Of(sent),
            BatchesInLog = check is null ? null : BatchFigures.Of(check.Batches),
            LongestGapMs = actual.MeasureGap ? Math.Round(load.Gap.TotalMilliseconds, 1) : null,
            Acknowledged = load.Acknowledged,
            SentAgain = again,
            OffsetsAdded = offsetsAdded,
            FoundInLog = check?.Records,
            Repeated = check is null ? null : seen.Repeated,
            Corrupt = corrupt,
            Faults = faults,
        };
    }
}
