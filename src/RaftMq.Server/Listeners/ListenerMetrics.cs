using RaftMq.Server.Telemetry;

namespace RaftMq.Server.Listeners;

internal enum CloseCause
{
    ByClient,
    FrameTooLarge,
    BadFrame,
    Idle,
    NoMemory,
    TooManyConnections,
    BySession,
    Handshake,
    WrongProtocol,
    Stopping,
}

/// <summary>The Kafka connections of the process, over all listeners.</summary>
internal sealed class ListenerMetrics
{
    private readonly Counter[] _closed;

    public ListenerMetrics(MetricRegistry registry, ListenerLimits limits, RequestMemory memory)
    {
        Connections = registry.Gauge("raftmq_kafka_connections", "Open connections of Kafka clients.");
        registry.Gauge("raftmq_kafka_connections_max", "Limit of raftmq_kafka_connections.", () => limits.ConnectionsMax);
        Accepted = registry.Counter("raftmq_kafka_connections_accepted_total", "Connections of Kafka clients that were accepted.");
        _closed = registry.Counters(
            "raftmq_kafka_connections_closed_total", "Closed connections of Kafka clients, by cause.", "cause",
            "client", "frame_too_large", "bad_frame", "idle", "no_memory", "too_many", "session", "handshake", "wrong_protocol", "stopping");
        InFlight = registry.Gauge("raftmq_kafka_requests_in_flight", "Requests that are received and not yet answered.");
        ResponseBytes = registry.Gauge(
            "raftmq_kafka_response_waiting_bytes",
            "Memory that answers hold which clients have not taken yet. "
            + "What the log's newest entries share with the tail and with other answers is counted in each of them.");
        Requests = registry.Counter("raftmq_kafka_requests_total", "Request frames received.");
        ReceivedBytes = registry.Counter("raftmq_kafka_received_bytes_total", "Bytes of request frames received.");
        SentBytes = registry.Counter("raftmq_kafka_sent_bytes_total", "Bytes of responses sent.");
        Paused = registry.Counter(
            "raftmq_kafka_reads_paused_total", "Times a connection was not read because of its own limits in flight or unsent.");
        RequestDuration = registry.Histograms(
            "raftmq_kafka_request_duration_seconds", "From a request's last byte to its answer being complete, by API key.",
            Histogram.OfDurations, "api", KafkaApiNames.All);
        registry.Gauge(
            "raftmq_kafka_request_memory_bytes", "Memory that requests hold while they are received and admitted.", () => memory.UsedBytes);
        registry.Gauge(
            "raftmq_kafka_request_memory_max_bytes", "Limit of raftmq_kafka_request_memory_bytes.", () => limits.RequestBytesPerNode);
    }

    public Gauge Connections { get; }

    public Counter Accepted { get; }

    public Gauge InFlight { get; }

    public Gauge ResponseBytes { get; }

    public Counter Requests { get; }

    public Counter ReceivedBytes { get; }

    public Counter SentBytes { get; }

    public Counter Paused { get; }

    private Histogram[] RequestDuration { get; }

    public void Closed(CloseCause cause) => _closed[(int)cause].Increment();

    public void Answered(int apiKey, long durationNs) => RequestDuration[KafkaApiNames.IndexOf(apiKey)].Observe(durationNs);
}
