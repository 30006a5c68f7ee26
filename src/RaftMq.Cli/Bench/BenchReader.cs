using System.Diagnostics;
using System.Net.Sockets;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Client;
using RaftMq.Kafka.Wire.Compression;
using RaftMq.Kafka.Wire.Messages;
using RaftMq.Records;

namespace RaftMq.Cli.Bench;

/// <summary>
/// Reads all partitions of a topic, a thread and a connection per leader with one fetch under way, and checks each batch's CRC and each
/// record's sum. Partitions that lost their leader are given to another thread once there is a new one.
/// </summary>
internal sealed class BenchReader
{
    private const int MaxWaitMs = 500;
    private const int FetchBytesMax = 50 << 20;
    private const int PartitionBytesMax = 1 << 20;
    private const int OpenedBytesMax = 256 << 20;

    private readonly string topic;
    private readonly uint? run;
    private readonly LeaderWatch watch;
    private readonly int version;
    private readonly long[] next;
    private readonly long[] end;
    private readonly bool[] taken;
    private readonly Lock gate = new();
    private readonly SeenRecords? seen;
    private volatile bool stopping;

    /// <param name="topic">Name of the topic.</param>
    /// <param name="run">Count the records of this run only; null: of all runs.</param>
    /// <param name="watch">Knows the leaders.</param>
    /// <param name="version">Of the Fetch request.</param>
    /// <param name="start">First offset of each partition.</param>
    /// <param name="end">Offset to stop before, of each partition; null: until told to.</param>
    /// <param name="seen">Marks the records found, or null.</param>
    public BenchReader(string topic, uint? run, LeaderWatch watch, int version, long[] start, long[]? end, SeenRecords? seen)
    {
        this.topic = topic;
        this.run = run;
        this.watch = watch;
        this.version = version;
        this.seen = seen;
        next = [.. start];
        this.end = end ?? [.. start.Select(_ => long.MaxValue)];
        taken = new bool[start.Length];
    }

    public LatencyHistogram Latency { get; } = new();

    public BatchTally Batches { get; } = new();

    /// <summary>Latencies are counted.</summary>
    public bool Measuring { get; set; }

    /// <summary>Records of the run, whole and with the right sum.</summary>
    public long Records { get; private set; }

    /// <summary>Records that are not of the run.</summary>
    public long Foreign { get; private set; }

    /// <summary>Batches or records whose sum is wrong.</summary>
    public long Corrupt { get; private set; }

    public long Bytes { get; private set; }

    /// <summary>Blocks until all is read, or <see cref="Stop"/> or the token says so.</summary>
    public void Run(CancellationToken cancellation)
    {
        List<Thread> threads = [];
        while (!stopping && !cancellation.IsCancellationRequested && !Done())
        {
            foreach (IGrouping<(int Node, KafkaEndpoint Endpoint), int> led in Free().ToList())
            {
                int[] partitions = [.. led];
                Array.ForEach(partitions, partition => taken[partition] = true);
                var thread = new Thread(() => Read(led.Key.Endpoint, partitions)) { IsBackground = true, Name = $"reader node {led.Key.Node}" };
                threads.Add(thread);
                thread.Start();
            }

            cancellation.WaitHandle.WaitOne(1);
        }

        stopping = true;
        threads.ForEach(thread => thread.Join());
    }

    public void Stop() => stopping = true;

    private bool Done()
    {
        lock (gate)
        {
            return !Enumerable.Range(0, next.Length).Any(partition => next[partition] < end[partition]);
        }
    }

    private IEnumerable<IGrouping<(int, KafkaEndpoint), int>> Free()
    {
        lock (gate)
        {
            return Enumerable.Range(0, next.Length)
                .Where(partition => !taken[partition] && next[partition] < end[partition])
                .Select(partition => (partition, known: watch.TryFind(partition, out int node, out KafkaEndpoint endpoint), node, endpoint))
                .Where(found => found.known)
                .GroupBy(found => (found.node, found.endpoint), found => found.partition)
                .ToList();
        }
    }

