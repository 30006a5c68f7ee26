using System.Diagnostics;
using System.Net.Sockets;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Client;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Cli.Bench;

/// <summary>
/// One producer with a connection and a receiving thread per leader. It works as Kafka's producers do: records go to one partition until a
/// batch is full, then to the next; without linger; a request carries at most one batch of each partition. (1) Records are offered, all
/// at once by the window or at their times; (2) whoever offers or receives an answer builds and sends what is possible; (3) an answer
/// frees its records' places in the window.
/// </summary>
internal sealed class BenchProducer : IDisposable
{
    private const int RequestBytesMax = 1 << 20;
    private const int RecordOverheadBytes = 12;
    private const int ProduceTimeoutMs = 30_000;

    private readonly int number;
    private readonly string topic;
    private readonly BenchSettings settings;
    private readonly LeaderWatch watch;
    private readonly AckClock acks;
    private readonly ProducerIdentity identity;
    private readonly int version;
    private readonly BenchPayload payload;
    private readonly int recordsPerBatch;
    private readonly Lock gate = new();
    private readonly Lane[] lanes;
    private readonly Dictionary<int, Link> links = [];
    private readonly List<Thread> threads = [];
    private readonly Stack<BatchInFlight> spare = new();
    private int laneNow;
    private int laneRecords;
    private int nextLaneToSend;
    private bool offering;
    private bool ended;

    public BenchProducer(
        int number, string topic, uint run, BenchSettings settings, LeaderWatch watch, AckClock acks, ProducerIdentity identity, int version)
    {
        this.number = number;
        this.topic = topic;
        this.settings = settings;
        this.watch = watch;
        this.acks = acks;
        this.identity = identity;
        this.version = version;
        payload = new BenchPayload(run, settings.RecordBytes);
        recordsPerBatch = Math.Max(1, (settings.BatchBytes - 61) / (settings.RecordBytes + RecordOverheadBytes));
        lanes = [.. Enumerable.Range(0, settings.Partitions).Select(partition => new Lane(partition))];

        // Producers begin at different partitions, so that they do not all go to the same leader at once.
        laneNow = number * settings.Partitions / settings.Producers % settings.Partitions;
        watch.Refreshed += LeadersRefreshed;
        watch.Ticked += CheckTimes;
    }

    public LatencyHistogram Latency { get; } = new();

    public BatchTally Batches { get; } = new();

    /// <summary>Latencies and batches are counted.</summary>
    public bool Measuring { get; set; }

    public long RecordsOffered { get; private set; }

    public long RecordsMade { get; private set; }

    public long RecordsAcked { get; private set; }

    public long RecordsAgain { get; private set; }

    public int Outstanding => (int)(RecordsOffered - RecordsAcked);

    /// <summary>Why the run can't go on; null while it can.</summary>
    public string? Fault { get; private set; }

    /// <summary>Offers as many records as the window lets, again whenever some were acknowledged.</summary>
    public void OfferWindow(int window, long recordsMax)
    {
        lock (gate)
        {
            offering = true;
            Window = window;
            RecordsMax = recordsMax;
            Refill(Stopwatch.GetTimestamp());
        }

        Pump();
    }

    /// <summary>Offers records that were due at given times.</summary>
    public void Offer(OfferedRun run)
    {
        lock (gate)
        {
            Spread(run);
        }

        Pump();
    }

    public void StopOffering()
    {
        lock (gate)
        {
            offering = false;
        }
    }

    public void Dispose()
    {
        watch.Refreshed -= LeadersRefreshed;
        watch.Ticked -= CheckTimes;
        lock (gate)
        {
            ended = true;
            foreach (Link link in links.Values)
            {
                link.Broken = true;
                link.Socket.Close();
            }
        }

        foreach (Thread thread in threads)
        {
            thread.Join();
        }
    }

    private int Window { get; set; }

    private long RecordsMax { get; set; }

    private void Refill(long nowTicks)
    {
        if (!offering)
        {
            return;
        }

        int room = (int)Math.Min(Window - Outstanding, RecordsMax - RecordsOffered);
        if (room > 0)
        {
            Spread(new OfferedRun(room, nowTicks, 0));
        }
    }

    private void Spread(OfferedRun run)
    {
        RecordsOffered += run.Count;
        while (run.Count > 0)
        {
            int take = Math.Min(run.Count, recordsPerBatch - laneRecords);
            lanes[laneNow].Offered.Enqueue(run with { Count = take });
            run = run.Skip(take);
            laneRecords += take;
            if (laneRecords == recordsPerBatch)
            {
                laneRecords = 0;
                laneNow = (laneNow + 1) % lanes.Length;
            }
        }
    }