    private void Read(KafkaEndpoint endpoint, int[] partitions)
    {
        try
        {
            using BrokerSocket socket = BrokerSocket.Connect(endpoint);
            int correlation = 0;
            while (!stopping)
            {
                FetchRequest.Partition[] wanted = [.. partitions.Where(partition => next[partition] < end[partition]).Select(partition =>
                    new FetchRequest.Partition { Index = partition, FetchOffset = next[partition], PartitionMaxBytes = PartitionBytesMax })];
                if (wanted.Length == 0)
                {
                    break;
                }

                socket.Send(
                    new FetchRequest
                    {
                        MaxWaitMs = MaxWaitMs,
                        MinBytes = 1,
                        MaxBytes = FetchBytesMax,
                        SessionId = 0,
                        SessionEpoch = -1,
                        Topics = [new FetchRequest.Topic { Name = topic, Partitions = wanted }],
                    },
                    version, correlation++);
                if (!Take(socket.Receive(), Stopwatch.GetTimestamp()))
                {
                    watch.Ask();
                    break;
                }
            }
        }
        catch (SocketException)
        {
            watch.Ask();
        }
        finally
        {
            lock (gate)
            {
                Array.ForEach(partitions, partition => taken[partition] = false);
            }
        }
    }

    /// <returns>False when a partition must be read elsewhere.</returns>
    private bool Take(ReadOnlyMemory<byte> frame, long now)
    {
        var reader = new KafkaReader(frame);
        if (!KafkaFrameReader.TryReadResponseHeader(ref reader, FetchRequest.Schema, version, out _)
            || !FetchResponse.TryRead(ref reader, version, out FetchResponse? answer) || answer.Error != KafkaError.None)
        {
            return false;
        }

        bool whole = true;
        lock (gate)
        {
            foreach (FetchResponse.Partition partition in answer.Topics.SelectMany(said => said.Partitions))
            {
                if (partition.Error != KafkaError.None)
                {
                    whole = false;
                    continue;
                }

                TakeBatches(partition.Index, partition.Records.Memory, now);
            }
        }

        return whole;
    }

    private void TakeBatches(int partition, ReadOnlyMemory<byte> bytes, long now)
    {
        int at = 0;
        var batches = new RecordBatchEnumerator(bytes.Span);
        while (batches.TryNext(out RecordBatchHeader header, out ReadOnlySpan<byte> batch))
        {
            ReadOnlyMemory<byte> memory = bytes.Slice(at, batch.Length);
            at += batch.Length;
            if (header.NextOffset <= next[partition])
            {
                continue;
            }

            if (RecordBatchPatch.ComputeCrc(batch) != header.Crc
                || !RecordCompression.TryOpen(memory, OpenedBytesMax, out ReadOnlyMemory<byte> records, out _))
            {
                Corrupt++;
            }
            else if (!header.IsControl)
            {
                Batches.Add(header.RecordCount, header.SizeBytes);
                TakeRecords(partition, header, records.Span, now);
            }

            next[partition] = header.NextOffset;
        }
    }

    private void TakeRecords(int partition, in RecordBatchHeader header, ReadOnlySpan<byte> bytes, long now)
    {
        var reader = new RecordReader(header, bytes);
        while (reader.TryNext(out RecordView view))
        {
            if (view.Offset < next[partition] || view.Offset >= end[partition])
            {
                continue;
            }

            if (!BenchPayload.TryRead(view.Value, out BenchRecord record))
            {
                Corrupt++;
            }
            else if (run is { } own && record.Run != own)
            {
                Foreign++;
            }
            else
            {
                Records++;
                Bytes += view.Value.Length;
                seen?.Mark(record.Producer, record.Number);
                if (Measuring)
                {
                    Latency.Record(now - record.SentTicks);
                }
            }
        }

        if (reader.Fault is not null)
        {
            Corrupt++;
        }
    }
}