    /// <summary>Sends all that can be sent now. Not called under the lock: sending may block.</summary>
    private void Pump()
    {
        while (true)
        {
            Link? link;
            SentRequest? request;
            lock (gate)
            {
                (link, request) = Next();
                if (link is null || request is null)
                {
                    return;
                }

                link.Sending = true;
            }

            try
            {
                link.Socket.Send(request.Message, version, request.Correlation);
            }
            catch (Exception broken) when (broken is SocketException or ObjectDisposedException)
            {
                Break(link);
            }

            lock (gate)
            {
                link.Sending = false;
                if (settings.Acks == 0 && !link.Broken)
                {
                    SentWithoutAnswer(link);
                }
            }
        }
    }

    private (Link? Link, SentRequest? Request) Next()
    {
        if (ended || Fault is not null)
        {
            return default;
        }

        for (int i = 0; i < lanes.Length; i++)
        {
            Lane lane = lanes[(nextLaneToSend + i) % lanes.Length];
            if (lane.HasWork && LinkOf(lane) is { Sending: false } link && link.InFlight.Count < settings.RequestsInFlight
                && lane.MaySendOn(link))
            {
                nextLaneToSend = (lane.Partition + 1) % lanes.Length;
                return (link, Build(link, lane.Partition));
            }
        }

        return default;
    }

    private SentRequest Build(Link link, int firstLane)
    {
        long now = Stopwatch.GetTimestamp();
        List<BatchInFlight> batches = [];
        int bytes = 0;
        for (int i = 0; i < lanes.Length; i++)
        {
            Lane lane = lanes[(firstLane + i) % lanes.Length];
            if (!lane.HasWork || LinkOf(lane) != link || !lane.MaySendOn(link))
            {
                continue;
            }

            if (batches.Count > 0 && bytes + settings.BatchBytes > RequestBytesMax)
            {
                break;
            }

            BatchInFlight batch = Take(lane);
            bytes += batch.Bytes.Length;
            batches.Add(batch);
            lane.InFlight++;
            lane.Carrier = link;
        }

        var message = new ProduceRequest
        {
            Acks = settings.Acks,
            TimeoutMs = ProduceTimeoutMs,
            Topics =
            [
                new ProduceRequest.Topic
                {
                    Name = topic,
                    Partitions = [.. batches.Select(batch => new ProduceRequest.Partition
                    {
                        Index = batch.Lane.Partition, Records = new RecordBytes(batch.Bytes),
                    })],
                },
            ],
        };
        var request = new SentRequest(message, link.NextCorrelation++, batches, now);
        link.InFlight.Enqueue(request);
        return request;
    }

    private BatchInFlight Take(Lane lane)
    {
        if (lane.Again.Count > 0)
        {
            (long order, BatchInFlight again) = lane.Again.First();
            lane.Again.Remove(order);
            RecordsAgain += again.Records;
            return again;
        }

        BatchInFlight batch = spare.Count > 0 ? spare.Pop() : new BatchInFlight(settings.BatchBytes);
        batch.Lane = lane;
        batch.Builder.Clear();
        batch.Runs.Clear();
        long timestampMs = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        while (batch.Records < recordsPerBatch && (lane.Head.Count > 0 || lane.Offered.TryDequeue(out OfferedRun next) && Begin(lane, next)))
        {
            OfferedRun head = lane.Head;
            int take = Math.Min(head.Count, recordsPerBatch - batch.Records);
            for (int i = 0; i < take; i++)
            {
                ReadOnlySpan<byte> value = payload.Make(number, lane.Partition, RecordsMade++, head.TicksOf(i));
                batch.Builder.Append(timestampMs, hasKey: false, default, hasValue: true, value);
            }

            batch.Runs.Add(head with { Count = take });
            lane.Head = head.Skip(take);
        }

        if (settings.Idempotence)
        {
            batch.Builder.ProducerId = identity.Id;
            batch.Builder.ProducerEpoch = identity.Epoch;
            batch.Builder.BaseSequence = lane.NextSequence;
            lane.NextSequence = (int)(((uint)lane.NextSequence + (uint)batch.Records) & int.MaxValue);
        }

        batch.Order = lane.NextOrder++;
        batch.Bytes = batch.Builder.Build();
        if (Measuring)
        {
            Batches.Add(batch.Records, batch.Bytes.Length);
        }

        return batch;
    }

    private static bool Begin(Lane lane, OfferedRun next)
    {
        lane.Head = next;
        return true;
    }

    /// <summary>The connection to the lane's leader, made if need be; null when it is not known or can't be reached.</summary>
    private Link? LinkOf(Lane lane)
    {
        if (!watch.TryFind(lane.Partition, out int node, out KafkaEndpoint endpoint))
        {
            AskLeader(lane);
            return null;
        }

        if (links.TryGetValue(node, out Link? known))
        {
            return known;
        }

        try
        {
            var link = new Link(node, endpoint, BrokerSocket.Connect(endpoint));
            links.Add(node, link);
            var thread = new Thread(() => Receive(link)) { IsBackground = true, Name = $"producer {number} node {node}" };
            threads.Add(thread);
            thread.Start();
            return link;
        }
        catch (SocketException)
        {
            AskLeader(lane);
            return null;
        }
    }

    private void AskLeader(Lane lane)
    {
        lane.Waiting = true;
        watch.Ask();
    }

    private void LeadersRefreshed()
    {
        lock (gate)
        {
            foreach (Lane lane in lanes)
            {
                lane.Waiting = false;
            }
        }

        Pump();
    }

    /// <summary>A broker that fell silent is given up, so that its partitions' new leaders can be found.</summary>
    private void CheckTimes()
    {
        List<Link> silent = [];
        lock (gate)
        {
            long now = Stopwatch.GetTimestamp();
            foreach (Link link in links.Values)
            {
                if (link.InFlight.TryPeek(out SentRequest? oldest) && Stopwatch.GetElapsedTime(oldest.SentTicks, now) > settings.RequestTimeout)
                {
                    silent.Add(link);
                }
            }
        }

        silent.ForEach(Break);
    }

    private void Receive(Link link)
    {
        try
        {
            while (true)
            {
                ReadOnlyMemory<byte> frame = link.Socket.Receive();
                long now = Stopwatch.GetTimestamp();
                lock (gate)
                {
                    Answered(link, frame, now);
                    Refill(now);
                }

                Pump();
            }
        }
        catch (Exception broken) when (broken is SocketException or ObjectDisposedException)
        {
            Break(link);
        }
    }

    private void Break(Link link)
    {
        lock (gate)
        {
            if (link.Broken)
            {
                return;
            }

            link.Broken = true;
            links.Remove(link.Node);
            while (link.InFlight.TryDequeue(out SentRequest? lost))
            {
                foreach (BatchInFlight batch in lost.Batches)
                {
                    Failed(batch);
                }
            }
        }

        link.Socket.Close();
        Pump();
    }

    private void Answered(Link link, ReadOnlyMemory<byte> frame, long now)
    {
        if (link.Broken || !link.InFlight.TryDequeue(out SentRequest? request))
        {
            return;
        }

        var reader = new KafkaReader(frame);
        if (!KafkaFrameReader.TryReadResponseHeader(ref reader, ProduceRequest.Schema, version, out int correlation)
            || correlation != request.Correlation
            || !ProduceResponse.TryRead(ref reader, version, out ProduceResponse? answer))
        {
            Fault = $"{link.Endpoint}: an answer that can't be read: {reader.FaultText}";
            return;
        }

        foreach (BatchInFlight batch in request.Batches)
        {
            ProduceResponse.Partition? said = answer.Topics.SelectMany(part => part.Partitions).FirstOrDefault(part => part.Index == batch.Lane.Partition);
            Judge(batch, said?.Error ?? KafkaError.UnknownServerError, said?.ErrorMessage, now);
        }
    }

    private void Judge(BatchInFlight batch, KafkaError error, string? message, long now)
    {
        // A batch behind a failed one is out of order because of that one, not by itself.
        bool behindFailed = batch.Lane.Draining && error == KafkaError.OutOfOrderSequenceNumber;
        if (error is KafkaError.None or KafkaError.DuplicateSequenceNumber)
        {
            Acked(batch, now);
        }
        else if (behindFailed || KafkaErrors.IsRetriable(error))
        {
            Failed(batch);
        }
        else
        {
            Fault = $"partition {batch.Lane.Partition}: {KafkaErrors.Name(error)} {message}";
        }
    }

    private void Acked(BatchInFlight batch, long now)
    {
        Lane lane = batch.Lane;
        Returned(lane);
        RecordsAcked += batch.Records;
        acks.Acked(now);
        if (Measuring)
        {
            foreach (OfferedRun run in batch.Runs)
            {
                if (run.StepTicks == 0)
                {
                    Latency.Record(Nanoseconds(now - run.FirstTicks), run.Count);
                    continue;
                }

                for (int i = 0; i < run.Count; i++)
                {
                    Latency.Record(Nanoseconds(now - run.TicksOf(i)));
                }
            }
        }

        spare.Push(batch);
    }

    private void SentWithoutAnswer(Link link)
    {
        long now = Stopwatch.GetTimestamp();
        while (link.InFlight.TryDequeue(out SentRequest? sent))
        {
            foreach (BatchInFlight batch in sent.Batches)
            {
                Acked(batch, now);
            }
        }

        Refill(now);
    }

    private void Failed(BatchInFlight batch)
    {
        Lane lane = batch.Lane;
        lane.Again.Add(batch.Order, batch);
        lane.Draining = true;
        AskLeader(lane);
        Returned(lane);
    }

    private static void Returned(Lane lane)
    {
        lane.InFlight--;
        if (lane.InFlight == 0)
        {
            lane.Draining = false;
        }
    }

    // A tick is a nanosecond on Linux; elsewhere it is converted.
    private static long Nanoseconds(long ticks) =>
        Stopwatch.Frequency == 1_000_000_000 ? ticks : (long)(ticks * (1e9 / Stopwatch.Frequency));
}
